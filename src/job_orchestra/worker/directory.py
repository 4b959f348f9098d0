from __future__ import annotations

import fcntl
import logging
import os
import secrets
import shutil
from pathlib import Path

from job_orchestra.domain.errors import Conflict, Unavailable
from job_orchestra.execution.durability import make_durable
from job_orchestra.execution.host_directory import HOSTS
from job_orchestra.execution.room import is_want_of_room
from job_orchestra.execution.run_directory import RUNS, list_run_directories, remove_remains
from job_orchestra.execution.worker_lock import lock_of_worker, write_worker_identity
from job_orchestra.execution.workspace_layout import WORKSPACES
from job_orchestra.worker.place import Place, read_place, write_place

_logger = logging.getLogger(__name__)


class WorkerDirectory:
    """All that a worker keeps, for one worker at a time."""

    def __init__(self, path: Path) -> None:
        """Conflict if another worker is using the directory, Unavailable if it cannot be used at all."""
        self.path = path.absolute()
        self.runs = self.path / RUNS
        self.hosts = self.path / HOSTS
        self.workspaces = self.path / WORKSPACES
        self._instance = self.path / "instance"
        self._place = self.path / "place"
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = self._take_lock()
            place = Place.of(self.path)
            earlier = read_place(self._place)
            if earlier is not None and not place.is_that_of(earlier):
                self._begin_anew()
            for directory in (self.runs, self.hosts, self.workspaces):
                directory.mkdir(mode=0o700, exist_ok=True)
            self.instance = self._read_instance()
            if place != earlier:
                self._keep_place(place)
            remove_remains(self.runs)
            # An earlier worker may have died between a run's directory and its durability: the run is told of now.
            make_durable(self.runs)
        except OSError as error:
            raise Unavailable(f"The worker's directory {self.path} cannot be used: {error}.") from None

    def close(self) -> None:
        # Closing alone might leave the lock, for a moment, to an executor host that is just being started.
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        os.close(self._lock)

    def _take_lock(self) -> int:
        # Not inherited by executor hosts, which outlive the worker.
        lock = os.open(lock_of_worker(self.path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Conflict(
                f"The worker's directory {self.path} is in use by another worker; each needs a directory of its own."
            ) from None
        write_worker_identity(lock)
        return lock

    def _begin_anew(self) -> None:
        """As another worker: the runs here are those of the one that the directory was copied from.

        Whoever dies within it begins with it again: its place is written last.
        """
        former = self._instance.read_text().strip() if self._instance.exists() else ""
        _logger.warning("The directory %s is a copy of that of worker instance %s: it begins anew.", self.path, former)
        if self.runs.is_dir() and list_run_directories(self.runs):
            aside = self.path / f"{RUNS}.{former or secrets.token_hex(4)}"
            self.runs.rename(aside)
            _logger.warning("The runs that were copied are set aside in %s; nothing is done for them.", aside)
        shutil.rmtree(self.hosts, ignore_errors=True)
        self._instance.unlink(missing_ok=True)

    def _keep_place(self, place: Place) -> None:
        """On a full disk nothing is written: a worker that was here before can do without."""
        try:
            write_place(self._place, place)
        except OSError as error:
            if not is_want_of_room(error):
                raise

    def _read_instance(self) -> str:
        """Durable before it is told to anybody: with another one the master would give up the runs that are here."""
        path = self._instance
        # Empty after a power failure, if an older version wrote it.
        if not path.exists() or not path.read_text().strip():
            draft = self.path / ".instance"
            with draft.open("w") as file:
                file.write(secrets.token_hex(16))
                file.flush()
                os.fsync(file.fileno())
            draft.rename(path)
        make_durable(self.path)
        return path.read_text().strip()
