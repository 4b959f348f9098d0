"""What git is given: compared with what git itself thinks of it."""

from __future__ import annotations

import base64
import os
import subprocess
from pathlib import Path

import pytest

from job_orchestra.domain.git_names import flaw_of_name, flaw_of_url, git_environment, is_path
from tests.services import needed

_NAMES = (
    "main", "release/1.x", "feature/ä-ö", "a@b", "@x", "v1.0-rc.1", "a/b/c", "x.lock.y", "ends-with-dash-", "#1",
    "@", ".hidden", "a/.b", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "a@{1}", "a//b", "/a", "a/",
    "a.", "a.lock", "a.lock/b", "tab\there", "line\nend", "\x7f",
)  # fmt: skip


@pytest.mark.parametrize("name", _NAMES)
def test_names_are_those_that_git_takes(name: str) -> None:
    command = [str(needed("Git")), "check-ref-format", f"refs/heads/{name}"]
    taken = subprocess.run(command, check=False).returncode == 0
    # Git takes that one, which means something else in most places.
    assert (flaw_of_name(name) == "") == (taken and name != "@")


def test_what_git_takes_for_something_else_is_refused() -> None:
    for name in ("-x", "--output=x", "", "x" * 251):
        assert flaw_of_name(name)
    for url in ("-x", "--upload-pack=id", "", "ext::sh -c id", "fd::7", "http://", "https://host.test", "ftp://a/b"):
        assert flaw_of_url(url)
    for url in (
        "https://a:b@host.test/x",
        "https://host.test:x/y",
        "https://host.test/\n",
        "ssh://-oProxyCommand=id/x",
    ):
        assert flaw_of_url(url)
    for url in ("/srv/x", "../x", "x", "git@host.test:x", "host.test:x/y.git", "ssh://a@host.test:22/x", "file:///x"):
        assert not flaw_of_url(url)


def test_paths_are_told_from_addresses() -> None:
    assert [is_path(url) for url in ("/srv/x", "../x:y", "x", "./a:b")] == [True] * 4
    assert [is_path(url) for url in ("a@host.test:x", "host.test:x", "https://host.test/x", "file:///x")] == [False] * 4


def test_no_address_starts_a_program(tmp_path: Path) -> None:
    """Also one that somebody gets past us."""
    witness = tmp_path / "witness"
    environment = git_environment({**os.environ, "GIT_ALLOW_PROTOCOL": "ext"})
    command = [str(needed("Git")), "ls-remote", f"ext::touch {witness}"]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "not allowed" in done.stderr
    assert not witness.exists()


def test_the_token_is_for_its_host_alone() -> None:
    environment = git_environment(
        {"GIT_DIR": "/x", "GIT_SSH_COMMAND": "ssh -v"}, "https://ada@host.test:8443/x", "t0ken"
    )
    assert "GIT_DIR" not in environment
    assert environment["GIT_SSH_COMMAND"] == "ssh -v"
    given = {environment[f"GIT_CONFIG_KEY_{n}"]: environment[f"GIT_CONFIG_VALUE_{n}"]
             for n in range(int(environment["GIT_CONFIG_COUNT"]))}  # fmt: skip
    encoded = base64.b64encode(b"ada:t0ken").decode()
    assert given["http.https://host.test:8443/.extraHeader"] == f"Authorization: Basic {encoded}"
