"""Runs that have ended, with logs."""

from __future__ import annotations

import random
from dataclasses import replace
from hashlib import sha256

from job_orchestra.domain.runs import LogFacts, Run
from job_orchestra.storage.log_port import LogKey, LogPiece, LogStore


def words(size: int, seed: int = 0) -> bytes:
    """A log of that many bytes that becomes smaller when it is compressed."""
    return b" ".join(random.Random(seed).choices([b"one", b"two\n", b"three", b"\xff"], k=size))[:size]


def with_log(run: Run, log: bytes) -> Run:
    """As it is recorded at a verified end."""
    return replace(run, log=LogFacts(len(log), sha256(log).hexdigest()))


def key_of(run: Run) -> LogKey:
    return LogKey(run.request.project, run.identifier, run.attempt)


async def write(store: LogStore, run: Run, log: bytes) -> None:
    await store.append([LogPiece(key_of(run), 0, log)])
