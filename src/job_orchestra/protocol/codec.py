"""Frames to messages and back. A frame that is no such message raises MalformedFrame, which names what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

import msgspec

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.protocol.control import HintToMaster, HintToService
from job_orchestra.protocol.messages import ToMaster, ToWorker


class MalformedFrame(OrchestraError):
    pass


_encoder = msgspec.msgpack.Encoder()
_to_master = msgspec.msgpack.Decoder(tuple[ToMaster, ...])
_to_worker = msgspec.msgpack.Decoder(tuple[ToWorker, ...])
_hints_to_master = msgspec.msgpack.Decoder(tuple[HintToMaster, ...])
_hints_to_service = msgspec.msgpack.Decoder(tuple[HintToService, ...])


Message: TypeAlias = ToMaster | ToWorker | HintToMaster | HintToService

_FRAME_SIZE = 1 << 20
"""Messages are put together into frames of about this size; only one that is larger alone makes a larger frame."""


def encode(messages: Sequence[Message]) -> bytes:
    return _encoder.encode(messages)


def encode_frames(messages: Sequence[Message]) -> Iterator[bytes]:
    """The messages in their order, in as few frames as their sizes allow."""
    gathered: list[bytes] = []
    size = 0
    for message in messages:
        encoded = _encoder.encode(message)
        if gathered and (size + len(encoded) > _FRAME_SIZE or len(gathered) == _MOST_IN_FRAME):
            yield _array(gathered)
            gathered, size = [], 0
        gathered.append(encoded)
        size += len(encoded)
    if gathered:
        yield _array(gathered)


_MOST_IN_FRAME = 0xFFFF


def _array(encoded: list[bytes]) -> bytes:
    # MessagePack's array 16: a byte for the type, two for the length, then the items.
    return b"\xdc" + len(encoded).to_bytes(2, "big") + b"".join(encoded)


def decode_to_master(frame: bytes | str) -> tuple[ToMaster, ...]:
    try:
        return _to_master.decode(_binary(frame))
    except msgspec.MsgspecError as error:
        raise MalformedFrame(f"A frame from the worker is malformed: {error}.") from None


def decode_to_worker(frame: bytes | str) -> tuple[ToWorker, ...]:
    try:
        return _to_worker.decode(_binary(frame))
    except msgspec.MsgspecError as error:
        raise MalformedFrame(f"A frame from the master is malformed: {error}.") from None


def decode_hints_to_master(frame: bytes | str) -> tuple[HintToMaster, ...]:
    try:
        return _hints_to_master.decode(_binary(frame))
    except msgspec.MsgspecError as error:
        raise MalformedFrame(f"A hint from the service is malformed: {error}.") from None


def decode_hints_to_service(frame: bytes | str) -> tuple[HintToService, ...]:
    try:
        return _hints_to_service.decode(_binary(frame))
    except msgspec.MsgspecError as error:
        raise MalformedFrame(f"A hint from the master is malformed: {error}.") from None


def _binary(frame: bytes | str) -> bytes:
    if isinstance(frame, str):
        raise MalformedFrame("A text frame came where binary frames are spoken.")
    return frame
