"""What becomes of the runs of a worker that is told to stop: two different things, so never by accident."""

from __future__ import annotations

from enum import StrEnum


class OnStop(StrEnum):
    KEEP = "keep"
    """They go on; the next worker of the directory finds them."""
    DRAIN = "drain"
    """The worker takes no new ones, and stops behind the last."""
    ABORT = "abort"
    """They end as `aborted`, with the reason `shutdown`; then the worker stops."""
