"""Ports that nobody else takes between being chosen and being listened on, however long that is."""

from __future__ import annotations

import os
import random
import socket

# Below those that the kernel gives to connections, and to listeners that want any.
_FIRST, _LAST = 10_000, 32_000
_SHARES = 20
"""Of processes that test side by side."""
_given: set[int] = set()


def free_port() -> int:
    """Of the loopback; another one at each call, and none that a process of tests beside this one is given."""
    share = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
    while True:
        port = random.SystemRandom().randrange(_FIRST + share, _LAST, _SHARES)
        if port not in _given and _is_free(port):
            _given.add(port)
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
