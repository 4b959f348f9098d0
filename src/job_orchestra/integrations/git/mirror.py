"""A bare copy of a repository's commits, without their files, in a directory of the service.

It can be made anew at any time: one that git cannot use any more is thrown away.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from job_orchestra.integrations.git.command import GitFailed, git
from job_orchestra.integrations.revision_control import RevisionControlFailure

_DEPTH = 2000
"""Revisions of each branch: however long a history is, what is copied of it is bounded."""
_LOCAL = 30.0
"""Seconds for what needs no network."""


class Mirror:
    def __init__(self, url: str, directory: Path, time_limit: float) -> None:
        """Of `url`; fetching takes at most `time_limit` seconds."""
        self._url = url
        self._path = directory / "mirror.git"
        self._lock = directory / "lock"
        self._time_limit = time_limit

    async def fetch(self, environment: Mapping[str, str]) -> None:
        """Brings it up to date, unless another process is at it, whose work is as good."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._locked() as is_ours:
                if is_ours:
                    await self._fetch(environment)
                elif not self._path.exists():
                    raise RevisionControlFailure("Another service is fetching the repository for the first time.")
        except OSError as error:
            raise RevisionControlFailure(f"The copy in {self._path} cannot be kept: {error.strerror}.") from None

    async def _fetch(self, environment: Mapping[str, str]) -> None:
        is_new = not (self._path / "HEAD").exists()
        try:
            await self._update(environment)
        except GitFailed:
            # Is it the repository, or what we have of it? Who gets no answer from there says so.
            heads = await self.ask("ls-remote", "--heads", "--", self._url, environment=environment)
            if heads and is_new:
                raise
            await asyncio.to_thread(shutil.rmtree, self._path, ignore_errors=True)
            if heads:
                await self._update(environment)
            else:  # an empty one, of which git can fetch nothing
                await self._begin(environment)

    async def _update(self, environment: Mapping[str, str]) -> None:
        if not (self._path / "HEAD").exists():
            await self._begin(environment)
        await asyncio.to_thread(self._remove_left_locks)
        await git(
            "fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", "--force", "--update-shallow",
            f"--depth={_DEPTH}", "origin",
            environment=environment, time_limit=self._time_limit, directory=self._path,
        )  # fmt: skip

    async def _begin(self, environment: Mapping[str, str]) -> None:
        await git("init", "--quiet", "--bare", "--", str(self._path), environment=environment, time_limit=_LOCAL)
        settings = {"remote.origin.url": self._url, "remote.origin.fetch": "+refs/heads/*:refs/heads/*"}
        if "://" in self._url:
            # So that git misses none of the files that it was told to leave where they are.
            settings |= {
                "core.repositoryFormatVersion": "1",
                "extensions.partialClone": "origin",
                "remote.origin.promisor": "true",
                "remote.origin.partialCloneFilter": "tree:0",
            }
        for name, value in settings.items():
            await self.read("config", name, value, environment=environment)

    async def read(self, *arguments: str, environment: Mapping[str, str]) -> bytes:
        """What a command of git's says of the copy."""
        return await git(*arguments, environment=environment, time_limit=_LOCAL, directory=self._path)

    async def ask(self, *arguments: str, environment: Mapping[str, str]) -> bytes:
        """What a command of git's says of the repository itself."""
        return await git(*arguments, environment=environment, time_limit=min(self._time_limit, 60.0))

    def _remove_left_locks(self) -> None:
        """Of a git that was killed: nobody else is at work here. Looks at every directory of names, however many."""
        for pattern in ("*.lock", "gc.pid", "refs/**/*.lock", "objects/pack/tmp_*"):
            for left in self._path.glob(pattern):
                with contextlib.suppress(OSError):
                    left.unlink()

    @contextmanager
    def _locked(self) -> Generator[bool]:
        """Whether this process is the only one that changes it now."""
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)
