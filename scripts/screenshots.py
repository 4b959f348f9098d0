"""The pictures of the website in docs/images, made anew of a real demonstration: `make screenshots`."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, StorageState

from job_orchestra.client.calls import jobs, projects, runs
from job_orchestra.client.synchronous import Client
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret
from job_orchestra.domain.json import JsonObject
from job_orchestra.settings.reading import load_settings
from tests.browser import chromium
from tests.git_source import GitSource
from tests.services import find_chromium

_IMAGES = Path(__file__).parent.parent / "docs" / "images"
_LOGIN = re.compile(r"Website: (\S+) +Login: (\S+), password (\S+)")
_PROJECT = "example"
_SCREEN, _PHONE = (1200, 760), (390, 760)
_MANY = 24
_BROKEN = "Reads faster"
_REVISIONS = ("Begins", "Reads files", _BROKEN, "Reads faster, and right", "Writes files", "Says what it wrote")
_ENGINE = """
from job_orchestra import checkout

_COMMANDS = {{"build": "echo built", "test": "test ! -s broken", "lint": "echo clean"}}

projects.append(
    Project(
        "engine",
        repository="{source}",
        jobs=[
            Job(
                name,
                commands=[checkout("{source}", revision="{{parameters[revision]}}"), ["sh", "-c", command]],
                parameters=[Parameter("revision", default="")],
            )
            for name, command in _COMMANDS.items()
        ],
    )
)
"""
_SETTINGS = """
[worker]
identifier = "anvil"
executor_limit = 2

[logging]
file = "orchestra.log"
"""


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    path: str
    scheme: Literal["light", "dark"] = "light"
    size: tuple[int, int] = _SCREEN


@dataclass(frozen=True, slots=True)
class Demonstration:
    url: str
    user: str
    password: str
    client: Client


def main() -> int:
    if find_chromium() is None:
        print("Chromium was not found; `make test-services` installs it.")
        return 1
    _IMAGES.mkdir(exist_ok=True)
    directory = Path(tempfile.gettempdir()) / "orchestra"  # its path is in the pictures
    directory.mkdir()
    try:
        with _demonstration(directory) as shown, chromium() as browser:
            shots, session = _shots(_fill(shown.client)), _session(browser, shown)
            for shot in shots:
                _take(browser, shown.url, session, shot)
                print(f"docs/images/{shot.name}.png", flush=True)
    finally:
        shutil.rmtree(directory)
    return 0


@contextmanager
def _demonstration(directory: Path) -> Generator[Demonstration]:
    """The one of `orchestra demo`, whose commands say `python3` instead of where this Python is."""
    for file in (files("job_orchestra.cli") / "templates" / "demo").iterdir():
        if file.name.endswith(".py"):
            text = re.sub("^PYTHON = .*", 'PYTHON = "python3"', file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            (directory / file.name).write_text(text, encoding="utf-8")
    _add_repository(directory)
    (directory / "orchestra.toml").write_text(_SETTINGS, encoding="utf-8")
    service = load_settings(directory / "orchestra.toml", {}).service.url
    command = (sys.executable, "-m", "job_orchestra", "demo", "--directory", str(directory))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            found = next(filter(None, map(_LOGIN.search, process.stdout)))
            credentials = read_secret(InstallationSecrets.of(directory).command_line)
            yield Demonstration(found[1], found[2], found[3], Client(service, credentials))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()


def _add_repository(directory: Path) -> None:
    source = GitSource(directory / "engine")
    for title in _REVISIONS:
        source.commit(title, **({"broken": title} if title == _BROKEN else {"broken": ""}))
    with (directory / "projects.py").open("a", encoding="utf-8") as file:
        file.write(_ENGINE.format(source=source.path))


@dataclass(frozen=True, slots=True)
class Runs:
    """Those that are shown by themselves."""

    ended: str
    pipeline: str
    running: str
    waiting: str


def _fill(client: Client) -> Runs:
    """A history, and something that goes on."""
    for number in range(_MANY):
        _run(client, "measure", {"count": 200_000 * (1 + number * 7 % 5)})
    for revision in client.send_patiently(projects.revisions("engine", limit=len(_REVISIONS))).items:
        for job in ("build", "test", "lint")[: 2 + (revision.title != _REVISIONS[0])]:
            _run(client, job, {"revision": revision.identifier}, "engine")
    ended = _run(client, "measure", {"count": 5000})
    pipeline = _run(client, "release", {})
    running = _trigger(client, "build", {"seconds": 90})
    _trigger(client, "build", {"seconds": 80, "target": "debug"})
    waiting = _trigger(client, "build", {"seconds": 1})
    return Runs(ended, pipeline, running, waiting)


def _trigger(client: Client, job: str, parameters: JsonObject, project: str = _PROJECT) -> str:
    return client.send(jobs.trigger(project, job, parameters)).identifier


def _run(client: Client, job: str, parameters: JsonObject, project: str = _PROJECT) -> str:
    run = _trigger(client, job, parameters, project)
    for _ in client.follow_log(project, run):
        pass
    assert client.send(runs.get(project, run)).ended_at is not None
    return run


def _shots(shown: Runs) -> list[Shot]:
    def run(identifier: str, part: str = "") -> str:
        return f"/projects/{_PROJECT}/runs/{identifier}{part}"

    return [
        Shot("home", "/"),
        Shot("home-dark", "/", "dark"),
        Shot("home-phone", "/", size=_PHONE),
        Shot("run", run(shown.ended)),
        Shot("run-phone", run(shown.ended), "dark", _PHONE),
        Shot("waiting", run(shown.waiting)),
        Shot("log", run(shown.running, "/log")),
        Shot("log-dark", run(shown.running, "/log"), "dark"),
        Shot("log-phone", run(shown.running, "/log"), size=_PHONE),
        Shot("pipeline", run(shown.pipeline)),
        Shot("pipeline-dark", run(shown.pipeline), "dark"),
        Shot("job", f"/projects/{_PROJECT}/jobs/measure"),
        Shot("project", f"/projects/{_PROJECT}"),
        Shot("worker", "/workers/anvil"),
        Shot("revisions", "/projects/engine/status"),
        Shot("revisions-phone", "/projects/engine/status", "dark", _PHONE),
        Shot("administration", "/administration"),
        Shot("audit", "/audit"),
    ]


def _take(browser: Browser, url: str, session: StorageState, shot: Shot) -> None:
    width, height = shot.size
    context = browser.new_context(
        java_script_enabled=False,
        color_scheme=shot.scheme,
        viewport={"width": width, "height": height},
        storage_state=session,
    )
    page = context.new_page()
    page.goto(f"{url}{shot.path}?refresh=off", wait_until="commit")
    page.locator("footer, .scroller .log").first.wait_for(state="attached")
    page.screenshot(path=_IMAGES / f"{shot.name}.png")
    context.close()


def _session(browser: Browser, shown: Demonstration) -> StorageState:
    page = browser.new_page()
    page.goto(f"{shown.url}/login")
    page.get_by_label("User").fill(shown.user)
    page.get_by_label("Password").fill(shown.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"{shown.url}/")
    session = page.context.storage_state()
    page.close()
    return session


if __name__ == "__main__":
    sys.exit(main())
