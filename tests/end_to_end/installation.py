"""An installation in a directory, driven as its users do: by the command `orchestra`, each call a process."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests import prepared
from tests.ports import free_port
from tests.prepared import Prepared

PATIENCE = 30.0

PROJECTS = (
    """
import sys
from job_orchestra import Element, Job, Parameter, Pipeline, Project

WAIT = "import pathlib, sys, time; p = pathlib.Path(sys.argv[1])\\nwhile not p.exists(): time.sleep(0.01)"

projects = [
    Project("example", jobs=[
        Job("hello", commands=[["echo", "Hello, {parameters[name]}!"]],
            parameters=[Parameter("name", default="world")]),
        Job("greet", commands=[["echo", "{parameters[name]}"]], parameters=[Parameter("name")]),
        Job("fail", commands=[["sh", "-c", "echo before; exit 3"], ["echo", "never"]]),
        Job("broken", commands=[["no-such-program"]]),
        Job("bytes", commands=[["printf", r"\\377\\376\\000\\r\\033[1m no text"]]),
        Job("results", commands=[
            [sys.executable, "-c",
             "from job_orchestra.client.inside import save_results; save_results(dict(tests=dict(failed=0)))"],
            ["echo", "{results[tests][failed]} failed"],
        ]),
        Job("wait", commands=[
            ["echo", "waiting"], [sys.executable, "-c", WAIT, "{parameters[file]}"], ["echo", "goes on"],
        ], parameters=[Parameter("file")]),
        Job("count", commands=[["echo", "{parameters[count]} {parameters[deep][0]}"]],
            parameters=[Parameter("count", default=1), Parameter("deep", default=[0])]),
        Job("narrate", commands=[[
            sys.executable, "NARRATE", "{parameters[name]}", "{parameters[gate]}", "{result_file_path}",
        ]], parameters=[Parameter("name", default="world"), Parameter("gate")]),
        Job("pour", commands=[[sys.executable, "POUR", "{parameters[kind]}", "{result_file_path}"]],
            parameters=[Parameter("kind")], workspace="run"),
        Job("nowhere", commands=[["true"]], properties={{"operating_system": "plan9"}}),
        Job("step", commands=[["sh", "-c", "echo {parameters[name]} >> {parameters[tally]}"]], workspace="run",
            parameters=[Parameter("name"), Parameter("tally")]),
        Job("exists", commands=[["test", "-e", "{parameters[file]}"]], workspace="run", parameters=[Parameter("file")]),
        Pipeline("release", parameters=[Parameter("tally"), Parameter("file")], elements=[
            Element("first", job="step", parameters={{"name": "first", "tally": "{parameters[tally]}"}}),
            Element("each", job="step", after=["first"], for_each=["a", "b"],
                parameters={{"name": "each-{item}", "tally": "{parameters[tally]}"}}),
            Element("check", job="exists", after=["first"], parameters={{"file": "{parameters[file]}"}}),
            Element("last", job="step", after=["each", "check"],
                parameters={{"name": "last", "tally": "{parameters[tally]}"}}),
            Element("alarm", job="step", after=[{{"element": "check", "statuses": ["failed"]}}],
                parameters={{"name": "alarm", "tally": "{parameters[tally]}"}}),
        ]),
        Pipeline("outer", parameters=[Parameter("tally"), Parameter("file")], elements=[
            Element("inner", job="release",
                parameters={{"tally": "{parameters[tally]}", "file": "{parameters[file]}"}}),
            Element("behind", job="step", after=[{{"element": "inner", "statuses": "always"}}],
                parameters={{"name": "{elements[inner][status]}", "tally": "{parameters[tally]}"}}),
        ]),
        Pipeline("picky", parameters=[Parameter("people", type="list")], elements=[
            Element("each", job="greet", for_each="{{parameters[people]}}", parameters={{"name": "{{item[name]}}"}}),
            Element("behind", job="hello", after=[{{"element": "each", "statuses": ["exception"]}}]),
        ]),
        Pipeline("waits", elements=[
            Element("one", job="wait", parameters={{"file": "/no/such/file"}}),
            Element("two", job="hello", after=["one"]),
        ]),
    ]),
]
""".replace("{{", "{")
    .replace("}}", "}")
    .replace("NARRATE", str(Path(__file__).parent / "narrate.py"))
    .replace("POUR", str(Path(__file__).parent / "pour.py"))
)


def wait_until(condition: Callable[[], bool]) -> None:
    """For what only asking again can tell; AssertionError after PATIENCE."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


class Installation:
    def __init__(self, directory: Path, database_url: str) -> None:
        self.directory = directory
        self.home = directory / "home"
        directory.mkdir(exist_ok=True)
        self.home.mkdir()
        ports = {name: free_port() for name in ("master", "service", "website")}
        self.service_url = f"http://127.0.0.1:{ports['service']}"
        self.website_url = f"http://127.0.0.1:{ports['website']}"
        sections = [f"[{name}]\nport = {port}\n" for name, port in ports.items()]
        sections += [f'[database]\nurl = "{database_url}"\n', '[worker]\nidentifier = "here"\nexecutor_limit = 4\n']
        (directory / "orchestra.toml").write_text("\n".join(sections))
        (directory / "projects.py").write_text(PROJECTS)

    def environment(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRA_")}
        return {**own, "HOME": str(self.home), **(more or {})}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "job_orchestra", *arguments]

    def orchestra(
        self, *arguments: str, environment: Mapping[str, str] | None = None, given: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """A command, to its end."""
        variables = self.environment(environment)
        if prepared.is_preparable(variables):
            return prepared.run(arguments, cwd=self.directory, env=variables, given=given, timeout=PATIENCE)
        return subprocess.run(
            self.command(*arguments),
            cwd=self.directory,
            env=variables,
            input=given,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
        )

    def json(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Any:
        done = self.orchestra(*arguments, "--output", "json", environment=environment)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def new_token(self, user: str, role: str) -> str:
        """Of a new user of that role."""
        assert self.orchestra("user", "create", user, "--role", role).returncode == 0
        token: str = self.json("token", "create", user)["secret"]
        return token

    def trigger(self, job: str, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
        done = self.orchestra("trigger", "example", job, *arguments, environment=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @contextmanager
    def started(
        self, *arguments: str, environment: Mapping[str, str] | None = None, sign: int = signal.SIGINT
    ) -> Generator[Started]:
        """A command that goes on until it is told to stop, which it is at the end; in order, or else it is killed."""
        process = prepared.start(
            arguments,
            cwd=self.directory,
            env=self.environment({"PYTHONUNBUFFERED": "1", **(environment or {})}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        started = Started(process)
        try:
            yield started
            started.stop(sign)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


class Started:
    """A command at work; what it says is kept."""

    def __init__(self, process: Prepared) -> None:
        self.process = process
        self.output = ""

    def wait_for(self, text: str, times: int = 1) -> None:
        """Until it has said that so often."""
        deadline = time.monotonic() + PATIENCE
        while self.output.count(text) < times:
            assert self._read(deadline), f"it never said {text!r} {times} times, but:\n{self.output}"

    def stop(self, sign: int = signal.SIGINT) -> int:
        """What it says until its end is read as well; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, deadline: float) -> bool:
        """False at the end, and when time is over."""
        assert self.process.stdout is not None
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
            return False
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        self.output += data.decode(errors="replace")
        return bool(data)
