"""Declarations take whatever they are given, so that a wrong keyword is told with all other mistakes, at its line."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from typing import Any, TypeVar, cast

from job_orchestra.domain.places import Origin

Declared = TypeVar("Declared")

_GIVEN = "_given"
_BETWEEN = {__name__, "dataclasses", "copy"}
"""Modules that call on behalf of the user's file."""


class Unset(Enum):
    UNSET = "unset"
    """Tells what was not given from what was given as None."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a declaration was made with, beyond its fields."""

    origin: Origin | None = None
    unknown: Mapping[str, object] | None = None
    """What is none of its fields, by the name under which the validator refuses it."""


def tolerant(declaration: type[Declared]) -> type[Declared]:
    """Makes a dataclass accept any arguments; what is missing is `UNSET`, what is unknown is `given_to`'s."""
    initialise = cast("Any", declaration.__init__)
    names = [one.name for one in fields(cast("Any", declaration)) if one.init]
    keywords_only = {one.name for one in fields(cast("Any", declaration)) if one.kw_only}
    positional = [name for name in names if name not in keywords_only]
    required = [
        one.name
        for one in fields(cast("Any", declaration))
        if one.default is MISSING and one.default_factory is MISSING
    ]

    @functools.wraps(initialise)
    def accept(self: object, *arguments: object, **keywords: object) -> None:
        known = dict.fromkeys(required, cast("object", Unset.UNSET))
        known |= dict(zip(positional, arguments, strict=False))
        unknown = {
            f"argument {number} without a name": value
            for number, value in enumerate(arguments[len(positional) :], len(positional) + 1)
        }
        for name, value in keywords.items():
            if name not in names:
                unknown[name] = value
            elif name in positional[: len(arguments)]:
                unknown[f"{name} given twice"] = value
            else:
                known[name] = value
        initialise(self, **known)
        object.__setattr__(self, _GIVEN, Given(_origin(), unknown))

    cast("Any", declaration).__init__ = accept
    return declaration


def given_to(declaration: object) -> Given:
    """Empty for classes of the user's that make their instances in a way of their own."""
    given: Given = getattr(declaration, _GIVEN, Given())
    return given


def _origin() -> Origin | None:
    """The line of the user's file that is being executed."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") in _BETWEEN:
        frame = frame.f_back
    return None if frame is None else Origin(frame.f_code.co_filename, frame.f_lineno)
