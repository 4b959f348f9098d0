"""Copies of repositories on a worker, shared by its runs: each is fetched by one run at a time, and read by many.

A copy can be made anew at any time, so one that git cannot use is thrown away.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from job_orchestra.client.git_command import Git, GitFailed, TookTooLong

_MOST = 20
_KEPT = 30 * 86_400
"""Seconds for which a copy stays that nobody uses."""


class Unreachable(Exception):
    """The repository itself does not answer; str() is a sentence."""


class Mirror:
    """Of the repository at `url`, in a directory for all of them."""

    def __init__(self, directory: Path, url: str, git: Git, say: Callable[[str], None]) -> None:
        name = hashlib.sha256(url.encode(errors="surrogateescape")).hexdigest()[:20]
        self.path = directory / f"{name}.git"
        self._lock = directory / f"{name}.lock"
        self._directory = directory
        self._url = url
        self._git = git
        self._say = say

    @contextmanager
    def reading(self) -> Generator[None]:
        """Nobody changes it meanwhile. TookTooLong if others do so for too long."""
        with self._locked(fcntl.LOCK_SH):
            yield

    def fetch(self) -> None:
        """Brings it up to date. Unreachable if the repository does not answer, TookTooLong if it is too slow."""
        with self._locked(fcntl.LOCK_EX):
            is_new = not (self.path / "HEAD").exists()
            try:
                self._update()
            except GitFailed:
                self._require_answer()
                if is_new:
                    raise
                self._begin_anew()

    def renew(self) -> None:
        """Throws it away and fetches everything again."""
        with self._locked(fcntl.LOCK_EX):
            self._begin_anew()

    def fetch_revision(self, revision: str) -> bool:
        """One that is on no branch and has no tag; whether the repository gives it."""
        with self._locked(fcntl.LOCK_EX):
            words = ("fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "origin", revision)
            return self._git.says(*words, of=self.path) is not None

    def revision_of(self, name: str) -> str | None:
        """The commit that is meant, if it is here."""
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        return self._git.says(*words, of=self.path) or None

    def default_branch(self) -> str | None:
        """As the repository says now."""
        try:
            told = self._git.run("ls-remote", "--symref", "--", self._url, "HEAD")
        except GitFailed:
            raise Unreachable(f"{self._url} does not answer.") from None
        first = told.partition("\n")[0].partition("\t")[0]
        return first.removeprefix("ref: refs/heads/") if first.startswith("ref: refs/heads/") else None

    def remove_others(self) -> None:
        """Those that have not been used for long, or by more recent ones than there is room for."""
        mirrors = [one for one in self._directory.glob("*.git") if one.with_suffix(".lock").exists()]
        locks = [(lock.stat().st_mtime, lock) for lock in (one.with_suffix(".lock") for one in mirrors)]
        newest_first = [lock for _, lock in sorted(locks, reverse=True)]
        oldest = time.time() - _KEPT
        for place, lock in enumerate(newest_first):
            mirror = lock.with_suffix(".git")
            if lock != self._lock and (place >= _MOST or lock.stat().st_mtime < oldest):
                with suppress(BlockingIOError), _flocked(lock, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    self._say(f"Removing the mirror {mirror.name}, which has not been used for long.")
                    shutil.rmtree(mirror, ignore_errors=True)

    # ---------- while nobody else is here

    def _update(self) -> None:
        if not (self.path / "HEAD").exists():
            self._begin()
        for pattern in ("*.lock", "gc.pid", "refs/**/*.lock", "objects/pack/tmp_*"):
            for left in self.path.glob(pattern):  # of a git that was killed
                left.unlink(missing_ok=True)
        words = ("fetch", "--quiet", "--prune", "--no-write-fetch-head", "--force", "--update-shallow", "origin")
        self._git.run(*words, of=self.path)

    def _begin(self) -> None:
        self._git.run("init", "--quiet", "--bare", "--template=", "--", str(self.path))
        self._git.run("config", "remote.origin.url", self._url, of=self.path)
        self._git.run("config", "remote.origin.fetch", "+refs/heads/*:refs/heads/*", of=self.path)
        self._git.run("config", "--add", "remote.origin.fetch", "+refs/tags/*:refs/tags/*", of=self.path)
        # Workspaces fetch one revision of it, whatever names it.
        self._git.run("config", "uploadpack.allowAnySHA1InWant", "true", of=self.path)

    def _begin_anew(self) -> None:
        self._say("The mirror is damaged, and made anew.")
        shutil.rmtree(self.path, ignore_errors=True)
        self._update()

    def _require_answer(self) -> None:
        try:
            self._git.run("ls-remote", "--heads", "--", self._url)
        except GitFailed:
            raise Unreachable(f"{self._url} does not answer.") from None

    @contextmanager
    def _locked(self, kind: int) -> Generator[None]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(_flocked(self._lock, kind | fcntl.LOCK_NB))
            except BlockingIOError:
                self._say("Waiting for another run, which is at the same mirror.")
                stack.enter_context(_flocked(self._lock, kind, self._git.seconds_left))
            yield


@contextmanager
def _flocked(path: Path, kind: int, seconds: float | None = None) -> Generator[None]:
    """BlockingIOError if it is not to wait and somebody else has it, TookTooLong behind so many seconds."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with _alarm(seconds):
            fcntl.flock(descriptor, kind)
        os.utime(descriptor)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def _alarm(seconds: float | None) -> Generator[None]:
    """TookTooLong in the midst of it, when the time is over."""
    if seconds is None:
        yield
        return

    def ring(*_: object) -> None:
        raise TookTooLong

    former = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.001))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)
