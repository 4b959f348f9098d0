"""Whether a pipeline makes sense, as far as that can be told before it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from string import Formatter

from job_orchestra.domain.checking import Mistakes, nearest
from job_orchestra.domain.definitions import ElementDefinition
from job_orchestra.domain.formatting import FormatError, split_field
from job_orchestra.domain.json import JsonValue
from job_orchestra.domain.pipelines.values import MOST_ITEMS, single_field
from job_orchestra.domain.places import Place
from job_orchestra.domain.queries.evaluation import conditions_of
from job_orchestra.domain.queries.parsing import parse_expression
from job_orchestra.domain.queries.paths import OF_PIPELINES, Path, Source
from job_orchestra.domain.queries.scanning import ExpressionMistake
from job_orchestra.domain.statuses import ElementStatus

MOST_ELEMENTS = 1000
_PLAIN_FIELDS = ("project", "job", "run")
_FORMATTER = Formatter()

Requirements = dict[str, frozenset[ElementStatus]]
"""How other elements have to end so that this one gets a run."""


def check_order(
    elements: Sequence[ElementDefinition], parameters: Collection[str], place: Place, mistakes: Mistakes
) -> None:
    """Mistakes of how elements refer to each other; their names and jobs are looked at by `references`."""
    if len(elements) > MOST_ELEMENTS:
        mistakes.add(place.field("elements"), f"are {len(elements)}; a pipeline has at most {MOST_ELEMENTS}")
    graph = {element.identifier: {after.element for after in element.after} for element in elements}
    if cycle := cycle_of(graph):
        mistakes.add(place.field("elements"), f"wait for each other and could never start: {' → '.join(cycle)}")
        return
    for element in elements:
        there = place.named("element", element.identifier)
        _check_texts(element, _all_before(element.identifier, graph), parameters, there, mistakes)
    _check_possible(elements, place, mistakes)


def cycle_of(graph: Mapping[str, set[str]]) -> list[str]:
    """The nodes of a cycle, the first one again as the last; empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle: list[str] = error.args[1]
        return cycle
    return []


def _all_before(name: str, graph: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    open_ones = list(graph.get(name, ()))
    while open_ones:
        one = open_ones.pop()
        if one not in found:
            found.add(one)
            open_ones += graph.get(one, ())
    return found


# ---------- what texts name


def _check_texts(
    element: ElementDefinition, before: Collection[str], parameters: Collection[str], place: Place, mistakes: Mistakes
) -> None:
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

    def __init__(self, before: Collection[str], parameters: Collection[str], has_items: bool) -> None:
        self._before = sorted(before)
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
        first = str(path.steps[0])
        return self._flaw_of_parameter(first) if path.source is Source.PARAMETERS else self._flaw_of_element(first)

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
            flaw = self._flaw_of_element(keys[0])
        if flaw:
            raise FormatError(flaw)

    def _flaw_of_parameter(self, name: str) -> str:
        if name in self._parameters:
            return ""
        known = f"; the pipeline has {', '.join(self._parameters)}" if self._parameters else "; the pipeline has none"
        return f"names the unknown parameter {name!r}{nearest(name, self._parameters) or known}"

    def _flaw_of_element(self, name: str) -> str:
        if name in self._before:
            return ""
        known = f"; before it come {', '.join(self._before)}" if self._before else "; no element comes before it"
        return f"names {name!r}, which is no element before this one{nearest(name, self._before) or known}"


def _check_condition(text: str, names: _Names, place: Place, mistakes: Mistakes) -> None:
    try:
        expression = parse_expression(text, OF_PIPELINES)
    except ExpressionMistake as error:
        mistakes.add(place, str(error))
        return
    for condition in conditions_of(expression):
        if flaw := names.flaw_of_path(condition.path):
            mistakes.add(place, flaw)


# ---------- what can come true


def _check_possible(elements: Sequence[ElementDefinition], place: Place, mistakes: Mistakes) -> None:
    """An element whose conditions exclude each other would be skipped in every run."""
    by_name = {element.identifier: element for element in elements}
    order = TopologicalSorter({one.identifier: [after.element for after in one.after] for one in elements})
    required: dict[str, Requirements] = {}
    for name in order.static_order():
        if name not in by_name:
            continue  # an element that waits for one that there is not, which is told by then
        required[name] = _required(by_name[name], by_name, required)
        for other, statuses in required[name].items():
            if not statuses:
                message = f"never comes true: {other} would have to end in two ways at once"
                mistakes.add(place.named("element", name).field("after"), message)
                required[name] = {}
                break


def _required(
    element: ElementDefinition, by_name: Mapping[str, ElementDefinition], known: Mapping[str, Requirements]
) -> Requirements:
    found: Requirements = {}
    for after in element.after:
        other = by_name.get(after.element)
        statuses = frozenset(after.statuses)
        if other is not None and other.allow_failure and ElementStatus.SUCCEEDED in statuses:
            statuses |= frozenset(status for status in ElementStatus if status.is_final) - {ElementStatus.SKIPPED}
        _add(found, after.element, statuses)
        if ElementStatus.SKIPPED not in statuses:
            for name, more in known.get(after.element, {}).items():
                _add(found, name, more)
    return found


def _add(found: Requirements, name: str, statuses: frozenset[ElementStatus]) -> None:
    found[name] = found.get(name, statuses) & statuses
