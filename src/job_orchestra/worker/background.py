"""Work that nobody waits for: what goes wrong in it is said, and not lost with its task."""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

_logger = logging.getLogger(__name__)


async def log_faults(work: Coroutine[Any, Any, None]) -> None:
    """Never raises for a fault in it."""
    try:
        await work
    except Exception:
        _logger.exception("Something went wrong beside the connection to the master.")
