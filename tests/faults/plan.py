"""The faults of a storm, decided by its seed: whom, what, after how many starts, for how long."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    KILL = "kill"
    """SIGKILL, and started again later."""
    TERMINATE = "terminate"
    """SIGTERM, and started again later."""
    STOP = "stop"
    """SIGSTOP, and SIGCONT later."""
    LOCK = "lock"
    """Somebody else holds the lock for writing."""


class Victim(StrEnum):
    MASTER = "master"
    OTHER_MASTER = "master-2"
    """There on PostgreSQL, beside the first. The service does not know it: what it does is found by looking."""
    SERVICE = "service"
    WORKER_1 = "worker-1"
    WORKER_2 = "worker-2"
    HOST_1 = "host-1"
    HOST_2 = "host-2"
    POSTGRESQL = "postgresql"
    MARIADB = "mariadb"
    SQLITE = "sqlite"
    MONGODB = "mongodb"


_SIGNALS = (Act.KILL, Act.TERMINATE, Act.STOP)
_DATABASES = {
    Victim.POSTGRESQL: _SIGNALS,
    Victim.MARIADB: _SIGNALS,
    Victim.MONGODB: _SIGNALS,
    Victim.SQLITE: (Act.LOCK,),
}
_LONG = 17.0
"""Longer than the heartbeats of connections bear a silence."""


@dataclass(frozen=True, slots=True)
class Fault:
    number: int
    after_starts: int
    """The moment: so many runs have started ..."""
    delay: float
    """... and so many seconds ago."""
    victim: Victim
    act: Act
    pause: float
    """Seconds until the victim is started again or goes on."""

    def __str__(self) -> str:
        return f"fault {self.number}: {self.act} {self.victim} for {self.pause:.2f} s, after {self.after_starts} starts"


def plan_faults(chance: random.Random, count: int, runs: int, database: Victim, longest: float) -> list[Fault]:
    """In the order of their moments; every kind of fault comes before any comes twice. `longest` is that of a pause."""
    is_there = {Victim.OTHER_MASTER: database is Victim.POSTGRESQL, **dict.fromkeys(_DATABASES, False)}
    processes = [victim for victim in Victim if is_there.get(victim, True)]
    kinds = [(victim, act) for victim in processes for act in _SIGNALS]
    kinds += [(database, act) for act in _DATABASES[database]]
    chosen: list[tuple[Victim, Act]] = []
    while len(chosen) < count:
        chosen += chance.sample(kinds, len(kinds))
    moments = sorted(chance.randint(1, max(1, runs * 8 // 10)) for _ in range(count))
    return [
        Fault(number, moment, chance.uniform(0.0, 0.3), victim, act, _pause(chance, act, longest))
        for number, (moment, (victim, act)) in enumerate(zip(moments, chosen, strict=False), 1)
    ]


def _pause(chance: random.Random, act: Act, longest: float) -> float:
    if act is Act.STOP and longest > _LONG and chance.random() < 0.12:
        return chance.uniform(_LONG, longest)
    return chance.uniform(0.0, min(longest, 3.0))
