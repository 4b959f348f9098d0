"""Where in an input something is, in words that its author knows: `project example, job hello, commands[1][0]`."""

from __future__ import annotations


class Place:
    """A step from its parent; becomes text only where there is a mistake to tell."""

    __slots__ = ("_parent", "_step")

    def __init__(self, parent: Place | None = None, step: str = "") -> None:
        self._parent = parent
        self._step = step

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
        before = self._parent._prefix() if self._parent else ""
        if self._step.startswith("["):
            before = before.removesuffix(".")
        after = "" if not self._step or self._step.endswith(", ") else "."
        return f"{before}{self._step}{after}"
