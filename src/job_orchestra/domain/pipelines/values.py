"""What the texts of an element may name, and what they become.

`parameters` are the pipeline's own. `elements[build]` has `status`, `run` and `results`; of an element with a list it
has `status` and `items`, each with `item`, `status`, `run` and `results`. `item` and `index` are those of the part, and
`project`, `job` and `run` the pipeline's.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from string import Formatter

from job_orchestra.domain.checking import shown
from job_orchestra.domain.formatting import FormatError, format_text, look_up_field
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.queries.paths import MISSING, Missing, Path, Source, look_up

ELEMENT_KEYS = ("status", "run", "results")
ITEMS_KEYS = ("status", "items")
"""Of an element with a list."""
ITEM_KEYS = ("item", "status", "run", "results")
MOST_ITEMS = 1000
"""Of a list: each makes a run."""
_FORMATTER = Formatter()


@dataclass(frozen=True, slots=True)
class PipelineValues:
    parameters: JsonObject
    elements: JsonObject
    """Those that have ended."""
    plain: Mapping[str, str]

    def at(self, path: Path) -> JsonValue | Missing:
        """For conditions."""
        if path.source is Source.ELEMENTS:
            return look_up(self.elements, path.steps)
        return look_up(self.parameters, path.steps) if path.source is Source.PARAMETERS else MISSING

    def fields(self, item: JsonValue = None, index: int | None = None) -> dict[str, JsonValue]:
        """For format strings, of a part or of the whole element."""
        fields: dict[str, JsonValue] = {**self.plain, "parameters": self.parameters, "elements": self.elements}
        return fields if index is None else {**fields, "item": item, "index": index}


def fill(value: JsonValue, fields: Mapping[str, JsonValue]) -> JsonValue:
    """The value with all its texts filled; one that is a single field becomes what that has, of whatever type.

    FormatError names the text and what is wrong with it.
    """
    if isinstance(value, str):
        field = single_field(value)
        return format_text(value, fields) if field is None else look_up_field(value, field, fields)
    if isinstance(value, list):
        return [fill(item, fields) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, fields) for key, item in value.items()}
    return value


def constants_of(values: JsonObject) -> JsonObject:
    """Those that are the same whatever the fields are, filled."""
    constants: JsonObject = {}
    for name, value in values.items():
        # One that names a field cannot be filled without any.
        with suppress(ValueError):
            constants[name] = fill(value, {})
    return constants


def items_of(for_each: str | tuple[JsonValue, ...], fields: Mapping[str, JsonValue]) -> list[JsonValue]:
    """The items of an element's list; FormatError if there is none, or one that is too long."""
    found = fill(for_each if isinstance(for_each, str) else list(for_each), fields)
    if not isinstance(found, list):
        raise FormatError(f"for_each ({for_each!r}) is no list, but {shown(found)}")
    if len(found) > MOST_ITEMS:
        raise FormatError(f"for_each ({for_each!r}) has {len(found)} items, and may have {MOST_ITEMS}")
    return found


def single_field(text: str) -> str | None:
    """The name of the field that the text is; None if it is a text with fields in it, or one without any."""
    parts = list(_FORMATTER.parse(text))
    if len(parts) != 1:
        return None
    [(literal, name, specification, conversion)] = parts
    is_plain = not literal and name and not specification and conversion is None
    return name if is_plain else None
