"""Which run directories have changed: by notices of the kernel, or by looking now and then where it gives none."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Collection

from job_orchestra.execution.inotify import Change, Inotify
from job_orchestra.execution.run_directory import RunDirectory
from job_orchestra.protocol.run_key import RunKey

_logger = logging.getLogger(__name__)

_CHANGES = Change.MODIFIED | Change.CREATED | Change.MOVED_IN
_LOOK_AGAIN = 1.0
"""Seconds between two looks at what is not watched; nothing tells when it may be, either."""
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})
_LIMITS = {
    errno.ENOSPC: "has reached the limit of inotify watches of its host (fs.inotify.max_user_watches)",
    errno.EMFILE: "has reached the limit of inotify instances of its host (fs.inotify.max_user_instances)",
}


class RunWatches:
    """`on_changed` hears which runs may have changed, `on_hindered` what keeps the kernel from telling, if anything."""

    def __init__(self, on_changed: Callable[[Collection[RunKey]], None], on_hindered: Callable[[str], None]) -> None:
        self._on_changed = on_changed
        self._on_hindered = on_hindered
        self._loop = asyncio.get_running_loop()
        self._inotify: Inotify | None = None
        self._watched: dict[int, RunKey] = {}
        self._unwatched: dict[RunKey, RunDirectory] = {}
        self._hindrance = ""
        self._timer: asyncio.TimerHandle | None = None
        self._note(self._watch(()))

    def add(self, directory: RunDirectory) -> None:
        self._note(self._watch((directory,)) or self._hindrance)

    def remove(self, key: RunKey) -> None:
        """Its directory may be deleted now."""
        self._unwatched.pop(key, None)
        for watch in [watch for watch, one in self._watched.items() if one == key]:
            del self._watched[watch]
            if self._inotify is not None:
                self._inotify.unwatch(watch)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._inotify is not None:
            self._loop.remove_reader(self._inotify.fileno())
            self._inotify.close()

    # ---------- with notices

    def _watch(self, directories: Collection[RunDirectory]) -> str:
        """What keeps any of them from being watched, if anything does."""
        hindrance = ""
        try:
            inotify = self._open()
        except OSError as error:
            hindrance = _describe(error)
            self._unwatched.update((one.key, one) for one in directories)
        else:
            for directory in directories:
                try:
                    self._watched[inotify.watch(directory.path, _CHANGES)] = directory.key
                except OSError as error:
                    self._unwatched[directory.key] = directory
                    hindrance = hindrance or _describe(error)
        return hindrance

    def _open(self) -> Inotify:
        if self._inotify is None:
            self._inotify = Inotify()
            self._loop.add_reader(self._inotify.fileno(), self._on_notices, self._inotify)
        return self._inotify

    def _on_notices(self, inotify: Inotify) -> None:
        changed: set[RunKey] = set()
        for notice in inotify.read():
            if notice.change & Change.OVERFLOWN:
                changed.update(self._watched.values())
            elif notice.watch in self._watched:
                changed.add(self._watched[notice.watch])
        self._on_changed(changed)

    # ---------- without

    def _look(self) -> None:
        self._timer = None
        unwatched, self._unwatched = self._unwatched, {}
        self._note(self._watch(unwatched.values()))
        # After the watch: nothing that happened before it is missed.
        self._on_changed(unwatched)

    def _note(self, hindrance: str) -> None:
        if hindrance and not self._hindrance:
            _logger.error("The worker %s: it looks at its runs from time to time instead.", hindrance)
        elif self._hindrance and not hindrance:
            _logger.info("The worker is told of all changes of its runs again.")
        if hindrance != self._hindrance:
            self._hindrance = hindrance
            self._on_hindered(hindrance)
        if self._timer is None and (self._unwatched or hindrance):
            self._timer = self._loop.call_later(_LOOK_AGAIN, self._look)


def _describe(error: OSError) -> str:
    """As predicate of a sentence; empty where it is the run's directory that is not there."""
    if error.errno in _GONE:
        return ""
    return _LIMITS.get(error.errno or 0, f"cannot watch its runs ({error.strerror})")
