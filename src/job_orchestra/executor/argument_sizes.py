"""What Linux takes as arguments and environment of a program, and by how much a command exceeds it."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping, Sequence

_PAGES_OF_ONE = 32
_LEAST_OF_ALL = 128 << 10
_MOST_OF_ALL = 6 << 20
"""Three quarters of the usual limit of the stack, whatever the limit here is."""
_POINTER = 8


def excess_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Names the size and the limit, for a command that the system refused as too long."""
    sizes = {f"argument {index}": _size(text) for index, text in enumerate(arguments)}
    sizes |= {f"the environment variable {name}": _size(f"{name}={value}") for name, value in environment.items()}
    longest = max(sizes, key=sizes.__getitem__)
    limit = _PAGES_OF_ONE * os.sysconf("SC_PAGE_SIZE")
    if sizes[longest] > limit:
        return f"{longest} has {sizes[longest]} bytes, and the system takes at most {limit} in one"
    return (
        f"arguments and environment have {sum(sizes.values()) + _POINTER * len(sizes)} bytes together, "
        f"and the system takes at most {_limit_of_all()}"
    )


def _size(text: str) -> int:
    """With the byte that ends it."""
    return len(os.fsencode(text)) + 1


def _limit_of_all() -> int:
    stack, _ = resource.getrlimit(resource.RLIMIT_STACK)
    return _MOST_OF_ALL if stack == resource.RLIM_INFINITY else max(_LEAST_OF_ALL, min(_MOST_OF_ALL, stack // 4))
