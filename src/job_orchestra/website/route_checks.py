"""Whether every route of a table can be reached: pages that users add must not hide ours, nor ours theirs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from job_orchestra.domain.errors import Invalid, Mistake
from job_orchestra.website.dispatch import STATIC, PageRoute

PLACE = "routes"

_METHODS = frozenset({"GET", "POST"})
_PATH = re.compile(r"/|(/([^/{}]+|\{\w+(:\w+)?\}))+")
_ANYTHING = re.compile(r"\{\w+(:str)?\}")
_REST = ":path}"


def route_mistakes(routes: Sequence[PageRoute]) -> Iterator[Mistake]:
    for number, route in enumerate(routes):
        if route.method not in _METHODS:
            yield Mistake(_place(route), "a page has the method GET or POST")
        if not _PATH.fullmatch(route.path):
            yield Mistake(_place(route), "a path is like /releases or /releases/{release}")
        elif _covers(STATIC, route.path):
            yield Mistake(_place(route), "is never reached: files are served there")
        earlier = next((one for one in routes[:number] if _hides(one, route)), None)
        if earlier is not None:
            hint = "`replacing` puts one route in the place of another" if _is_same(earlier, route) else "put it first"
            yield Mistake(_place(route), f"is never reached: {_named(earlier)} comes before it; {hint}")


def replacing(routes: Sequence[PageRoute], *own: PageRoute) -> tuple[PageRoute, ...]:
    """The routes, with each of `own` in the place of the one with its method and path; Invalid if there is none."""
    changed = list(routes)
    for route in own:
        place = next((number for number, one in enumerate(changed) if _is_same(one, route)), None)
        if place is None:
            raise Invalid.at(_place(route), "replaces nothing: no route has this method and path")
        changed[place] = route
    return tuple(changed)


def _named(route: PageRoute) -> str:
    return f"{route.method} {route.path}"


def _place(route: PageRoute) -> str:
    return f"{PLACE}: {_named(route)}"


def _hides(earlier: PageRoute, later: PageRoute) -> bool:
    return earlier.method == later.method and _covers(earlier.path, later.path)


def _is_same(one: PageRoute, other: PageRoute) -> bool:
    return one.method == other.method and _covers(one.path, other.path) and _covers(other.path, one.path)


def _covers(general: str, special: str) -> bool:
    """Whether each address that the second path stands for is one that the first stands for as well."""
    wanted, given = general.split("/"), special.split("/")
    for number, segment in enumerate(wanted):
        if segment.endswith(_REST):
            return len(given) > number
        if number >= len(given):
            return False
        is_one = given[number] != "" and not given[number].endswith(_REST)
        if segment != given[number] and not (is_one and _ANYTHING.fullmatch(segment)):
            return False
    return len(wanted) == len(given)
