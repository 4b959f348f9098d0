"""The shape of arbitrary data: parameters, properties, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JsonValue: TypeAlias = "None | bool | int | float | str | list[JsonValue] | dict[str, JsonValue]"
else:
    # Decoders look at annotations at run time and cannot follow an alias that names itself.
    JsonValue = Any

JsonObject: TypeAlias = dict[str, JsonValue]
