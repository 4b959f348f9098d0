"""A number by which every process of a run is known, whatever it does to its environment, session, output or parents.

It is a resource limit, for those are inherited by all descendants: that on file locks, which Linux has ignored since
2.4.25, keeps, and shows of every process. Only who sets this very limit sheds it.
"""

from __future__ import annotations

import resource
from collections.abc import Generator
from contextlib import contextmanager, suppress
from functools import lru_cache
from hashlib import blake2b

from job_orchestra.execution.process_identity import read_facts
from job_orchestra.protocol.run_key import RunKey

_LOCKS = 10
"""RLIMIT_LOCKS, of which the standard library knows no name."""
_LINE = b"Max file locks"
_SIZE = 7
"""Bytes: below every limit that stands for infinity."""


@lru_cache
def tag_of(key: RunKey) -> int:
    """The same in each process, without being stored anywhere."""
    return int.from_bytes(blake2b(f"{key.run}.{key.attempt}".encode(), digest_size=_SIZE).digest(), "big")


@contextmanager
def tagging(tag: int) -> Generator[None]:
    """What this process starts meanwhile carries the tag. Of no effect where someone has bounded the limit."""
    before = resource.getrlimit(_LOCKS)
    with suppress(ValueError, OSError):
        resource.setrlimit(_LOCKS, (tag, before[1]))
    try:
        yield
    finally:
        with suppress(ValueError, OSError):
            resource.setrlimit(_LOCKS, before)


def read_tag(pid: int) -> int | None:
    """None if the process has none, or is gone."""
    text = read_facts(pid, "limits")
    if text is None:
        return None
    line = next((line for line in text.splitlines() if line.startswith(_LINE)), b"")
    words = line.removeprefix(_LINE).split()
    return int(words[0]) if words and words[0].isdigit() else None
