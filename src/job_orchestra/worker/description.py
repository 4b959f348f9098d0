from __future__ import annotations

import os
import platform
import socket

from job_orchestra.domain.json import JsonObject


def describe_host() -> JsonObject:
    """Properties that every worker has, beside those of its settings."""
    return {
        "host": socket.gethostname(),
        "operating_system": platform.system().lower(),
        "architecture": platform.machine(),
        "python": platform.python_version(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }
