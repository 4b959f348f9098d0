"""The command as a whole: help, version, errors, and what it does not import."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from job_orchestra.cli.errors import exit_code_of
from job_orchestra.cli.exit_codes import ENDINGS, MEANINGS, ExitCode
from job_orchestra.cli.main import COMMANDS, orchestra
from job_orchestra.domain.errors import Conflict, Invalid, Mistake, NotFound, Unavailable
from job_orchestra.domain.statuses import TERMINAL
from job_orchestra.protocol.codec import MalformedFrame
from job_orchestra.version import __version__

HEAVY = (
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "websockets",
    "jinja2",
    "rich",
    "httpx2",
    "asyncio",
    "ssl_context",
)


def imported(*arguments: str) -> set[str]:
    """The packages that a command imports, with ORCHESTRA_TOKEN set and nobody listening."""
    program = (
        "import sys; sys.argv[1:] = sys.argv[2:]; from job_orchestra.cli.main import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    environment = {"ORCHESTRA_TOKEN": "x", "ORCHESTRA_SERVICE_URL": "http://127.0.0.1:1", "HOME": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", program, "orchestra", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["trigger", "a", "b"], ["run", "list"]])
def test_commands_import_only_what_they_need(arguments: list[str]) -> None:
    found = imported(*arguments)
    assert "click" in found
    assert not found & set(HEAVY)


def test_the_version() -> None:
    assert CliRunner().invoke(orchestra, ["--version"]).output == f"Job Orchestra {__version__}\n"


def test_every_command_has_help_and_stands_in_the_overview() -> None:
    overview = CliRunner().invoke(orchestra, ["--help"]).output
    for name in COMMANDS:
        assert f"  {name} " in overview
    for path, command in commands(orchestra, ()):
        assert command.help, path
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, (path, parameter.name)


def commands(group: click.Group, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found.append(((*path, name), command))
        if isinstance(command, click.Group):
            found.extend(commands(command, (*path, name)))
    return found


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (Invalid([Mistake("a", "is wrong"), Mistake("b", "too")]), 64, ["Error: a: is wrong", "Error: b: too"]),
        (NotFound("job", "x"), 4, ["Error: There is no job 'x'."]),
        (Conflict("It runs.\nStill."), 5, ["Error: It runs. Still."]),
        (Unavailable("Gone."), 8, ["Error: Gone."]),
        (FileNotFoundError(2, "No such file or directory", "x.txt"), 74, ["Error: x.txt: No such file or directory."]),
        (KeyboardInterrupt(), 130, []),
        (click.UsageError("Wrong."), 64, ["Error: Wrong."]),
        (click.BadParameter("Wrong."), 64, ["Error: Invalid value: Wrong."]),
        (click.FileError("x.txt", "gone"), 74, ["Error: Could not open file 'x.txt': gone"]),
        (MalformedFrame("Strange."), 70, ["Error: Strange."]),
    ],
)
def test_errors_become_lines_and_codes(
    error: BaseException, code: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    assert exit_code_of(fail) == code
    assert capsys.readouterr().err.splitlines() == lines


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nothing"],
        ["trigger"],
        ["trigger", "example"],
        ["trigger", "example", "hello", "--folow"],
        ["trigger", "example", "hello", "--priority", "high"],
        ["run"],
        ["run", "log"],
        ["run", "log", "example", "x", "--follow", "--attempt", "1"],
        ["run", "list", "--status", "lost"],
        ["run", "list", "--limit", "0"],
        ["up", "--workers", "0"],
        ["config", "check", "--settings", "/nonexistent/orchestra.toml"],
    ],
)
def test_wrong_usage_has_a_code_that_no_run_ends_with(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    code = exit_code_of(lambda: orchestra.main(arguments, prog_name="orchestra", standalone_mode=False))
    assert code == 64
    captured = capfd.readouterr()
    assert (captured.out, "Traceback" in captured.err) == ("", False)
    assert captured.err


def test_every_exit_code_has_its_meaning() -> None:
    assert list(MEANINGS) == list(ExitCode)
    assert ENDINGS.keys() == {status.value for status in TERMINAL}
    assert sorted(set(ENDINGS.values())) == [0, 1, 2, 3]


def test_a_fault_of_ours_is_called_so(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise ZeroDivisionError("by zero")

    assert exit_code_of(fail) == ExitCode.INTERNAL
    (line,) = capsys.readouterr().err.splitlines()
    assert "ZeroDivisionError: by zero" in line
