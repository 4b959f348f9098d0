"""A connection between worker and master: ordered as TCP is, until it breaks; a broken proxy may do worse."""

from __future__ import annotations

from collections.abc import Callable

from job_orchestra.protocol.codec import decode_to_master, decode_to_worker, encode
from job_orchestra.protocol.messages import ToMaster, ToWorker
from tests.simulation.world import World


class Connection:
    """Frames on their way are lost when it breaks; both ends learn of it, each in its own time."""

    def __init__(self, world: World, is_proxy_broken: bool) -> None:
        self._world = world
        self._is_proxy_broken = is_proxy_broken
        self.is_broken = False
        self.to_master: Callable[[ToMaster], None] = lambda _: None
        self.to_worker: Callable[[ToWorker], None] = lambda _: None
        self.on_lost_by_master: Callable[[], None] = lambda: None
        self.on_lost_by_worker: Callable[[], None] = lambda: None
        self._last = {"to_master": 0.0, "to_worker": 0.0}

    def send_to_master(self, message: ToMaster) -> None:
        frame = encode((message,))
        self._send("to_master", lambda: [self.to_master(one) for one in decode_to_master(frame)])

    def send_to_worker(self, message: ToWorker) -> None:
        frame = encode((message,))
        self._send("to_worker", lambda: [self.to_worker(one) for one in decode_to_worker(frame)])

    def _send(self, direction: str, deliver: Callable[[], object]) -> None:
        def arrive() -> None:
            if not self.is_broken:
                deliver()

        for _ in range(self._copies()):
            moment = max(self._last[direction], self._world.now) + self._world.chance.uniform(0.0, 0.02)
            if self._is_proxy_broken and self._world.happens(0.1):
                moment += 0.1  # overtaken by what follows
            else:
                self._last[direction] = moment
            self._world.after(moment - self._world.now, arrive)

    def _copies(self) -> int:
        if not self._is_proxy_broken:
            return 1
        return self._world.chance.choices([0, 1, 2], [1, 20, 2])[0]

    def cut(self) -> None:
        """May be called twice."""
        if self.is_broken:
            return
        self.is_broken = True
        self._world.soon(self.on_lost_by_master, 0.5)
        self._world.soon(self.on_lost_by_worker, 0.5)
