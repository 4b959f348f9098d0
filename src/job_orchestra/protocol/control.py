"""What services and masters tell each other. Hints only: a lost one costs a second, never correctness."""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class _Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class RunTriggered(_Hint, frozen=True, tag="run_triggered"):
    """To the master: a pending run was committed."""

    run: str


class RunWish(_Hint, frozen=True, tag="run_wish"):
    """To the master: cancel or abort is asked of the run."""

    run: str


class JobSwitched(_Hint, frozen=True, tag="job_switched"):
    """To the master: the job was enabled or disabled."""

    project: str
    job: str


class ScheduleSwitched(_Hint, frozen=True, tag="schedule_switched"):
    """To the master: the schedule was enabled or disabled."""

    project: str
    schedule: str


class WorkerWish(_Hint, frozen=True, tag="worker_wish"):
    """To the master: a worker was enabled, disabled, drained, deleted, or is to be disconnected."""

    worker: str


class RunChanged(_Hint, frozen=True, tag="run_changed"):
    """To the services: status, results or anything else of the run's record has changed."""

    project: str
    run: str
    is_ended: bool


class LogGrew(_Hint, frozen=True, tag="log_grew"):
    """To the services: the stored log of the run's attempt reaches this size."""

    run: str
    attempt: int
    size: int


class WorkerChanged(_Hint, frozen=True, tag="worker_changed"):
    """To the services: the worker has connected, disconnected or was changed."""

    worker: str


class ConfigurationTrouble(_Hint, frozen=True, tag="configuration_trouble"):
    """To the services: why what the master has in its files does not count, in a sentence; empty if it does."""

    sentence: str


HintToMaster: TypeAlias = RunTriggered | RunWish | JobSwitched | ScheduleSwitched | WorkerWish
HintToService: TypeAlias = RunChanged | LogGrew | WorkerChanged | ConfigurationTrouble
