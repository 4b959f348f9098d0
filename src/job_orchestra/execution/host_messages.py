"""What worker and executor host say over the host's socket: a JSON object on each line.

A worker speaks with hosts of other versions as well (after an upgrade), so what is here may grow, but not change.
Nothing depends on a message arriving: the truth about a run is in its directory.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from job_orchestra.domain.errors import OrchestraError
from job_orchestra.domain.json import JsonObject
from job_orchestra.execution.process_identity import ProcessIdentity, identity_from_data, identity_to_data


class NoHostMessage(OrchestraError):
    pass


# ---------- worker to host


@dataclass(frozen=True, slots=True)
class ExecuteRun:
    """Carry out what is in the run directory of that name; of no effect if that was begun before."""

    name: str


@dataclass(frozen=True, slots=True)
class AbortRun:
    """Look at the wish in the run directory of that name."""

    name: str
    by: str | None = None
    """Who wishes, where that cannot be written down now because the disk is full."""


@dataclass(frozen=True, slots=True)
class StopWhenIdle:
    """Take nothing new, and exit after the last run."""


@dataclass(frozen=True, slots=True)
class AreYouThere:
    """Answered at once with `HereIAm`; a host that is stopped answers when it goes on."""


# ---------- host to worker


@dataclass(frozen=True, slots=True)
class HostHello:
    """The first message of a connection."""

    version: str
    identity: ProcessIdentity
    active: tuple[str, ...]
    """Names of the runs that the host carries out now."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The host has left the run: it writes nothing more, even if the journal should lack its end."""

    name: str


@dataclass(frozen=True, slots=True)
class HereIAm:
    pass


ToHost: TypeAlias = ExecuteRun | AbortRun | StopWhenIdle | AreYouThere
ToWorker: TypeAlias = HostHello | RunFinished | HereIAm


def encode_host_message(message: ToHost | ToWorker) -> bytes:
    data: JsonObject
    match message:
        case ExecuteRun(name):
            data = {"execute": name}
        case AbortRun(name, by):
            data = {"abort": name} if by is None else {"abort": name, "by": by}
        case StopWhenIdle():
            data = {"stop_when_idle": True}
        case AreYouThere():
            data = {"are_you_there": True}
        case HereIAm():
            data = {"here_i_am": True}
        case HostHello(version, identity, active):
            data = {"hello": {"version": version, "identity": identity_to_data(identity), "active": list(active)}}
        case RunFinished(name):
            data = {"finished": name}
    return json.dumps(data).encode() + b"\n"


def decode_to_host(line: bytes) -> ToHost:
    match _load(line):
        case {"execute": str(name)}:
            return ExecuteRun(name)
        case {"abort": str(name), "by": str(by)}:
            return AbortRun(name, by)
        case {"abort": str(name)}:
            return AbortRun(name)
        case {"stop_when_idle": True}:
            return StopWhenIdle()
        case {"are_you_there": True}:
            return AreYouThere()
        case _:
            raise NoHostMessage(f"{line[:100]!r} is no message to an executor host.")


def decode_to_worker(line: bytes) -> ToWorker:
    match _load(line):
        case {"hello": {"version": str(version), "identity": data, "active": [*active]}}:
            identity = identity_from_data(data)
            if identity is not None:
                return HostHello(version, identity, tuple(str(name) for name in cast("list[object]", active)))
        case {"finished": str(name)}:
            return RunFinished(name)
        case {"here_i_am": True}:
            return HereIAm()
        case _:
            pass
    raise NoHostMessage(f"{line[:100]!r} is no message of an executor host.")


def _load(line: bytes) -> Mapping[str, Any]:
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError):
        data = None
    return cast("dict[str, Any]", data) if isinstance(data, dict) else {}
