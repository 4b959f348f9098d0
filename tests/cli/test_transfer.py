"""`orchestra database export` and `import`, as they are typed, and what is left when they end too early."""

from __future__ import annotations

import json
import os
import pty
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.domain.errors import Unavailable
from job_orchestra.storage.port import Row, SchemaState
from job_orchestra.storage.transfer.transfer import Progress, Step
from tests import full_disk, prepared
from tests.postgresql_server import PostgresqlServer
from tests.small_disk import small_disk
from tests.storage.content import records_at
from tests.storage.test_transfer import export_of, fill_at, unheard

_KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from job_orchestra.storage.transfer.transfer import Step
from tests.storage.content import records_at

def on_progress(progress):
    if progress.step is Step.IMPORTED and progress.rows:
        os.kill(os.getpid(), signal.SIGKILL)

url, directory = sys.argv[1:]
records_at(url, Path(directory)).transfer.import_file(Path(directory) / "all.jsonl", on_progress)
"""


class Host:
    """Of an installation of which there are settings only."""

    def __init__(self, directory: Path, database_url: str) -> None:
        directory.mkdir(exist_ok=True)
        self.settings = directory / "orchestra.toml"
        self.settings.write_text(f'[database]\nurl = "{database_url}"\n')

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-m", "job_orchestra", *self._arguments(*arguments)]

    def orchestra(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return prepared.run(self._arguments(*arguments))

    def _arguments(self, *arguments: str | Path) -> list[str]:
        return [*map(str, arguments), "--settings", str(self.settings)]


def users(count: int) -> list[Row]:
    return [{"identifier": f"u{number:06}", "roles": ["viewer"], "created_at": number} for number in range(count)]


def export_with_users(directory: Path, count: int) -> Path:
    records = records_at(f"sqlite:///{directory}/many.db", directory)
    with records.administration.load() as load:
        load.insert("users", users(count))
    records.transfer.export_file(directory / "all.jsonl", unheard)
    return directory / "all.jsonl"


def test_from_one_installation_to_another(sqlite_url: str, new_url: Callable[[], str], tmp_path: Path) -> None:
    fill_at(sqlite_url, tmp_path)
    old, new = Host(tmp_path / "old", sqlite_url), Host(tmp_path / "new", new_url())
    file = tmp_path / "all.jsonl"
    done = old.orchestra("database", "export", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert str(tmp_path / "old" / "logs") in done.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "would be imported" in new.orchestra("database", "import", file, "--dry-run").stdout
    assert json.loads(new.orchestra("database", "status", "--output", "json").stdout)["state"] == "missing"
    done = new.orchestra("database", "import", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Imported: " in done.stdout
    assert "ada" in new.orchestra("user", "list").stdout
    streamed = subprocess.run(new.command("database", "export", "-"), capture_output=True, check=True, timeout=60)
    assert streamed.stdout == file.read_bytes()
    told = json.loads(new.orchestra("database", "export", file, "--overwrite", "--output", "json").stdout)
    assert told["rows"] == len(streamed.stdout.splitlines()) - 2
    assert told["collections"]["users"]["rows"] == 2


def test_one_clear_line_for_whatever_is_wrong(sqlite_url: str, tmp_path: Path) -> None:
    host, file = Host(tmp_path, sqlite_url), tmp_path / "all.jsonl"
    fill_at(sqlite_url, tmp_path)
    assert host.orchestra("database", "export", file).returncode == 0
    unwritable = tmp_path / "file"
    unwritable.touch()
    elsewhere = Host(tmp_path / "elsewhere", "postgresql://orchestra@127.0.0.1:1/x")
    nowhere = Host(tmp_path / "nowhere", "oracle://x/y")
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(file.read_bytes()[:-1000])
    for done, code, message in (
        (host.orchestra("database", "export", file), ExitCode.CONFLICT, "there already; --overwrite replaces it"),
        (host.orchestra("database", "export", tmp_path), ExitCode.CONFLICT, "no regular file"),
        (host.orchestra("database", "export", unwritable / "x"), ExitCode.INPUT_OUTPUT, "Not a directory"),
        (host.orchestra("database", "import", file), ExitCode.CONFLICT, "there are rows in projects"),
        (
            host.orchestra("database", "import", "-"),
            ExitCode.INVALID,
            "-: is standard input, and an import reads its file twice",
        ),
        (elsewhere.orchestra("database", "import", file), ExitCode.UNAVAILABLE, "cannot be used"),
        (nowhere.orchestra("database", "import", file), ExitCode.INVALID, "database.url"),
    ):
        [line] = done.stderr.splitlines()
        assert message in line
        assert done.returncode == code
    empty = Host(tmp_path / "empty", f"sqlite:///{tmp_path}/empty.db")
    for bad, code in (
        (cut, ExitCode.INVALID),
        (tmp_path, ExitCode.INPUT_OUTPUT),
        (tmp_path / "x", ExitCode.INPUT_OUTPUT),
    ):
        done = empty.orchestra("database", "import", bad)
        [line] = done.stderr.splitlines()
        assert str(bad) in line
        assert done.returncode == code
    assert not (tmp_path / "empty.db").exists()


def test_progress_is_shown_on_a_terminal(tmp_path: Path) -> None:
    file = export_with_users(tmp_path, 5000)
    host = Host(tmp_path, f"sqlite:///{tmp_path}/new.db")
    controller, terminal = pty.openpty()
    with subprocess.Popen(host.command("database", "import", file), stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        try:
            while part := os.read(controller, 1000):
                shown += part
        except OSError:
            pass  # how the end of a terminal is told
        assert process.wait(60) == 0
    os.close(controller)
    assert b"rows verified, " in shown
    assert b"rows imported, " in shown
    assert b"%" in shown


def test_an_import_that_is_killed_is_started_over(new_url: Callable[[], str], tmp_path: Path) -> None:
    url, file = new_url(), export_with_users(tmp_path, 3000)
    command = [sys.executable, "-c", _KILLED_IN_THE_MIDDLE, url, str(tmp_path)]
    killed = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, cwd=Path.cwd())
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    host = Host(tmp_path / "installation", url)
    (tmp_path / "installation" / "projects.py").write_text("projects = []\n")
    assert json.loads(host.orchestra("database", "status", "--output", "json").stdout)["state"] == "incomplete"
    for arguments, code in (
        (("user", "list"), ExitCode.UNAVAILABLE),
        (("up",), ExitCode.CONFLICT),
        (("database", "upgrade"), ExitCode.CONFLICT),
        (("database", "export", "-"), ExitCode.CONFLICT),
    ):
        done = host.orchestra(*arguments)
        assert "`orchestra database import` starts" in done.stderr
        assert done.returncode == code
    assert host.orchestra("database", "import", file).returncode == 0
    assert export_of(url, tmp_path) == file.read_bytes()


def test_an_import_onto_a_full_disk_is_started_over(tmp_path: Path) -> None:
    file = export_with_users(tmp_path, 20_000)
    host = Host(tmp_path / "installation", f"sqlite:///{tmp_path}/disk/orchestra.db")
    with full_disk.small_disk(tmp_path / "disk", 32 << 20) as disk:
        with full_disk.filled(disk, leave=1 << 20):
            done = host.orchestra("database", "import", file)
            assert "The database is not complete now" in done.stderr
            assert "disk is full" in done.stderr
            assert done.returncode == ExitCode.UNAVAILABLE
        status = host.orchestra("database", "status", "--output", "json")
        assert json.loads(status.stdout)["state"] == "incomplete"
        assert host.orchestra("database", "import", file).returncode == 0
        assert export_of(f"sqlite:///{disk}/orchestra.db", tmp_path) == file.read_bytes()


def test_an_export_onto_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    export_with_users(tmp_path, 5000)
    host = Host(tmp_path, f"sqlite:///{tmp_path}/many.db")
    with small_disk(tmp_path / "disk") as disk:
        disk.fill()
        disk.make_room(100_000)
        done = host.orchestra("database", "export", disk.path / "all.jsonl")
        [line] = done.stderr.splitlines()
        assert line.endswith(f"{disk.path}/all.jsonl: No space left on device.")
        assert done.returncode == ExitCode.INPUT_OUTPUT
        assert [each.name for each in disk.path.iterdir()] == ["ballast"]


def test_a_server_that_goes_away_in_the_middle(
    postgresql: PostgresqlServer, new_postgresql_url: Callable[[], str], tmp_path: Path
) -> None:
    url, file = new_postgresql_url(), export_with_users(tmp_path, 3000)
    records = records_at(url, tmp_path)

    def end_connections(progress: Progress) -> None:
        if progress.step is Step.IMPORTED and progress.rows:
            with psycopg.connect(postgresql.url(), autocommit=True) as connection:
                name = url.rpartition("/")[2]
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    with pytest.raises(Unavailable, match="cannot be used"):
        records.transfer.import_file(file, end_connections)
    assert records.administration.state() is SchemaState.INCOMPLETE
    records.transfer.import_file(file, unheard)
    assert export_of(url, tmp_path) == file.read_bytes()
