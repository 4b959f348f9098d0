from __future__ import annotations

from types import NoneType

from job_orchestra.client.call import Call, path, query
from job_orchestra.protocol.resources.answers import Page
from job_orchestra.protocol.resources.workers import WorkerAnswer


def list_all(*, limit: int | None = None, cursor: str | None = None) -> Call[Page[WorkerAnswer]]:
    return Call("GET", "/workers", Page[WorkerAnswer], query=query(limit=limit, cursor=cursor))


def get(worker: str) -> Call[WorkerAnswer]:
    return Call("GET", path("workers", worker), WorkerAnswer)


def enable(worker: str) -> Call[WorkerAnswer]:
    return _switch(worker, "enable")


def disable(worker: str) -> Call[WorkerAnswer]:
    return _switch(worker, "disable")


def drain(worker: str) -> Call[WorkerAnswer]:
    """Takes no new runs until it is enabled again; what runs goes on."""
    return _switch(worker, "drain")


def disconnect(worker: str) -> Call[WorkerAnswer]:
    return _switch(worker, "disconnect")


def delete(worker: str, *, lose_runs: bool = False) -> Call[None]:
    """`lose_runs`: although it has runs that have not ended; these end or are retried, as their jobs say."""
    return Call("DELETE", path("workers", worker), NoneType, query={"lose_runs": "true"} if lose_runs else {})


def _switch(worker: str, action: str) -> Call[WorkerAnswer]:
    return Call("POST", path("workers", worker, action), WorkerAnswer)
