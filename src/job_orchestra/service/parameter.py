"""A query or header parameter: how it is read and described. Reading all finds every mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.similarity import most_similar
from job_orchestra.protocol.addresses import flaw_of_encoding, query_items, shown_encoded

Value = TypeVar("Value")

_LONGEST_TEXT = 1024


@dataclass(frozen=True, slots=True)
class Parameter(Generic[Value]):
    name: str
    description: str
    read: Callable[[str], Value]
    """Raises ValueError with a sentence that says what would be right."""
    default: Value
    schema: JsonObject = field(default_factory=lambda: dict[str, JsonValue](type="string"))
    is_free: bool = False
    """Any text may be given; what it has to be is for `read` to say."""


def read_query(parameters: Iterable[Parameter[Any]], query: bytes) -> dict[str, object]:
    """Values of all parameters, defaults where they are not given; Invalid with every mistake."""
    known = {parameter.name: parameter for parameter in parameters}
    values: dict[str, object] = {name: parameter.default for name, parameter in known.items()}
    if not query:
        return values
    mistakes: list[Mistake] = []
    seen: set[str] = set()
    for name, text in query_items(query):
        parameter = known.get(name)
        if parameter is None:
            mistakes.append(Mistake(shown_encoded(name), _unknown(name, known)))
        elif name in seen:
            mistakes.append(Mistake(name, "is given more than once"))
        else:
            seen.add(name)
            _read_one(parameter, text, values, mistakes)
    if mistakes:
        raise Invalid(mistakes)
    return values


def read_headers(parameters: Iterable[Parameter[Any]], headers: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    mistakes: list[Mistake] = []
    for parameter in parameters:
        values[parameter.name] = parameter.default
        text = headers.get(parameter.name)
        if text is not None:
            _read_one(parameter, text, values, mistakes)
    if mistakes:
        raise Invalid(mistakes)
    return values


def _read_one(parameter: Parameter[Any], text: str, values: dict[str, object], mistakes: list[Mistake]) -> None:
    try:
        if flaw := flaw_of_encoding(text):
            raise ValueError(flaw)
        if not parameter.is_free and (len(text) > _LONGEST_TEXT or not (text.isprintable() or text == "")):
            raise ValueError(f"takes at most {_LONGEST_TEXT} printable characters")
        values[parameter.name] = parameter.read(text)
    except ValueError as error:
        mistakes.append(Mistake(parameter.name, str(error)))


def _unknown(name: str, known: Mapping[str, object]) -> str:
    close = most_similar(name, known)
    if close:
        return f"is no parameter of this route; did you mean {close}?"
    return f"is no parameter of this route; it takes {', '.join(known) or 'none'}"
