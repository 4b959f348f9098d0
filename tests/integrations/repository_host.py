"""A host of repositories on the loopback: a real one, behind git and what is asked for of three APIs."""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, unquote, urlsplit

from tests.git_source import GitSource


@dataclass
class Manners:
    """How it answers; may be changed at any time."""

    token: str | None = None
    """The one whose bearer may see the repository."""
    is_discreet: bool = False
    """Others are told that there is none, as the APIs of hosts do it."""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])
    """Of an answer with another status."""
    content: bytes | None = None
    """In place of what would be right."""
    most_at_once: int = 50
    """What Forgejo gives, whatever it is asked for."""
    is_silent: bool = False
    """Takes questions and never answers."""


@dataclass(frozen=True)
class Listing:
    """What is told by pages."""

    items: list[Any]


class RepositoryHost:
    def __init__(self, source: GitSource, url: str, manners: Manners) -> None:
        self.source = source
        self.url = url
        self.manners = manners
        self.questions: list[str] = []
        self.released = threading.Event()

    @property
    def page(self) -> str:
        """Of the repository `ada/engine`."""
        return f"{self.url}/ada/engine"


@contextmanager
def hosting(source: GitSource) -> Generator[RepositoryHost]:
    class Handler(_Handler):
        @property
        def host(self) -> RepositoryHost:
            return host

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    host = RepositoryHost(source, f"http://127.0.0.1:{server.server_port}", Manners())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    # Nothing of it goes by a proxy of this machine's.
    direct = mock.patch.dict(os.environ, {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"})
    try:
        with direct:
            yield host
    finally:
        host.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    timeout = 5.0

    @property
    def host(self) -> RepositoryHost:
        raise NotImplementedError

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name
        """Nothing: the test says what is wrong."""

    def do_GET(self) -> None:
        manners = self.host.manners
        self.host.questions.append(self.path)
        if manners.is_silent:
            self.host.released.wait(30)
            self.close_connection = True
        elif manners.status != 200:
            self._answer(manners.status, manners.content or b'{"message": "No."}', manners.headers)
        elif manners.content is not None:
            self._answer(200, manners.content, {})
        elif not self._is_let_in() and manners.is_discreet:
            self._answer(404, b'{"message": "Not Found"}', {})
        elif not self._is_let_in():
            self._answer(401, b'{"message": "Who are you?"}', {"WWW-Authenticate": "Basic"})
        elif self.path.startswith("/ada/engine"):
            self._git(b"")
        else:
            self._tell()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.headers.get("Transfer-Encoding") == "chunked":
            content = self._chunks()
        if self._is_let_in():
            self._git(content)
        else:
            self._answer(401, b"", {})

    def _chunks(self) -> bytes:
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _is_let_in(self) -> bool:
        token = self.host.manners.token
        if token is None:
            return True
        import base64

        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            return base64.b64decode(given).decode() == f"x-access-token:{token}"
        return given == token

    def _answer(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    # ---------- git itself

    def _git(self, content: bytes) -> None:
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.host.source.path),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_COUNT": "2",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
                "GIT_CONFIG_KEY_1": "uploadpack.allowFilter",
                "GIT_CONFIG_VALUE_1": "true",
                "PATH_INFO": path.removeprefix("/ada/engine").removeprefix(".git"),
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(content)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            },
            input=content,
            capture_output=True,
            check=False,
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._answer(int(headers.pop("Status", "200").split()[0]), body, headers)

    # ---------- the APIs

    def _tell(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        for prefix, tell in (
            ("/api/v3/repos/ada/engine", self._github),
            ("/api/v1/repos/ada/engine", self._github),
            ("/api/v4/projects/ada%2Fengine", self._gitlab),
        ):
            if parts.path.startswith(prefix):
                self._page(tell(unquote(parts.path.removeprefix(prefix)), query), query, "v1" in prefix)
                return
        self._page(None, query, False)

    def _page(self, found: Any, query: dict[str, str], is_forgejo: bool) -> None:
        if found is None:
            self._answer(404, b'{"message": "Not Found"}', {})
            return
        headers: dict[str, str] = {}
        if isinstance(found, Listing):
            items = found.items
            size, page = int(query.get("limit" if is_forgejo else "per_page", 30)), int(query.get("page", 1))
            size = min(size, self.host.manners.most_at_once) if is_forgejo else size
            if len(items) > size * page:
                headers["Link"] = f'<{self.host.url}/?page={page + 1}>; rel="next"'
            found = items[size * (page - 1) : size * page]
        self._answer(200, json.dumps(found).encode(), headers)

    def _github(self, path: str, query: dict[str, str]) -> Any:
        match path.strip("/").split("/"):
            case [""]:
                return {"default_branch": "main", "private": True}
            case ["branches"]:
                return Listing([{"name": name, "commit": {"sha": at, "id": at}} for name, at in self._branches()])
            case ["commits"]:
                commits = self._commits(query["sha"])
                return None if commits is None else Listing([_github_commit(*one) for one in commits])
            case ["commits", revision] | ["git", "commits", revision]:
                commits = self._commits(revision)
                return None if not commits else _github_commit(*commits[0])
            case _:
                return None

    def _gitlab(self, path: str, query: dict[str, str]) -> Any:
        match path.strip("/").split("/"):
            case [""]:
                return {"default_branch": "main", "visibility": "private"}
            case ["repository", "branches"]:
                branches = self._branches()
                return Listing([{"name": one, "commit": {"id": at}, "default": one == "main"} for one, at in branches])
            case ["repository", "commits"]:
                commits = self._commits(query["ref_name"])
                return None if commits is None else Listing([_gitlab_commit(*one) for one in commits])
            case ["repository", "commits", revision]:
                commits = self._commits(revision)
                return None if not commits else _gitlab_commit(*commits[0])
            case _:
                return None

    def _branches(self) -> list[list[str]]:
        listed = self.host.source.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads")
        return [line.split() for line in listed.splitlines()]

    def _commits(self, start: str) -> list[list[str]] | None:
        try:
            listed = self.host.source.git("log", "-z", "--format=%H%x00%cI%x00%an%x00%B", start, "--")
        except AssertionError:
            return None
        fields = listed.removesuffix("\0").split("\0") if listed else []  # of a tree
        return [fields[place : place + 4] for place in range(0, len(fields), 4)]


def _github_commit(sha: str, date: str, author: str, message: str) -> dict[str, Any]:
    person = {"name": author, "email": "example@example.test", "date": date}
    return {"sha": sha, "commit": {"message": message, "author": person, "committer": person}, "author": None}


def _gitlab_commit(sha: str, date: str, author: str, message: str) -> dict[str, Any]:
    title = message.partition("\n")[0]
    return {"id": sha, "title": title, "author_name": author, "committed_date": date, "message": message}
