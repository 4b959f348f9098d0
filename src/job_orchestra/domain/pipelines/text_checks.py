"""What the texts, the condition and the list of an element may name: what there will be when they are filled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from string import Formatter

from job_orchestra.domain.checking import Mistakes, nearest
from job_orchestra.domain.definitions import ElementDefinition
from job_orchestra.domain.formatting import FormatError, split_field
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.pipelines.values import ELEMENT_KEYS, ITEM_KEYS, ITEMS_KEYS, MOST_ITEMS, single_field
from job_orchestra.domain.places import Place
from job_orchestra.domain.queries.evaluation import conditions_of
from job_orchestra.domain.queries.expressions import Compared, Condition, OneOf
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.paths import OF_PIPELINES, Path, Source
from job_orchestra.domain.queries.scanning import ExpressionMistake
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES

_PLAIN_FIELDS = ("project", "job", "run")
_FORMATTER = Formatter()


def check_texts(
    element: ElementDefinition,
    before: Mapping[str, bool],
    parameters: Collection[str],
    place: Place,
    mistakes: Mistakes,
) -> None:
    """`before` tells of each element that comes before this one whether it has a list."""
    names = _Names(before, parameters, element.for_each is not None)
    for where, text in _texts(element.parameters, place.field("parameters")):
        if flaw := names.flaw_of(text):
            mistakes.add(where, flaw)
    if element.when:
        _check_condition(element.when, names, place.field("when"), mistakes)
    if isinstance(element.for_each, str):
        outside = _Names(before, parameters, has_items=False)
        flaw = outside.flaw_of(element.for_each)
        if not flaw and single_field(element.for_each) is None:
            flaw = f"{element.for_each!r} is neither a list nor one field that has a list"
        if flaw:
            mistakes.add(place.field("for_each"), flaw)
    elif element.for_each is not None and len(element.for_each) > MOST_ITEMS:
        mistakes.add(place.field("for_each"), f"has {len(element.for_each)} items, and may have {MOST_ITEMS}")


def _texts(value: JsonValue, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, place.item(index))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, place.field(key))


class _Names:
    """What the texts of an element may name."""

    def __init__(self, before: Mapping[str, bool], parameters: Collection[str], has_items: bool) -> None:
        self._before = dict(sorted(before.items()))
        self._parameters = sorted(parameters)
        self._plain = (*_PLAIN_FIELDS, *(("index",) if has_items else ()))
        self._known = (*self._plain, "parameters", "elements", *(("item",) if has_items else ()))

    def flaw_of(self, text: str) -> str:
        """Of a format string; empty if there is none."""
        try:
            for _, name, specification, _ in _FORMATTER.parse(text):
                if name is not None:
                    self._check_field(name)
                if specification and "{" in specification:
                    raise FormatError("nests fields, which only commands may")
        except FormatError as error:
            return str(error)
        except ValueError as error:
            return f"is no format string ({error}); a literal brace is written twice: {{{{ or }}}}"
        return ""

    def flaw_of_path(self, path: Path) -> str:
        """Of one in a condition."""
        keys = [str(step) for step in path.steps]
        return self._flaw_of_parameter(keys[0]) if path.source is Source.PARAMETERS else self._flaw_of_element(keys)

    def _check_field(self, field: str) -> None:
        name, keys = split_field(field)
        if name not in self._known:
            hint = nearest(name, self._known) or f"; known are {', '.join(self._known)}"
            raise FormatError(f"has an unknown field {{{field}}}{hint}; a literal brace is written twice: {{{{ or }}}}")
        if keys and name in self._plain:
            raise FormatError(f"reads {{{field}}}, but {name} is a plain value")
        flaw = ""
        if keys and name == "parameters":
            flaw = self._flaw_of_parameter(keys[0])
        elif keys and name == "elements":
            flaw = self._flaw_of_element(keys)
        if flaw:
            raise FormatError(flaw)

    def _flaw_of_parameter(self, name: str) -> str:
        if name in self._parameters:
            return ""
        known = f"; the pipeline has {', '.join(self._parameters)}" if self._parameters else "; the pipeline has none"
        return f"names the unknown parameter {name!r}{nearest(name, self._parameters) or known}"

    def _flaw_of_element(self, keys: Sequence[str]) -> str:
        name = keys[0]
        if name not in self._before:
            known = f"; before it come {', '.join(self._before)}" if self._before else "; no element comes before it"
            hint = nearest(name, list(self._before)) or known
            return f"names {name!r}, which is no element before this one{hint}"
        has_list = self._before[name]
        owner, known_keys = (f"{name}, which has a list", ITEMS_KEYS) if has_list else (name, ELEMENT_KEYS)
        if flaw := _flaw_of_key(keys[1:2], known_keys, owner):
            return flaw
        return _flaw_of_key(keys[3:4], ITEM_KEYS, f"an item of {name}") if has_list and keys[1:2] == ["items"] else ""


def _flaw_of_key(key: Sequence[str], known: Sequence[str], owner: str) -> str:
    """Of one key or none."""
    if not key or key[0] in known:
        return ""
    hint = nearest(key[0], known) or f"; there are {', '.join(known)}"
    return f"asks for {key[0]!r} of {owner}{hint}"


def _check_condition(text: str, names: _Names, place: Place, mistakes: Mistakes) -> None:
    try:
        expression = parse_expression(text, OF_PIPELINES)
    except ExpressionMistake as error:
        mistakes.add(place, str(error))
        return
    for condition in conditions_of(expression):
        if flaw := names.flaw_of_path(condition.path) or _flaw_of_status(condition):
            mistakes.add(place, flaw)


def _flaw_of_status(condition: Condition) -> str:
    """Of what the status of an element or item is compared with."""
    keys = condition.path.steps[1:]
    is_status = keys == ("status",) or (keys[:1] == ("items",) and keys[2:] == ("status",))
    if condition.path.source is not Source.ELEMENTS or not is_status:
        return ""
    wanted = condition.values if isinstance(condition, OneOf) else ()
    wanted = (condition.value,) if isinstance(condition, Compared) else wanted
    wrong = [value for value in wanted if value not in FINAL_ELEMENT_STATUSES]
    known = ", ".join(FINAL_ELEMENT_STATUSES)
    return f"compares {condition.path} with {wrong[0]!r}; an element ends as one of {known}" if wrong else ""
