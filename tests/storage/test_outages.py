"""A database that goes away, and what callers are told until it is back."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path

import psycopg
import pytest

from job_orchestra.storage.port import Find, Storage, StorageUnavailable
from job_orchestra.storage.sql import open_administration, open_storage
from job_orchestra.storage.sql.sqlite import SqliteDatabase
from job_orchestra.storage.sql.storage import SqlStorage
from job_orchestra.storage.sql.urls import parse_database_url
from tests.full_disk import filled, small_disk
from tests.mariadb_server import MariadbServer
from tests.postgresql_server import PostgresqlServer
from tests.servers import SQL_SERVERS, SqlServer, impatient_database, new_server
from tests.storage.scenario import batch, identifiers, insert, play


@pytest.fixture(scope="module", params=SQL_SERVERS)
def mortal_server(request: pytest.FixtureRequest) -> Iterator[SqlServer]:
    """A server that tests may kill, if they start it again; one kind after the other."""
    with new_server(request.param) as server:
        assert isinstance(server, SqlServer)
        server.start()
        yield server


@pytest.mark.parametrize("way", ["kill", "stop"])
def test_a_server_goes_and_comes_back(mortal_server: SqlServer, way: str) -> None:
    url = mortal_server.new_database_url()
    open_administration(url).create()

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("before")))
        await asyncio.gather(*(identifiers(storage) for _ in range(20)))
        getattr(mortal_server, way)()
        with pytest.raises(StorageUnavailable, match="refused"):
            await storage.write(batch(insert("lost")))
        with pytest.raises(StorageUnavailable):
            await storage.find(Find("users"))
        mortal_server.start()
        assert await identifiers(storage) == ["before"]
        assert (await storage.write(batch(insert("after")))).is_applied

    play(url, scenario)


def test_a_restart_between_two_calls_is_not_noticed(mortal_server: SqlServer) -> None:
    url = mortal_server.new_database_url()
    open_administration(url).create()

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("before")))
        assert await identifiers(storage) == ["before"]
        mortal_server.kill()
        mortal_server.start()
        assert (await storage.write(batch(insert("after")))).is_applied
        assert await identifiers(storage) == ["after", "before"]

    play(url, scenario)


def test_what_was_answered_survives_a_kill_in_the_middle(mortal_server: SqlServer) -> None:
    url = mortal_server.new_database_url()
    open_administration(url).create()
    answered: set[str] = set()

    async def scenario(storage: Storage) -> None:
        async def write(name: str) -> None:
            for number in range(10_000):
                await storage.write(batch(insert(f"{name}{number}")))
                answered.add(f"{name}{number}")

        writers = [asyncio.create_task(write(name)) for name in ("a", "b", "c", "d")]
        while len(answered) < 200:
            await asyncio.sleep(0)
        await asyncio.to_thread(mortal_server.kill)
        outcomes = await asyncio.gather(*writers, return_exceptions=True)
        assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes)
        mortal_server.start()
        assert answered <= set(await identifiers(storage))

    play(url, scenario)


def test_a_connection_that_is_cut_in_a_query(mortal_server: SqlServer) -> None:
    url = mortal_server.new_database_url()
    open_administration(url).create()

    async def scenario(storage: Storage) -> None:
        await storage.write(batch(insert("a")))
        with mortal_server.locked_table(url, "users"):
            writing = asyncio.create_task(storage.write(batch(insert("b"))))
            deadline = time.monotonic() + 20
            while not writing.done() and time.monotonic() < deadline:
                await asyncio.to_thread(mortal_server.cut_those_who_wait, url)
            with pytest.raises(StorageUnavailable):
                await writing
        assert (await storage.write(batch(insert("b")))).is_applied

    play(url, scenario)


@pytest.mark.parametrize("way", ["answer", "queue"])
def test_a_server_that_hangs_is_not_waited_for_for_ever(mortal_server: SqlServer, way: str) -> None:
    url = mortal_server.new_database_url()
    open_administration(url).create()
    # Whichever of both limits comes first: that of one exchange with the server, or that of the whole call.
    answer_timeout, patience = (0.3, 60.0) if way == "answer" else (60.0, 0.3)

    async def scenario() -> None:
        storage = SqlStorage(impatient_database(url, answer_timeout), patience)
        await storage.write(batch(insert("before")))
        assert await identifiers(storage) == ["before"]
        mortal_server.pause()
        try:
            calls: list[Awaitable[object]] = [storage.find(Find("users")) for _ in range(3)]
            calls += [storage.write(batch(insert(f"lost{number}"))) for number in range(3)]
            async with asyncio.timeout(20):
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes), outcomes
            assert any("has not answered for 0.3 seconds" in str(outcome) for outcome in outcomes), outcomes
            with pytest.raises(StorageUnavailable):
                await storage.write(batch(insert("late")))
        finally:
            mortal_server.resume()
        async with asyncio.timeout(20):
            while True:
                try:
                    outcome = await storage.write(batch(insert("after")))
                except StorageUnavailable:
                    continue
                break
        assert outcome.is_applied
        # What was sent to the server may have been carried out when it went on; what had waited here was not.
        found = set(await identifiers(storage))
        assert {"before", "after"} <= found
        assert "late" not in found
        await storage.close()

    asyncio.run(scenario())


def test_mariadb_that_takes_connections_and_never_greets() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"mysql://u@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=1"
        with pytest.raises(StorageUnavailable, match="cannot be used: it has not answered for 1 seconds"):
            open_administration(url).state()


def test_postgresql_without_a_connection_to_spare(postgresql: PostgresqlServer, postgresql_url: str) -> None:
    name = postgresql_url.rpartition("/")[2]
    role = f"poor_{name}"
    with psycopg.connect(postgresql_url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN".encode())
        owner.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}".encode())
        owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT 0".encode())

        async def scenario(storage: Storage) -> None:
            for _ in range(2):
                with pytest.raises(StorageUnavailable, match="too many connections"):
                    await storage.write(batch(insert("a")))
            owner.execute(f"ALTER ROLE {role} CONNECTION LIMIT 10".encode())
            assert (await storage.write(batch(insert("a")))).is_applied

        play(postgresql_url.replace("orchestra@", f"{role}@"), scenario)


def test_mariadb_without_a_connection_to_spare_or_the_rights(mariadb: MariadbServer, mariadb_url: str) -> None:
    database = mariadb_url.rpartition("/")[2]
    url = mariadb_url.replace("orchestra@", "poor:geheim@")
    with mariadb.connect() as owner, owner.cursor() as cursor:

        async def scenario(storage: Storage) -> None:
            with pytest.raises(StorageUnavailable, match="refuses the user or the password"):
                await storage.write(batch(insert("a")))
            cursor.execute("CREATE USER poor@'127.0.0.1' IDENTIFIED BY 'geheim'")
            with pytest.raises(StorageUnavailable, match="does not allow this user"):
                await storage.write(batch(insert("a")))
            cursor.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {database}.* TO poor@'127.0.0.1'")
            cursor.execute("ALTER USER poor@'127.0.0.1' WITH MAX_USER_CONNECTIONS 1")
            assert (await storage.write(batch(insert("a")))).is_applied
            with pytest.raises(StorageUnavailable, match="no connection to spare"):
                await storage.find(Find("users"))
            cursor.execute("ALTER USER poor@'127.0.0.1' WITH MAX_USER_CONNECTIONS 0")
            assert await identifiers(storage) == ["a"]
            with pytest.raises(StorageUnavailable, match="does not allow this user"):
                open_administration(url.replace(database, "elsewhere")).create()

        try:
            play(url, scenario)
        finally:
            cursor.execute("DROP USER IF EXISTS poor@'127.0.0.1'")


def test_mariadb_that_may_lose_what_it_answered_is_told(mariadb: MariadbServer, mariadb_url: str) -> None:
    with mariadb.connect() as owner, owner.cursor() as cursor:
        assert list(open_administration(mariadb_url).warnings()) == []
        cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        try:
            (warning,) = open_administration(mariadb_url).warnings()
        finally:
            cursor.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
    assert warning.startswith("innodb_flush_log_at_trx_commit is 2: what was answered may be lost")


def test_mariadb_without_a_database_or_a_schema(mariadb: MariadbServer) -> None:
    url = mariadb.new_database_url()

    async def scenario(storage: Storage) -> None:
        with pytest.raises(StorageUnavailable, match="does not exist"):
            await storage.write(batch(insert("a")))
        with mariadb.connect() as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {url.rpartition('/')[2]}")
        with pytest.raises(StorageUnavailable, match="no schema"):
            await storage.write(batch(insert("a")))

    play(url, scenario)


def test_postgresql_whose_disk_is_full(postgresql: PostgresqlServer) -> None:
    name = f"on_small_disk_{os.getpid()}"
    with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder) / "disk", 24 << 20) as disk:
        Path(folder).chmod(0o755)
        postgresql.give(disk)
        with psycopg.connect(postgresql.url(), autocommit=True) as administrator:
            administrator.execute(f"CREATE TABLESPACE {name} LOCATION '{disk}'".encode())
            administrator.execute(f"CREATE DATABASE {name} TEMPLATE template0 TABLESPACE {name}".encode())
            try:
                url = postgresql.url(name)
                open_administration(url).create()

                async def scenario(storage: Storage) -> None:
                    await storage.write(batch(insert("before")))
                    with filled(disk):
                        answered: set[str] = set()
                        with pytest.raises(StorageUnavailable, match="disk is full"):
                            for number in range(1000):
                                await storage.write(batch(insert(f"u{number:04}", password=os.urandom(4000).hex())))
                                answered.add(f"u{number:04}")
                        assert set(await identifiers(storage)) == {"before", *answered}
                    assert (await storage.write(batch(insert("after", password="x" * 5000)))).is_applied

                play(url, scenario)
            finally:
                administrator.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
                administrator.execute(f"DROP TABLESPACE {name}".encode())


def test_sqlite_that_another_process_has_for_itself(sqlite_url: str) -> None:
    """Not even readers get in, for longer than the lock is waited for, and than the callers wait."""
    path = sqlite_url.removeprefix("sqlite:///")
    hold = f"import sqlite3, sys; c = sqlite3.connect({path!r}, isolation_level=None); "
    hold += "c.execute('PRAGMA locking_mode = EXCLUSIVE'); c.execute('BEGIN EXCLUSIVE'); "
    hold += "print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    holder.stdout.readline()

    async def scenario() -> None:
        storage = SqlStorage(SqliteDatabase(parse_database_url(sqlite_url), lock_timeout=0.3), patience=1.0)
        try:
            calls: list[Awaitable[object]] = [storage.find(Find("users")) for _ in range(20)]
            calls += [storage.write(batch(insert(f"u{number}"))) for number in range(20)]
            async with asyncio.timeout(20):
                outcomes = await asyncio.gather(*calls, return_exceptions=True)
            assert all(isinstance(outcome, StorageUnavailable) for outcome in outcomes), outcomes
            assert any("is locked by another process" in str(outcome) for outcome in outcomes)
        finally:
            holder.communicate()
        assert (await storage.write(batch(insert("after")))).is_applied
        assert await identifiers(storage) == ["after"]
        await storage.close()

    asyncio.run(scenario())


def test_sqlite_locked_by_another_process(sqlite_url: str) -> None:
    path = sqlite_url.removeprefix("sqlite:///")
    database = SqliteDatabase(parse_database_url(sqlite_url), lock_timeout=0.2)

    async def scenario() -> None:
        storage = SqlStorage(database)
        blocker = sqlite3.connect(path, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked by another process"):
            await storage.write(batch(insert("a")))
        assert await identifiers(storage) == []  # readers never wait
        blocker.execute("ROLLBACK")
        blocker.close()
        assert (await storage.write(batch(insert("a")))).is_applied
        await storage.close()

    asyncio.run(scenario())


@pytest.mark.parametrize("content", [b"", b"something else " * 100], ids=["empty", "no database"])
def test_sqlite_file_without_a_schema(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.db").write_bytes(content)

    async def scenario(storage: Storage) -> None:
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="no schema" if not content else "no SQLite database"):
                await storage.write(batch(insert("a")))
            with pytest.raises(StorageUnavailable):
                await storage.find(Find("users"))

    play(f"sqlite:///{tmp_path}/x.db", scenario)


def test_sqlite_without_a_file_comes_to_life_when_there_is_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/folder/x.db"

    async def scenario(storage: Storage) -> None:
        with pytest.raises(StorageUnavailable, match="orchestra database create"):
            await storage.write(batch(insert("a")))
        assert not (tmp_path / "folder").exists()
        open_administration(url).create()
        assert (await storage.write(batch(insert("a")))).is_applied

    play(url, scenario)


def test_postgresql_without_a_database_or_a_schema(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_database_url()

    async def scenario(storage: Storage) -> None:
        with pytest.raises(StorageUnavailable, match="does not exist"):
            await storage.write(batch(insert("a")))
        with psycopg.connect(postgresql.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {url.rpartition('/')[2]} ENCODING 'UTF8' TEMPLATE template0".encode())
        with pytest.raises(StorageUnavailable, match="no schema"):
            await storage.write(batch(insert("a")))

    play(url, scenario)


def test_sqlite_that_cannot_grow_takes_no_more_and_loses_nothing(sqlite_url: str) -> None:
    """The limit of a file's size stands for a full disk, in a process of its own."""
    script = "from tests.storage.test_outages import fill; fill()"
    root = Path(__file__).parent.parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root), "URL": sqlite_url}
    done = subprocess.run([sys.executable, "-c", script], env=environment, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

    async def scenario(storage: Storage) -> None:
        assert [name for name in await identifiers(storage) if name != "after"] == done.stdout.split()
        assert (await storage.write(batch(insert("room again")))).is_applied

    play(sqlite_url, scenario)


def fill() -> None:
    """Prints what was answered with success."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))

    async def main() -> None:
        storage = open_storage(os.environ["URL"])
        with pytest.raises(StorageUnavailable):
            for number in range(1000):
                await storage.write(batch(insert(f"u{number:04}", roles="x" * 5000)))
                print(f"u{number:04}")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert (await storage.write(batch(insert("after")))).is_applied
        await storage.close()

    asyncio.run(main())


def test_a_closed_storage_is_unavailable(database_url: str) -> None:
    async def scenario(storage: Storage) -> None:
        await storage.close()
        with pytest.raises(StorageUnavailable, match="closed"):
            await storage.find(Find("users"))
        with pytest.raises(StorageUnavailable, match="closed"):
            await storage.write(batch(insert("a")))

    play(database_url, scenario)
