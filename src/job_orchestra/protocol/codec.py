"""Frames to messages and back. A frame that is no such message raises MalformedFrame, which names what is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias, TypeVar

import msgspec

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.protocol.control import HintToMaster, HintToService
from job_orchestra.protocol.messages import ToMaster, ToWorker

T = TypeVar("T")


class MalformedFrame(OrchestraError):
    pass


def _refuse_extension(code: int, _data: memoryview) -> object:
    raise msgspec.ValidationError(f"Expected no extension type, got {code}")


_encoder = msgspec.msgpack.Encoder()
_to_master = msgspec.msgpack.Decoder(tuple[ToMaster, ...], ext_hook=_refuse_extension)
_to_worker = msgspec.msgpack.Decoder(tuple[ToWorker, ...], ext_hook=_refuse_extension)
_hints_to_master = msgspec.msgpack.Decoder(tuple[HintToMaster, ...], ext_hook=_refuse_extension)
_hints_to_service = msgspec.msgpack.Decoder(tuple[HintToService, ...], ext_hook=_refuse_extension)


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
    return _decode(_to_master, frame, "A frame from the worker")


def decode_to_worker(frame: bytes | str) -> tuple[ToWorker, ...]:
    return _decode(_to_worker, frame, "A frame from the master")


def decode_hints_to_master(frame: bytes | str) -> tuple[HintToMaster, ...]:
    return _decode(_hints_to_master, frame, "A hint from the service")


def decode_hints_to_service(frame: bytes | str) -> tuple[HintToService, ...]:
    return _decode(_hints_to_service, frame, "A hint from the master")


def _decode(decoder: msgspec.msgpack.Decoder[T], frame: bytes | str, what: str) -> T:
    if isinstance(frame, str):
        raise MalformedFrame(f"{what} is malformed: it is text where binary frames are spoken.")
    try:
        return decoder.decode(frame)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedFrame(f"{what} is malformed: {error}.") from None
