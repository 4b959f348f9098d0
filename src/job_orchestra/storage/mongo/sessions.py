"""The one client of a storage, opened when it is used first, and what it found."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import pymongo
from pymongo.database import Database

from job_orchestra.storage.mongo.clients import Client, Clients, Document, has_snapshots
from job_orchestra.storage.mongo.migrations import MIGRATIONS
from job_orchestra.storage.mongo.outages import translated
from job_orchestra.storage.mongo.versions import read_version
from job_orchestra.storage.port import SchemaState, StorageUnavailable
from job_orchestra.storage.schema_check import advice


@dataclass(frozen=True, slots=True)
class Found:
    client: Client
    database: Database[Document]
    has_snapshots: bool


class Session:
    """For all threads of a storage."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = Lock()
        self._client: Client | None = None
        self._found: Found | None = None

    @contextmanager
    def use(self) -> Generator[Found]:
        """For one unit of work, which has to end in time; raises what callers are told."""
        try:
            with pymongo.timeout(self._clients.answer_timeout):
                yield self._found or self._look()
        except Exception as error:  # all become answers
            told = translated(error, self._clients.name, self._clients.answer_timeout)
            if isinstance(told, StorageUnavailable):
                self._found = None  # whatever comes back may be another server, or have been filled anew
            if told is error:
                raise
            raise told from None

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _look(self) -> Found:
        """MongoDB makes collections as they are written to: that has to be a database with a schema."""
        with self._lock:
            if self._client is None:
                self._client = self._clients.connect()
        database = self._clients.database(self._client)
        stored = read_version(database)
        state = MIGRATIONS.state_of(stored)
        if state is not SchemaState.CURRENT:
            there = None if stored is None else stored.version
            raise StorageUnavailable(f"{self._clients.name} {advice(state, there, MIGRATIONS.newest)}.")
        self._found = Found(self._client, database, has_snapshots(self._client))
        return self._found
