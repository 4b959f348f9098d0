"""Virtual time and seeded chance: whatever happens is an action at a moment, and the seed decides all of it."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable


class World:
    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.now = 0.0
        self._actions: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    def after(self, delay: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._actions, (self.now + delay, next(self._order), action))

    def soon(self, action: Callable[[], None], longest: float = 0.05) -> None:
        """After a random delay."""
        self.after(self.chance.uniform(0.0, longest), action)

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def step(self) -> bool:
        """Carries out the next action; False if there is none."""
        if not self._actions:
            return False
        self.now, _, action = heapq.heappop(self._actions)
        action()
        return True
