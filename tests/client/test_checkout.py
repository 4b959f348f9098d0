"""A revision of a real repository comes into a workspace, by way of a mirror that others share."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from job_orchestra import checkout
from tests.git_source import GitSource
from tests.integrations.repository_host import RepositoryHost, hosting

_DEADLINE = 60.0


@dataclass
class Run:
    """What executes it as a run's command."""

    directory: Path
    mirrors: Path

    @property
    def workspace(self) -> Path:
        return self.directory / "workspace"

    @property
    def control(self) -> Any:
        return json.loads((self.directory / "results.json").read_text())["revision_control"]

    @property
    def files(self) -> dict[str, str]:
        return {file.name: file.read_text() for file in self.workspace.iterdir() if file.is_file()}

    def environment(self) -> dict[str, str]:
        own = {"ORCHESTRA_MIRRORS": str(self.mirrors), "ORCHESTRA_RESULT_FILE": str(self.directory / "results.json")}
        return {**os.environ, **own, "GIT_DIR": "/nowhere"}

    def check_out(self, repository: str, **given: Any) -> subprocess.CompletedProcess[str]:
        self.workspace.mkdir(parents=True, exist_ok=True)
        timeout = given.pop("timeout", None)
        command = checkout(repository, **given)
        assert command[0] == "{environment[ORCHESTRA_PYTHON]}"
        if timeout is not None:
            command.insert(4, f"--timeout={timeout}")
        return subprocess.run(
            [sys.executable, *command[1:]],
            cwd=self.workspace, env=self.environment(), capture_output=True, text=True, timeout=_DEADLINE, check=False,
        )  # fmt: skip


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "source")


@pytest.fixture
def host(source: GitSource) -> Iterator[RepositoryHost]:
    with hosting(source) as host:
        yield host


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", tmp_path / "worker" / "mirrors")


def done(finished: subprocess.CompletedProcess[str], exit_code: int = 0) -> str:
    assert finished.returncode == exit_code, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stdout


@pytest.mark.parametrize("kind", ["path", "file", "http"])
def test_a_branch_is_checked_out_and_recorded(kind: str, host: RepositoryHost, run: Run) -> None:
    source = host.source
    source.commit("First", a="1", b="1")
    url = {"path": str(source.path), "file": f"file://{source.path}", "http": f"{host.page}.git"}[kind]
    revision = source.commit("Sécond", a="2")
    log = done(run.check_out(url))
    assert f"is at {revision}: Sécond" in log
    assert run.files == {"a": "2", "b": "1"}
    assert run.control == {
        "revision": revision,
        "date": "2023-11-14T22:15:20Z",
        "repository": url,
        "branch": "main",
    }
    source.branch("topic")
    newer = source.commit("Topic", a="3")
    done(run.check_out(url, branch="topic", revision=""))
    assert (run.files["a"], run.control["revision"], run.control["branch"]) == ("3", newer, "topic")
    done(run.check_out(url, branch="main"))
    assert run.files["a"] == "2"


@pytest.mark.parametrize(
    ("date", "told"),
    [
        ("253402300800 +0000", "9998-12-31T23:59:59Z"),
        ("99999999999999999 +0000", "9998-12-31T23:59:59Z"),
        ("", "1970-01-01T00:00:00Z"),
    ],
)
def test_a_revision_may_have_any_date(date: str, told: str, source: GitSource, run: Run) -> None:
    source.commit("First", a="1")
    revision = source.commit_dated("Of another time", date)
    assert f"is at {revision}: Of another time" in done(run.check_out(str(source.path)))
    assert (run.control["date"], run.files) == (told, {"a": "1"})


def test_revisions_by_hash_part_and_tag(source: GitSource, run: Run) -> None:
    first = source.commit("First", a="1")
    source.git("tag", "--annotate", "--message=One", "v1.0")
    source.commit("Second", a="2")
    for name in (first, first[:10], "v1.0"):
        done(run.check_out(str(source.path), revision=name))
        assert run.files == {"a": "1"}
        assert run.control["revision"] == first
        assert "branch" not in run.control
        done(run.check_out(str(source.path), branch="main"))
    # History and tags are there as in any clone.
    assert source.git("-C", str(run.workspace), "describe") == f"v1.0-1-g{source.git('rev-parse', 'HEAD')[:7]}"


def test_a_known_revision_needs_no_repository(source: GitSource, run: Run) -> None:
    first = source.commit("First", a="1")
    done(run.check_out(str(source.path)))
    source.path.rename(source.path.with_name("away"))
    assert "has" in done(run.check_out(str(source.path), revision=first, branch="main"))
    assert run.control["branch"] == "main"
    assert "does not answer" in done(run.check_out(str(source.path)), 4)


def test_a_revision_without_a_branch_is_fetched(host: RepositoryHost, run: Run) -> None:
    host.source.commit("First", a="1")
    host.source.git("config", "uploadpack.allowAnySHA1InWant", "true")
    proposed = host.source.commit("Proposed", a="2")
    host.source.git("update-ref", "refs/pull/1/head", proposed)
    host.source.git("reset", "--quiet", "--hard", "HEAD~1")
    done(run.check_out(host.page, revision=proposed))
    assert run.files == {"a": "2"}


def test_depth_and_back(source: GitSource, run: Run) -> None:
    for number in range(5):
        source.commit(f"Number {number}", a=str(number))

    def history() -> int:
        return int(source.git("-C", str(run.workspace), "rev-list", "--count", "HEAD"))

    done(run.check_out(str(source.path), depth=2))
    assert history() == 2
    done(run.check_out(str(source.path)))
    assert history() == 5
    done(run.check_out(str(source.path), depth=1, directory="elsewhere/deep"))
    assert (run.workspace / "elsewhere" / "deep" / "a").read_text() == "4"


def test_what_commands_left_in_the_workspace(source: GitSource, run: Run) -> None:
    source.commit("First", a="1", gitignore="", b="1")
    source.commit("Second", a="2", **{".gitignore": "*.o\n"})
    done(run.check_out(str(source.path)))
    (run.workspace / "a").write_text("changed")
    (run.workspace / "b").unlink()
    (run.workspace / "x.o").write_text("built")
    (run.workspace / "new").write_text("new")
    done(run.check_out(str(source.path)))
    assert {name: run.files[name] for name in ("a", "b", "x.o", "new")} == {
        "a": "2",
        "b": "1",
        "x.o": "built",
        "new": "new",
    }
    done(run.check_out(str(source.path), clean=True))
    assert {"x.o", "new"} & run.files.keys() == set()


def test_what_is_checked_out_is_not_imported(source: GitSource, run: Run) -> None:
    source.commit("First", **{"argparse.py": "raise SystemExit('hijacked')", "shutil.py": "1/0"})
    done(run.check_out(str(source.path)))
    done(run.check_out(str(source.path)))


@pytest.mark.parametrize(
    ("given", "exit_code", "words"),
    [
        ({"revision": "nothing"}, 3, "no revision or tag 'nothing'"),
        ({"revision": "0" * 40}, 3, "no revision or tag"),
        ({"branch": "nothing"}, 3, "no branch 'nothing'"),
        ({"revision": "--output=x", "branch": "a..b", "depth": 0}, 2, "revision begins with a dash"),
        ({"repository": "ext::sh -c id"}, 2, "names a program"),
        ({"repository": "--upload-pack=id"}, 2, "begins with a dash"),
        ({"repository": "/no/such/place"}, 4, "does not answer"),
        ({"token_environment": "NAME"}, 2, "takes no token"),
        ({"directory": "../victim"}, 2, "directory has to be within the working directory"),
        ({"directory": "/tmp", "clean": True}, 2, "directory has to be within the working directory"),
        ({"directory": "outside/deep"}, 2, "directory has to be within the working directory"),
        ({"directory": "engine/.git"}, 2, "directory has to be within the working directory, and not in .git"),
        ({"repository": "https://host.invalid/a/b", "token_environment": "UNSET"}, 2, "no token in the variable UNSET"),
    ],
)
def test_what_cannot_be_checked_out(
    given: dict[str, Any], exit_code: int, words: str, source: GitSource, run: Run
) -> None:
    source.commit("First", a="1")
    run.workspace.mkdir(parents=True)
    (run.workspace / "outside").symlink_to(run.directory)
    repository = given.get("repository", str(source.path))
    more = {name: value for name, value in given.items() if name != "repository"}
    assert words in done(run.check_out(repository, **more), exit_code)
    assert not (run.directory / "results.json").exists()


def test_a_repository_that_never_answers(host: RepositoryHost, run: Run) -> None:
    host.source.commit("First")
    host.manners.is_silent = True
    started_at = time.monotonic()
    assert "took longer than 1 seconds" in done(run.check_out(host.page, timeout=1), 4)
    assert time.monotonic() - started_at < 20


def test_a_token_opens_the_repository_and_is_nowhere(
    host: RepositoryHost, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.source.commit("First", a="1")
    host.manners.token = "s3cret"
    monkeypatch.setenv("GIT_TOKEN", "s3cret")
    log = done(run.check_out(host.page, token_environment="GIT_TOKEN"))
    file = run.directory / "token"
    file.write_text("s3cret\n")
    log += done(run.check_out(host.page, token_file=str(file)))
    file.unlink()
    assert "s3cret" not in log + (run.directory / "results.json").read_text()
    kept = [*run.mirrors.rglob("*"), *run.workspace.rglob("*")]
    assert not any(b"s3cret" in one.read_bytes() for one in kept if one.is_file())
    assert "does not answer" in done(run.check_out(host.page), 4)


@pytest.mark.parametrize(
    "damage", ["mirror objects", "mirror config", "workspace objects", "workspace blob", "workspace HEAD", "locks"]
)
def test_damage_heals(damage: str, source: GitSource, run: Run) -> None:
    revision = source.commit("First", a="1", b="1" * 1000)
    done(run.check_out(str(source.path)))
    [mirror] = run.mirrors.glob("*.git")
    own = run.workspace / ".git"
    match damage:
        case "mirror objects":
            _spoil(mirror / "objects")
            shutil.rmtree(own)
        case "mirror config":
            (mirror / "config").write_bytes(b"\0nonsense")
        case "workspace objects":
            _spoil(own / "objects")
        case "workspace blob":
            blob = source.git("rev-parse", "HEAD:b")
            for pack in (own / "objects" / "pack").glob("*.pack"):
                # As loose objects, of which one is spoiled.
                content = pack.read_bytes()
                for file in pack.parent.iterdir():
                    file.chmod(0o600)
                    file.unlink()
                source.git("--git-dir", str(own), "unpack-objects", "-q", given=content)
            loose = own / "objects" / blob[:2] / blob[2:]
            loose.chmod(0o600)
            loose.write_bytes(b"nonsense")
            (run.workspace / "b").unlink()
        case "workspace HEAD":
            (own / "HEAD").write_bytes(b"\0nonsense")
        case _:
            for lock in (
                own / "index.lock",
                own / "shallow.lock",
                mirror / "shallow.lock",
                mirror / "packed-refs.lock",
            ):
                lock.touch()
    (run.workspace / "a").unlink()
    done(run.check_out(str(source.path), revision=revision))
    assert run.files["a"] == "1"
    newer = source.commit("Second", a="2")
    done(run.check_out(str(source.path)))
    assert (run.files["a"], run.control["revision"]) == ("2", newer)


def _spoil(objects: Path) -> None:
    for file in objects.rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"nonsense")


def test_runs_share_a_mirror(source: GitSource, tmp_path: Path) -> None:
    for number in range(10):
        source.commit(f"Number {number}", a=str(number))
    runs = [Run(tmp_path / f"run {number}", tmp_path / "mirrors") for number in range(6)]
    with ThreadPoolExecutor(len(runs)) as pool:
        for under_way in [pool.submit(run.check_out, str(source.path)) for run in runs]:
            done(under_way.result())
    assert [run.files for run in runs] == [{"a": "9"}] * len(runs)
    assert len(list((tmp_path / "mirrors").glob("*.git"))) == 1


def test_mirrors_that_nobody_uses_go(source: GitSource, run: Run, tmp_path: Path) -> None:
    source.commit("First", a="1")
    other = GitSource(tmp_path / "other")
    other.commit("First")
    done(run.check_out(str(other.path)))
    [lock] = run.mirrors.glob("*.lock")
    os.utime(lock, (0, 0))
    shutil.rmtree(run.workspace)
    assert "has not been used for long" in done(run.check_out(str(source.path)))
    assert len(list(run.mirrors.glob("*.git"))) == 1


def test_outside_of_a_run_it_says_what_is_missing(source: GitSource, tmp_path: Path) -> None:
    source.commit("First", a="1")
    own = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRA_")}
    command = [sys.executable, "-P", "-m", "job_orchestra.client.checkout", str(source.path)]
    finished = subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
    assert "--mirrors" in done(finished, 2)
    command[-1:-1] = [f"--mirrors={tmp_path / 'mirrors'}", "--directory=there"]
    done(subprocess.run(command, cwd=tmp_path, env=own, capture_output=True, text=True, check=False))
    assert (tmp_path / "there" / "a").read_text() == "1"


def test_it_imports_the_standard_library_only() -> None:
    program = (
        "import sys; import job_orchestra.client.checkout; "
        "print([name for name in sys.modules if name.partition('.')[0] in {'msgspec', 'httpx2', 'click', 'asyncio'}])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_repository_that_is_shallow_itself(source: GitSource, run: Run, tmp_path: Path) -> None:
    for number in range(4):
        source.commit(f"Number {number}", a=str(number))
    source.git("clone", "--quiet", "--bare", "--depth=2", f"file://{source.path}", str(tmp_path / "shallow.git"))
    for _ in range(2):
        done(run.check_out(str(tmp_path / "shallow.git")))
    assert run.files == {"a": "3"}


def test_a_repository_with_submodules(source: GitSource, run: Run, tmp_path: Path) -> None:
    part = GitSource(tmp_path / "part")
    part.commit("Part", x="1")
    source.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "../part", "part")
    source.commit("With a part", a="1")
    done(run.check_out(str(source.path)))
    assert list((run.workspace / "part").iterdir()) == []
    part.git("-C", str(run.workspace), "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    assert (run.workspace / "part" / "x").read_text() == "1"
    done(run.check_out(str(source.path), clean=True))
