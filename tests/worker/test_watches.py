"""A host whose limits keep the kernel from telling of changed files: runs are carried out, and it is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.executor.hosting import commands
from tests.services import missing
from tests.worker.standing_in import StandInMaster, run

_LIMITS = Path("/proc/sys/user")
_BEGIN = 'echo "$2" > "$1" && echo limited && shift 2 && exec "$@"'
_IN_NAMESPACE = ("unshare", "--user", "--map-root-user", "sh", "-c", _BEGIN, "sh")


@contextmanager
def limited_worker(directory: Path, url: str, limit: Path, most: int) -> Generator[subprocess.Popen[bytes]]:
    """In a user namespace of its own, for which alone the limit holds."""
    program = [sys.executable, "-m", "tests.worker.program", str(directory), url]
    command = [*_IN_NAMESPACE, str(limit), str(most), *program]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        if worker.stdout.readline() != b"limited\n":
            missing("A limit of inotify (unshare, user namespaces)")
        try:
            yield worker
        finally:
            worker.terminate()


def lift(worker: subprocess.Popen[bytes], limit: Path) -> None:
    enter = ["nsenter", f"--target={worker.pid}", "--user", "--preserve-credentials"]
    subprocess.run([*enter, "sh", "-c", f"echo 1000 > {limit}"], check=True)


@pytest.mark.parametrize("what", ["watches", "instances"])
def test_runs_are_followed_where_the_kernel_does_not_tell(directory: Path, what: str) -> None:
    limit = _LIMITS / f"max_inotify_{what}"
    if not limit.exists():
        missing(f"A limit of inotify {what} for each user namespace")

    async def test() -> None:
        master = StandInMaster()
        async with master.serving() as url:
            with limited_worker(directory, url, limit, 0) as worker:
                await master.until(lambda: master.is_connected)
                runs = [await master.execute(commands("echo one; sleep 0.2; echo two"), job=f"j{n}") for n in range(3)]
                for stored in runs:
                    await master.finish(stored)
                    assert stored.outcome == ("succeeded", "completed")
                    assert b"\none\ntwo\n" in stored.log
                assert f"fs.inotify.max_user_{what}" in master.hindrances[0]
                lift(worker, limit)
                await master.until(lambda: master.hindrances[-1] == "")

    run(test)
