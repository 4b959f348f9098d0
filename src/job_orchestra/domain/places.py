"""Where in an input something is, in words that its author knows: `project example, job hello, commands[1][0]`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """The line of a file at which something was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class WrittenTable(dict[str, object]):
    """A table that knows where it was written."""

    __slots__ = ("origin",)

    def __init__(self, fields: dict[str, object], origin: Origin | None) -> None:
        super().__init__(fields)
        self.origin = origin


class Place:
    """A step from its parent; becomes text only where there is a mistake to tell."""

    __slots__ = ("_origin", "_step", "parent")

    def __init__(self, parent: Place | None = None, step: str = "", origin: Origin | None = None) -> None:
        self.parent = parent
        self._step = step
        self._origin = origin

    @property
    def origin(self) -> Origin | None:
        """Of the innermost thing around it that knows one."""
        return self._origin or (self.parent.origin if self.parent else None)

    def written_at(self, origin: Origin | None) -> Place:
        return self if origin is None else Place(self.parent, self._step, origin)

    def field(self, name: str) -> Place:
        return Place(self, name)

    def item(self, index: int) -> Place:
        return Place(self, f"[{index}]")

    def named(self, kind: str, identifier: str) -> Place:
        """A thing that is known by its identifier; what is inside it follows a comma."""
        return Place(self, f"{kind} {identifier}, ")

    def __str__(self) -> str:
        return self._prefix().removesuffix(", ").removesuffix(".")

    def _prefix(self) -> str:
        """The text, ending so that the next step can be appended."""
        before = self.parent._prefix() if self.parent else ""
        if self._step.startswith("["):
            before = before.removesuffix(".")
        after = "" if not self._step or self._step.endswith(", ") else "."
        return f"{before}{self._step}{after}"
