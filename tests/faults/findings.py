from __future__ import annotations

from collections.abc import Callable


class Findings:
    """What should not have been."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.sentences: list[str] = []

    def add(self, sentence: str) -> None:
        self._say(f"FINDING: {sentence}")
        self.sentences.append(sentence)
