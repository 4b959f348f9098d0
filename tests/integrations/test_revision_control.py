"""What is asked of repositories: the same of each kind, of a real one behind it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.repositories import RepositorySettings
from job_orchestra.domain.revisions import Position
from job_orchestra.integrations.forgejo.revision_control import ForgejoRevisionControl
from job_orchestra.integrations.git.revision_control import GitRevisionControl
from job_orchestra.integrations.github.revision_control import GitHubRevisionControl
from job_orchestra.integrations.gitlab.revision_control import GitLabRevisionControl
from job_orchestra.integrations.revision_control import RepositoryAccess, RevisionControl, RevisionControlFailure
from job_orchestra.integrations.revision_controls import REVISION_CONTROLS
from tests.git_source import GitSource
from tests.integrations.repository_host import RepositoryHost, hosting

KINDS = ("path", "file", "http", "github", "gitlab", "forgejo", "gitea")
APIS = ("github", "gitlab", "forgejo")
_LIMITED = {
    "github": GitHubRevisionControl,
    "gitlab": GitLabRevisionControl,
    "forgejo": ForgejoRevisionControl,
    "http": GitRevisionControl,
}

Scenario = Callable[[RevisionControl], Awaitable[None]]


@pytest.fixture
def source(tmp_path: Path) -> GitSource:
    return GitSource(tmp_path / "source")


@pytest.fixture
def host(source: GitSource) -> Iterator[RepositoryHost]:
    with hosting(source) as host:
        yield host


def access(
    kind: str, host: RepositoryHost, tmp_path: Path, token: str | None = None, branch: str | None = None
) -> RepositoryAccess:
    async def find() -> str | None:
        return token

    path = host.source.path
    url = {"path": str(path), "file": f"file://{path}", "http": f"{host.page}.git"}.get(kind, host.page)
    settings = RepositorySettings(url, kind if kind in REVISION_CONTROLS else "git", branch)
    return RepositoryAccess(settings, find, tmp_path / "kept", tmp_path)


def ask(control: RevisionControl, scenario: Scenario) -> None:
    async def run() -> None:
        try:
            await scenario(control)
        finally:
            await control.close()

    asyncio.run(run())


def ask_of(kind: str, host: RepositoryHost, tmp_path: Path, scenario: Scenario) -> None:
    repository = access(kind, host, tmp_path)
    ask(REVISION_CONTROLS[repository.settings.type](repository), scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_branches_and_revisions(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    source = host.source
    first = source.commit("First", a="1")
    second = source.commit("Sécond <b>\n\nWith more below.", a="2")
    source.branch("release/1.x")
    third = source.commit("Third", b="3")

    async def scenario(control: RevisionControl) -> None:
        branches = await control.branches()
        assert {(one.name, one.revision, one.is_default) for one in branches.items} == {
            ("main", second, kind in {"github", "gitlab", "forgejo", "gitea"}),
            ("release/1.x", third, kind in {"path", "file", "http"}),  # git goes by what is checked out there
        }
        assert branches.is_complete
        found = await control.revisions("main", 10)
        assert [one.identifier for one in found.items] == [second, first]
        assert found.next is None
        newest = found.items[0]
        assert (newest.author, newest.title) == ("Example", "Sécond <b>")
        assert newest.date.astimezone(UTC) == datetime.fromtimestamp(1_700_000_120, UTC)
        if kind in APIS:
            dash = "/-" if kind == "gitlab" else ""
            assert newest.url == f"{host.page}{dash}/commit/{second}"
        assert [one.title for one in (await control.revisions("release/1.x", 1)).items] == ["Third"]
        assert (await control.revision(first)).title == "First"

    ask_of(kind, host, tmp_path, scenario)


_ODD_DATES = ("253402300800 +0000", "99999999999999999 +0000", f"{'9' * 30} +0000", "-5 +0000", "")


def test_dates_are_what_people_commit(host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First")
    for date in _ODD_DATES:
        host.source.commit_dated(f"Dated {date!r}", date)

    async def scenario(control: RevisionControl) -> None:
        found = (await control.revisions("main", 10)).items
        assert [one.title for one in found] == [*(f"Dated {date!r}" for date in reversed(_ODD_DATES)), "First"]
        assert [one.date.year for one in found] == [1970, 1970, 9998, 9998, 9998, 2023]

    ask_of("path", host, tmp_path, scenario)


@pytest.mark.parametrize("kind", APIS)
@pytest.mark.parametrize("date", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+02:00", "10000-01-01T00:00:00Z"])
def test_dates_are_what_hosts_tell(kind: str, date: str, host: RepositoryHost, tmp_path: Path) -> None:
    person = {"name": "Example", "date": date}
    commit = {"sha": "a" * 40, "commit": {"message": "Odd", "committer": person}}
    of_gitlab = {"id": "a" * 40, "title": "Odd", "author_name": "Example", "committed_date": date}
    host.manners.content = json.dumps([{**commit, **of_gitlab}]).encode()

    async def scenario(control: RevisionControl) -> None:
        [found] = (await control.revisions("main", 10)).items
        assert (found.title, found.date) == ("Odd", datetime.fromtimestamp(0, UTC))

    ask_of(kind, host, tmp_path, scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_pages_stay_where_they_are_while_the_branch_moves_on(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    made = [host.source.commit(f"Number {number}") for number in range(7)]

    async def scenario(control: RevisionControl) -> None:
        page = await control.revisions("main", 3)
        titles = [one.title for one in page.items]
        host.source.commit("Newer")
        while page.next is not None:
            page = await control.revisions("main", 3, page.next)
            titles += [one.title for one in page.items]
        assert titles == [f"Number {number}" for number in range(6, -1, -1)]
        odd = await control.revisions("main", 3, Position(made[-1], 2))
        assert odd.items[0].title == "Number 4"  # the place of another length of pages

    ask_of(kind, host, tmp_path, scenario)


@pytest.mark.parametrize("most", [1, 2, 3, 5, 7])
def test_a_host_may_give_less_than_is_asked_for(most: int, host: RepositoryHost, tmp_path: Path) -> None:
    for number in range(7):
        host.source.commit(f"Number {number}")
    host.manners.most_at_once = most

    async def scenario(control: RevisionControl) -> None:
        for limits in ((5,), (1, 5), (2, 5, 3), (5, 2, 3)):
            page = await control.revisions("main", limits[0])
            titles = [one.title for one in page.items]
            following = itertools.cycle(limits)
            next(following)
            while page.next is not None:
                limit = next(following)
                page = await control.revisions("main", limit, page.next)
                assert len(page.items) <= min(limit, most)
                titles += [one.title for one in page.items]
            assert titles == [f"Number {number}" for number in range(6, -1, -1)], limits

    ask_of("forgejo", host, tmp_path, scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_is_told(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First", a="1")
    tree = host.source.git("rev-parse", "HEAD^{tree}")

    async def scenario(control: RevisionControl) -> None:
        for question in (
            control.revisions("nothing", 10),
            control.revisions("main", 10, Position("0" * 40, 10)),
            control.revision("0" * 40),
            control.revision(tree),
        ):
            with pytest.raises(NotFound):
                await question

    ask_of(kind, host, tmp_path, scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_of_the_project_is_the_default(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First")
    host.source.branch("next")
    repository = access(kind, host, tmp_path, branch="next")

    async def scenario(control: RevisionControl) -> None:
        default = (await control.branches()).default
        assert default is not None
        assert default.name == "next"

    ask(REVISION_CONTROLS[repository.settings.type](repository), scenario)


@pytest.mark.parametrize("kind", ["http", *APIS])
def test_a_token_opens_the_repository(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First")
    host.manners.token = "s3cret"
    for token, opens in ((None, False), ("wrong", False), ("s3cret", True)):
        repository = access(kind, host, tmp_path / str(token), token)

        async def scenario(control: RevisionControl, opens: bool = opens) -> None:
            if opens:
                assert (await control.branches()).items
                return
            with pytest.raises(RevisionControlFailure) as failed:
                await control.branches()
            assert "s3cret" not in str(failed.value)
            assert "wrong" not in str(failed.value)

        ask(REVISION_CONTROLS[repository.settings.type](repository), scenario)


@pytest.mark.parametrize("kind", APIS)
def test_a_repository_that_nobody_may_see_has_no_missing_branches(
    kind: str, host: RepositoryHost, tmp_path: Path
) -> None:
    revision = host.source.commit("First")
    host.manners.token, host.manners.is_discreet = "s3cret", True

    async def scenario(control: RevisionControl) -> None:
        for question in (
            control.revisions("main", 10),
            control.revisions("main", 10, Position(revision, 10)),
            control.revision(revision),
        ):
            with pytest.raises(RevisionControlFailure, match="no such repository, or it needs a token"):
                await question

    ask_of(kind, host, tmp_path, scenario)


@pytest.mark.parametrize("kind", ["http", *APIS])
def test_a_host_that_never_answers_is_given_up(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First")
    host.manners.is_silent = True

    async def scenario(control: RevisionControl) -> None:
        with pytest.raises(RevisionControlFailure, match=r"in time|longer than"):
            await control.branches()

    ask(_LIMITED[kind](access(kind, host, tmp_path), time_limit=0.5), scenario)


@pytest.mark.parametrize("kind", APIS)
def test_a_host_says_when_it_may_be_asked_again(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First")
    reset = str(int(time.time()) + 100)
    for status, headers, least, most in (
        (429, {"Retry-After": "7"}, 7.0, 7.0),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}, 80.0, 101.0),
        (429, {"RateLimit-Remaining": "0", "RateLimit-Reset": "99999999999999"}, 3600.0, 3600.0),
        (429, {"Retry-After": "tomorrow"}, 60.0, 60.0),
    ):
        host.manners.status, host.manners.headers = status, headers

        async def scenario(control: RevisionControl, least: float = least, most: float = most) -> None:
            with pytest.raises(RevisionControlFailure, match="no more questions") as failed:
                await control.branches()
            assert failed.value.retry_after is not None
            assert least <= failed.value.retry_after <= most

        ask_of(kind, host, tmp_path, scenario)


@pytest.mark.parametrize("kind", APIS)
@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (500, b"<html>", "status 500"),
        (301, b"", "has moved"),
        (403, b'{"message": "Blocked."}', r"needs a token.*Blocked"),
        (404, b"{}", "no such repository"),
        (200, b"nonsense", "none of its answers"),
        (200, b'[{"name": 3}]', "none of its answers"),
        (200, b"[" + b" " * (9 << 20) + b"]", "more than 8 MiB"),
    ],
)
def test_other_answers_are_failures_with_words(
    kind: str, status: int, content: bytes, words: str, host: RepositoryHost, tmp_path: Path
) -> None:
    host.manners.status, host.manners.content = status, content

    async def scenario(control: RevisionControl) -> None:
        with pytest.raises(RevisionControlFailure, match=words):
            await control.branches()

    ask_of(kind, host, tmp_path, scenario)


def test_a_host_that_is_not_there(host: RepositoryHost, tmp_path: Path) -> None:
    from tests.ports import free_port

    async def no_token() -> str | None:
        return None

    for kind in ("git", "github", "gitlab", "forgejo"):
        settings = RepositorySettings(f"http://127.0.0.1:{free_port()}/ada/engine", kind)

        async def scenario(control: RevisionControl) -> None:
            with pytest.raises(
                RevisionControlFailure, match=r"(?i)connection refused|could not connect|failed to connect"
            ):
                await control.branches()

        ask(REVISION_CONTROLS[kind](RepositoryAccess(settings, no_token, tmp_path / kind, tmp_path)), scenario)


def test_more_than_a_page_of_branches(host: RepositoryHost, tmp_path: Path) -> None:
    revision = host.source.commit("First")
    lines = "".join(f"create refs/heads/topic-{number:04} {revision}\n" for number in range(230))
    host.source.git("update-ref", "--stdin", given=lines.encode())
    for kind in ("path", *APIS):

        async def scenario(control: RevisionControl) -> None:
            branches = await control.branches()
            assert (len(branches.items), branches.is_complete) == (231, True)

        ask_of(kind, host, tmp_path, scenario)


def test_names_of_branches_hold_what_others_take_for_the_end_of_a_line(host: RepositoryHost, tmp_path: Path) -> None:
    revision = host.source.commit("First")
    names = {f"a{character}b" for character in "\u2028\u2029\u0085"}
    for name in names:
        host.source.git("update-ref", f"refs/heads/{name}", revision)

    async def scenario(control: RevisionControl) -> None:
        branches = await control.branches()
        assert {one.name for one in branches.items} == {"main", *names}
        assert {one.revision for one in branches.items} == {revision}

    ask_of("path", host, tmp_path, scenario)


def test_a_damaged_copy_is_made_anew(host: RepositoryHost, tmp_path: Path) -> None:
    revision = host.source.commit("First")
    titles: list[str] = []

    async def scenario(control: RevisionControl) -> None:
        titles.append((await control.revision(revision)).title)

    ask_of("path", host, tmp_path, scenario)
    mirror = tmp_path / "kept" / "mirror.git"
    for damage in ("config", "HEAD", "objects"):
        if damage == "objects":
            for pack in (mirror / "objects" / "pack").iterdir():
                pack.chmod(0o600)
                pack.write_bytes(b"nonsense")
            for loose in (mirror / "objects").glob("??/*"):
                loose.chmod(0o600)
                loose.write_bytes(b"nonsense")
        else:
            (mirror / damage).write_bytes(b"\0nonsense")
        host.source.commit(f"After {damage}")
        ask_of("path", host, tmp_path, scenario)
    (mirror / "shallow.lock").touch()  # of a git that was killed
    host.source.commit("Last")
    ask_of("path", host, tmp_path, scenario)
    assert titles == ["First"] * 5


def test_nobody_waits_while_what_was_left_is_looked_for(
    host: RepositoryHost, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.source.commit("First")
    real, looking = Path.glob, set[threading.Thread]()

    def glob(self: Path, pattern: str) -> Iterator[Path]:
        looking.add(threading.current_thread())
        return iter(real(self, pattern))

    async def scenario(control: RevisionControl) -> None:
        assert (await control.branches()).items

    monkeypatch.setattr(Path, "glob", glob)
    ask_of("path", host, tmp_path, scenario)
    assert looking
    assert threading.current_thread() not in looking


@pytest.mark.parametrize("end", ["kill -KILL $$", "echo fatal: Out of memory >&2; exit 128"])
def test_a_git_that_fails_says_nothing_about_what_is_there(end: str, host: RepositoryHost, tmp_path: Path) -> None:
    revision = host.source.commit("First")
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\ncase "$*" in *rev-*) {end};; esac\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o700)

    async def scenario(control: RevisionControl) -> None:
        for question in (control.revisions("main", 10), control.revision(revision)):
            with pytest.raises(RevisionControlFailure, match=r"git rev-[a-z]+ failed: (exit code -9|Out of memory)"):
                await question

    environment = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    ask(GitRevisionControl(access("path", host, tmp_path), environment), scenario)


def test_a_repository_that_is_rewritten(host: RepositoryHost, tmp_path: Path) -> None:
    host.source.commit("First")
    host.source.commit("Wrong")

    async def titles(control: RevisionControl) -> None:
        found.append([one.title for one in (await control.revisions("main", 10)).items])

    found: list[list[str]] = []
    ask_of("http", host, tmp_path, titles)
    host.source.git("reset", "--quiet", "--hard", "HEAD~1")
    host.source.commit("Right")
    ask_of("http", host, tmp_path, titles)
    assert found == [["Wrong", "First"], ["Right", "First"]]


@pytest.mark.parametrize("kind", ["path", "http"])
def test_git_can_tidy_its_copy_up(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    revision = host.source.commit("First", a="1")
    host.source.commit("Second", a="2")

    async def scenario(control: RevisionControl) -> None:
        assert (await control.revision(revision)).title == "First"

    ask_of(kind, host, tmp_path, scenario)
    mirror = str(tmp_path / "kept" / "mirror.git")
    files = host.source.git("--git-dir", mirror, "rev-list", "--all", "--objects", "--missing=allow-promisor")
    assert len(files.splitlines()) == (2 if kind == "http" else 6)  # of files nothing is fetched where that can be had
    host.source.git("--git-dir", mirror, "gc", "--quiet", "--prune=now")
    host.source.commit("Third", a="3")
    ask_of(kind, host, tmp_path, scenario)


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_repository(kind: str, host: RepositoryHost, tmp_path: Path) -> None:
    async def scenario(control: RevisionControl) -> None:
        assert (await control.branches()).items == ()

    ask_of(kind, host, tmp_path, scenario)
