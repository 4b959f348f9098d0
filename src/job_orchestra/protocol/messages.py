"""What master and worker say. Each frame is a MessagePack array of messages, so that many go in one frame.

In front of the array stands the number of the frame, four bytes, big-endian, counted from 1 in each direction of a
connection. In silence a frame that is nothing but its number is sent every few seconds. A number that does not follow
the one before closes the connection: something on the way loses, repeats or moves frames.

The version changes with the meaning of any message; both sides name theirs in the first message and refuse another.
An unknown message, field or type is an error that closes the connection (see `codec`).
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from job_orchestra.domain.json import JsonObject

PROTOCOL_VERSION = 3

MAXIMAL_FRAME_SIZE = 16 << 20
"""A larger frame closes the connection; results, the largest single thing in a message, have to be below it."""
LOG_PIECE_SIZE = 256 << 10
"""A worker puts at most this many bytes of a log into one message."""
WINDOW = 4 << 20
"""Bytes of logs, and as many of journals, that a worker may have sent without their being acknowledged."""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    pass


# ---------- worker to master


class RunOnDisk(_Message, frozen=True):
    """A run directory that the worker has: how far its journal and log reach."""

    run: str
    attempt: int
    sequence: int
    """Of the last complete event in the journal."""
    log_size: int
    """Bytes."""
    is_of_this_boot: bool = True
    """False if the worker's host was restarted since: it may have lost what it had written last."""


class Hello(_Message, frozen=True, tag="hello"):
    """The first message of a connection."""

    protocol: int
    """`PROTOCOL_VERSION`."""
    version: str
    """Of the product."""
    identifier: str
    """The worker's name."""
    instance: str
    """Random, kept in the worker's directory: tells two workers of one name apart."""
    boot: str
    """Identity of the host's boot."""
    display_name: str
    executor_limit: int
    """How many runs it takes at a time."""
    properties: JsonObject
    date: float
    """The worker's clock, Unix time in seconds."""
    runs: tuple[RunOnDisk, ...]
    """All that are on its disk and not released."""


class Accepted(_Message, frozen=True, tag="accepted"):
    """The request of this attempt is on the worker's disk; it will not be needed again."""

    run: str
    attempt: int


class Refused(_Message, frozen=True, tag="refused"):
    """The worker has not taken this attempt and never will; another attempt may go elsewhere."""

    run: str
    attempt: int
    reason: str
    """A sentence."""


class Hindered(_Message, frozen=True, tag="hindered"):
    """The worker takes no new runs at present, or does again. Repeated at each connection as long as it does not."""

    by: str
    """What it is or has, to be read behind its name; empty if nothing hinders it any more."""


class JournalEvent(_Message, frozen=True):
    """One line of a run's journal (see `domain.event_records`)."""

    sequence: int
    """From 1, without a gap."""
    kind: str
    """`started`, `command_started`, `command_ended`, `results_changed` or `ended`."""
    date: int
    """Microseconds since 1970, UTC, of the worker's host."""
    data: JsonObject
    """The other fields of the event, as `domain.events` declares them."""


class Events(_Message, frozen=True, tag="events"):
    """Journal events of one attempt, without a gap. `ended` comes only behind the whole log."""

    run: str
    attempt: int
    events: tuple[JournalEvent, ...]


class Log(_Message, frozen=True, tag="log"):
    """Bytes of the log from `offset` on."""

    run: str
    attempt: int
    offset: int
    data: bytes


# ---------- master to worker


class Resume(_Message, frozen=True):
    """The master has journal and log of this attempt up to here; the worker goes on from there."""

    run: str
    attempt: int
    sequence: int
    log_size: int


class Welcome(_Message, frozen=True, tag="welcome"):
    """The answer to hello. Each run of the hello is either resumed or released."""

    protocol: int
    version: str
    master: str
    """The master's identifier."""
    resume: tuple[Resume, ...]
    release: tuple[RunOnDisk, ...]
    """These are not this worker's any more: their data may go."""


class Execute(_Message, frozen=True, tag="execute"):
    """Carry this attempt out. Repeated at each connection until it is accepted or refused."""

    run: str
    attempt: int
    project: str
    job: str
    definition: JsonObject
    """With its `type` (see `domain.definition_data`)."""
    parameters: JsonObject
    workspace: str
    """`job`, `run` or `project`."""
    limits: JsonObject
    token: str = ""
    """For the API, if the job asks for one: of this attempt alone."""


class Abort(_Message, frozen=True, tag="abort"):
    """End this attempt; `by` is the user who asked. Repeated at each connection until the run has ended."""

    run: str
    attempt: int
    by: str


class Acknowledged(_Message, frozen=True, tag="acknowledged"):
    """Journal events up to `sequence` and the log up to `log_size` are durable."""

    run: str
    attempt: int
    sequence: int
    log_size: int


class Release(_Message, frozen=True, tag="release"):
    """Status, results and the whole verified log are durable (or the attempt counts no more): the data may go."""

    run: str
    attempt: int


class SendAgain(_Message, frozen=True, tag="send_again"):
    """The stored log does not match the one that the worker has: send it again from its beginning."""

    run: str
    attempt: int


class Goodbye(_Message, frozen=True, tag="goodbye"):
    """Said by either side before it closes the connection: why, and whether coming back may help."""

    code: str
    """For programs."""
    message: str
    """For people, a sentence."""
    is_final: bool = False
    """Coming back as the same worker will not help."""


ToMaster: TypeAlias = Hello | Accepted | Refused | Hindered | Events | Log | Goodbye
ToWorker: TypeAlias = Welcome | Execute | Abort | Acknowledged | Release | SendAgain | Goodbye
