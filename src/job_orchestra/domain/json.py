"""The shape of arbitrary data: parameters, properties, results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"
else:
    # Decoders look at annotations at run time and cannot follow an alias that names itself.
    JsonValue = Any

JsonObject: TypeAlias = dict[str, JsonValue]


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two values are the same in JSON, whatever is inside of them; in Python True is 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def is_longer(value: object, most: int) -> bool:
    """Whether a value has more than so many characters as compact JSON; looks no further, so a circle has.

    Counted is the least that each part takes: without escapes, and one digit for what is no text, list or table.
    """
    length, waiting = -1, [value]
    while waiting and length <= most:
        part = waiting.pop()
        length += 2  # a sign, and what stands between it and the next part
        if isinstance(part, str):
            length += len(part) + 1
        elif isinstance(part, (dict, list, tuple)):
            parts = cast("dict[object, object] | Sequence[object]", part)
            if len(parts) > most:
                return True
            waiting.extend(parts)
            if isinstance(parts, dict):
                waiting.extend(parts.values())
    return length > most
