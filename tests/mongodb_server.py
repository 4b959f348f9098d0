"""MongoDB of the tests' own: a single node, or a replica set; started, killed and started again at will."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from tests.ports import free_port

_DEADLINE = 30.0
_REPLICA_SET = "tests"

_ARGUMENTS = (
    *("--bind_ip", "127.0.0.1", "--nounixsocket", "--quiet", "--wiredTigerCacheSizeGB", "0.25", "--oplogSize", "64"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
    # Its journal would otherwise take 300 MB before the first write.
    *("--wiredTigerEngineConfigString", "log=(file_max=8MB,prealloc=false)"),
)


class MongodbNode:
    """One process; `replica_set` names the set that it is to be a member of."""

    def __init__(self, program: Path, *arguments: str, replica_set: str | None = None) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="orchestra-mongodb-"))
        (self._directory / "data").mkdir()
        self.address = f"127.0.0.1:{free_port()}"
        self._command = [
            program,
            *("--port", self.address.rpartition(":")[2], "--dbpath", self._directory / "data"),
            *_ARGUMENTS,
            *arguments,
            *(("--replSet", replica_set) if replica_set else ()),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self) -> None:
        """Returns when it takes connections."""
        assert self._process is None
        with (self._directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        while not self._takes_connections():
            if self._process.poll() is not None:
                raise RuntimeError(f"MongoDB did not start: {(self._directory / 'log').read_text()[-5000:]}")

    def ask(self, command: str, value: object = 1) -> dict[str, Any]:
        """This node itself, whatever it is in its set."""
        with pymongo.MongoClient[dict[str, Any]](
            f"mongodb://{self.address}", directConnection=True, serverSelectionTimeoutMS=5000
        ) as client:
            return client.admin.command(command, value)

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def pause(self) -> None:
        """Returns when none of its threads goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED)

    def end(self, number: signal.Signals) -> None:
        """Returns when it is gone."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(_DEADLINE)
        self._process = None

    def remove(self) -> None:
        if self._process is not None:
            self.end(signal.SIGKILL)
        shutil.rmtree(self._directory)

    def _takes_connections(self) -> bool:
        host, _, port = self.address.rpartition(":")
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1):
            return True
        time.sleep(0.01)
        return False


class MongodbServer:
    """`members` of 0 is a single node without a replica set; what is done is done to all of them."""

    name = "MongoDB"

    def __init__(self, program: Path, *arguments: str, members: int = 1) -> None:
        name = _REPLICA_SET if members else None
        self.nodes = [MongodbNode(program, *arguments, replica_set=name) for _ in range(members or 1)]
        self._has_replica_set = bool(members)
        self._is_initiated = False
        self._databases = 0

    def url(self, database: str, **options: str | int) -> str:
        hosts = ",".join(node.address for node in self.nodes)
        if self._has_replica_set:
            options = {"replicaSet": _REPLICA_SET, **options}
        query = "&".join(f"{name}={value}" for name, value in options.items())
        return f"mongodb://{hosts}/{database}?{query}".rstrip("?")

    def new_database_url(self) -> str:
        """Of a database that does not exist yet."""
        self._databases += 1
        return self.url(f"test_{self._databases}")

    def start(self) -> None:
        """Returns when it takes writes."""
        for node in self.nodes:
            if not node.is_running:
                node.start()
        if self._has_replica_set and not self._is_initiated:
            members = [{"_id": number, "host": node.address} for number, node in enumerate(self.nodes)]
            # Elections are short, so that tests are.
            settings = {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 200}
            self.nodes[0].ask("replSetInitiate", {"_id": _REPLICA_SET, "members": members, "settings": settings})
            self._is_initiated = True
        self.primary()

    def primary(self) -> MongodbNode:
        """Waits for one."""
        deadline = time.monotonic() + _DEADLINE
        while True:
            for node in self.nodes:
                with suppress(PyMongoError):
                    if node.is_running and node.ask("hello")["isWritablePrimary"]:
                        return node
            assert time.monotonic() < deadline, "no primary was elected"
            time.sleep(0.01)

    def stop(self) -> None:
        """In order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """As a power failure does; returns when none of them is left."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It hangs: connections stand and are taken, and nobody answers."""
        for node in self.nodes:
            node.pause()

    def resume(self) -> None:
        for node in self.nodes:
            node.send(signal.SIGCONT)

    def remove(self) -> None:
        for node in self.nodes:
            node.remove()

    def empty(self, url: str) -> None:
        """All documents go, but for the version of the schema."""
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            database = client.get_default_database()
            for collection in _but_for_the_schema(database.list_collection_names()):
                database[collection].delete_many({})

    def _end(self, number: signal.Signals) -> None:
        for node in self.nodes:
            node.send(number)
        for node in self.nodes:
            node.end(number)


def _but_for_the_schema(collections: Sequence[str]) -> list[str]:
    return [collection for collection in collections if collection != "schema"]
