"""The shape of arbitrary data: parameters, properties, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"
else:
    # Decoders look at annotations at run time and cannot follow an alias that names itself.
    JsonValue = Any

JsonObject: TypeAlias = dict[str, JsonValue]


def is_same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two plain values are the same in JSON; in Python True is 1."""
    return isinstance(one, bool) == isinstance(other, bool) and one == other
