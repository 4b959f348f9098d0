"""Whether a pipeline makes sense, as far as that can be told before it runs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from job_orchestra.domain.checking import Mistakes
from job_orchestra.domain.definitions import ElementDefinition
from job_orchestra.domain.pipelines.text_checks import check_texts
from job_orchestra.domain.places import Place
from job_orchestra.domain.statuses import FINAL_ELEMENT_STATUSES, ElementStatus

MOST_ELEMENTS = 1000

Requirements = dict[str, frozenset[ElementStatus]]
"""How other elements have to end so that this one gets a run."""


def check_order(
    elements: Sequence[ElementDefinition], parameters: Collection[str], place: Place, mistakes: Mistakes
) -> None:
    """Mistakes of how elements refer to each other; their names and jobs are looked at by `references`."""
    if len(elements) > MOST_ELEMENTS:
        mistakes.add(place.field("elements"), f"are {len(elements)}; a pipeline has at most {MOST_ELEMENTS}")
    graph = {element.identifier: {after.element for after in element.after} for element in elements}
    cycles = list(cycles_of(graph))
    for cycle in cycles:
        mistakes.add(place.field("elements"), f"wait for each other and could never start: {' → '.join(cycle)}")
    has_list = {element.identifier: element.for_each is not None for element in elements}
    for element in elements:
        there = place.named("element", element.identifier)
        before = {name: has_list[name] for name in _all_before(element.identifier, graph) if name in has_list}
        check_texts(element, before, parameters, there, mistakes)
    if not cycles:
        _check_possible(elements, place, mistakes)


def cycles_of(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """The nodes of each cycle, the first one again as the last; of those that share a node, one."""
    left = {node: set(others) for node, others in graph.items()}
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1]
            yield cycle
            for node in cycle[1:]:
                left.pop(node, None)
        else:
            return


def _all_before(name: str, graph: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    open_ones = list(graph.get(name, ()))
    while open_ones:
        one = open_ones.pop()
        if one not in found:
            found.add(one)
            open_ones += graph.get(one, ())
    return found


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
        if flaw := _impossible(required[name], by_name):
            mistakes.add(place.named("element", name).field("after"), f"never comes true: {flaw}")
            required[name] = {}


def _impossible(required: Requirements, by_name: Mapping[str, ElementDefinition]) -> str:
    """What of it cannot be; empty if all can."""
    for name, statuses in required.items():
        element = by_name.get(name)
        if not statuses:
            return f"{name} would have to end in two ways at once"
        if not statuses - {ElementStatus.SKIPPED} and element is not None and not _may_be_skipped(element):
            return f"{name} has no condition, so it is never skipped"
    return ""


def _may_be_skipped(element: ElementDefinition) -> bool:
    """Whether it has a condition that may not come true."""
    return bool(element.when) or any(len(set(after.statuses)) < len(FINAL_ELEMENT_STATUSES) for after in element.after)


def _required(
    element: ElementDefinition, by_name: Mapping[str, ElementDefinition], known: Mapping[str, Requirements]
) -> Requirements:
    found: Requirements = {}
    for after in element.after:
        other = by_name.get(after.element)
        statuses = frozenset(after.statuses or FINAL_ELEMENT_STATUSES)  # Without any, it is wrong already.
        if other is not None and other.allow_failure and ElementStatus.SUCCEEDED in statuses:
            statuses |= frozenset(status for status in ElementStatus if status.is_final) - {ElementStatus.SKIPPED}
        _add(found, after.element, statuses)
        if ElementStatus.SKIPPED not in statuses:
            for name, more in known.get(after.element, {}).items():
                _add(found, name, more)
    return found


def _add(found: Requirements, name: str, statuses: frozenset[ElementStatus]) -> None:
    found[name] = found.get(name, statuses) & statuses
