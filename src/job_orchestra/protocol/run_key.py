from __future__ import annotations

from typing import NamedTuple


class RunKey(NamedTuple):
    """One attempt of one run: what every message is about."""

    run: str
    attempt: int
