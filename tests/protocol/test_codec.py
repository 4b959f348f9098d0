from __future__ import annotations

from typing import Any

import msgspec
import pytest

from job_orchestra.protocol.codec import (
    MalformedFrame,
    decode_hints_to_master,
    decode_to_master,
    decode_to_worker,
    encode,
    encode_frames,
)
from job_orchestra.protocol.control import RunTriggered
from job_orchestra.protocol.messages import Abort, Accepted, Log, Release, ToMaster


def test_messages_survive_a_frame_in_their_order() -> None:
    messages = (Accepted("r", 1), Log("r", 1, 5, b"\x00\xff\r\n"), Accepted("s", 2))
    assert decode_to_master(encode(messages)) == messages


def test_frames_are_filled_up_to_their_size_and_a_large_message_has_one_alone() -> None:
    messages: list[ToMaster] = [
        Log("r", 1, 0, bytes(3 << 20)),
        *(Accepted(f"r{number}", 1) for number in range(70_000)),
    ]
    frames = list(encode_frames(messages))
    assert [message for frame in frames for message in decode_to_master(frame)] == messages
    assert len(decode_to_master(frames[0])) == 1
    assert len(frames) < 6


_EVENTS: dict[str, Any] = {
    "type": "events",
    "run": "r",
    "attempt": 1,
    "events": [{"sequence": 1, "kind": "k", "date": 1, "data": {}}],
}


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xc1",
        b"text",
        "[]",
        msgspec.msgpack.encode({"type": "accepted"}),
        msgspec.msgpack.encode([{"type": "unheard_of", "run": "r"}]),
        msgspec.msgpack.encode([{"type": "accepted", "run": "r", "attempt": "one"}]),
        msgspec.msgpack.encode([{"type": "accepted", "run": "r", "attempt": 1, "more": 1}]),
        msgspec.msgpack.encode([{"type": "accepted", "run": "r"}]),
        encode((Abort("r", 1, "eve"),)),
        b"\x91" + b"\x81\xa1a" * 100_000,
        msgspec.msgpack.encode([{"type": "accepted", "run": "r", "attempt": 1}]).replace(b"\xa1r", b"\xa1\xff"),
        msgspec.msgpack.encode([_EVENTS]).replace(b"\xa4data\x80", b"\xa4data\x81\xa1a" + b"\x91" * 100_000 + b"\xc0"),
        msgspec.msgpack.encode([_EVENTS]).replace(b"\xa4data\x80", b"\xa4data\x81\xa1a\xd4\x05\x00"),
    ],
)
def test_a_frame_that_is_none_is_malformed(frame: bytes | str) -> None:
    with pytest.raises(MalformedFrame):
        decode_to_master(frame)


def test_each_direction_has_its_own_messages() -> None:
    assert decode_to_worker(encode((Release("r", 1),))) == (Release("r", 1),)
    assert decode_hints_to_master(encode((RunTriggered("r"),))) == (RunTriggered("r"),)
    with pytest.raises(MalformedFrame):
        decode_to_worker(encode((RunTriggered("r"),)))
