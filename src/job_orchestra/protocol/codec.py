"""Frames to messages and back. A frame that is no such message raises MalformedFrame, which names what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

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


def encode(messages: Sequence[ToMaster | ToWorker | HintToMaster | HintToService]) -> bytes:
    return _encoder.encode(messages)


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
