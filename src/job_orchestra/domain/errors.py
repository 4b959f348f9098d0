"""The one error tree. Each edge (HTTP, page, protocol, CLI) translates it once.

OrchestraError
├── Invalid           input is wrong: carries every mistake with its place        (HTTP 422)
├── NotFound          there is no such thing                                      (HTTP 404)
├── Conflict          the thing is in a state that does not allow this            (HTTP 409)
├── Unauthenticated   who are you?                                                (HTTP 401)
├── Forbidden         you may not                                                 (HTTP 403)
└── Unavailable       something this needs is down; trying again later may help   (HTTP 503)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from job_orchestra.domain.places import Origin


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong with an input: where, and what would be right."""

    place: str
    message: str
    origin: Origin | None = field(default=None, compare=False)
    """The line of the user's file, where it is known."""

    def __str__(self) -> str:
        places = [str(place) for place in (self.origin, self.place) if place]
        return ": ".join([*places, self.message])


class OrchestraError(Exception):
    """Anything that a user is told; str() is a full sentence that names the thing and its value."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(OrchestraError):
    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(str(mistake) for mistake in self.mistakes))

    @classmethod
    def at(cls, place: str, message: str) -> Invalid:
        return cls([Mistake(place, message)])


class NotFound(OrchestraError):
    def __init__(self, kind: str, identifier: str, hint: str = "") -> None:
        """`hint` is a sentence on what may have become of it."""
        super().__init__(f"There is no {kind} {identifier!r}." + (hint and f" {hint}"))
        self.kind = kind
        self.identifier = identifier

    @classmethod
    def saying(cls, message: str) -> NotFound:
        """With the sentence of somebody who knew what was missing."""
        error = cls("thing", "")
        error.args = (message,)
        error.message = message
        return error


class Conflict(OrchestraError):
    pass


class Unauthenticated(OrchestraError):
    pass


class Forbidden(OrchestraError):
    pass


class Unavailable(OrchestraError):
    pass
