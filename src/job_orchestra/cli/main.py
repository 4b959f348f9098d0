"""The command `orchestra`: what its commands are called, and where each is found."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass

import click

from job_orchestra.cli.errors import PipeBroken, exit_code_of
from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.version import __version__


@dataclass(frozen=True, slots=True)
class Entry:
    """A command in a module that is imported when the command is called."""

    module: str
    name: str
    summary: str


HEADINGS: dict[str, dict[str, Entry]] = {
    "Begin": {
        "demo": Entry("demo", "demo", "Show everything at work, in a temporary installation."),
        "init": Entry("init", "init", "Make a new installation in an empty directory."),
        "up": Entry("up", "up", "Run all applications of an installation."),
    },
    "Runs": {
        "trigger": Entry("trigger", "trigger", "Trigger a job; --follow shows its log and exits as the run ended."),
        "run": Entry("runs", "run", "List and show runs, their logs and results; cancel, abort, retry, pin."),
        "job": Entry("jobs", "job", "List, show, enable and disable jobs."),
        "project": Entry("projects", "project", "List and show projects."),
        "schedule": Entry(
            "schedules", "schedule", "List, show, preview, enable and disable schedules, and list their ticks."
        ),
        "worker": Entry("workers", "worker", "Execute runs; list, show, enable, drain, disconnect workers."),
        "audit": Entry("audit", "audit", "Who did what, and when."),
        "login": Entry("login", "login", "Log in at a service and remember it."),
        "logout": Entry("login", "logout", "Forget the login."),
    },
    "Applications, each in the foreground": {
        "master": Entry("applications", "master", "Schedule runs and supervise workers."),
        "service": Entry("applications", "service", "Serve the HTTP API."),
        "website": Entry("applications", "website", "Serve the pages."),
    },
    "On the host of an installation": {
        "config": Entry("config", "config", "Check settings and projects."),
        "database": Entry("database", "database", "Create, upgrade, inspect and prune the database."),
        "user": Entry("users", "user", "Create and change users."),
        "token": Entry("tokens", "token", "Create, list and delete tokens."),
    },
}

COMMANDS = {name: entry for entries in HEADINGS.values() for name, entry in entries.items()}


class Commands(click.Group):
    """Knows the names and summaries of the commands; importing one is left to its call."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        command: click.Command = getattr(
            importlib.import_module(f"job_orchestra.cli.commands.{entry.module}"), entry.name
        )
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            result: object = super().invoke(ctx)
        except BrokenPipeError:
            raise PipeBroken from None
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        width = max(map(len, COMMANDS))
        for heading, entries in HEADINGS.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), entry.summary) for name, entry in entries.items()])


_EXIT_CODES = ", ".join(f"{code.value} {code.name.lower().replace('_', ' ')}" for code in ExitCode)


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=f"Exit codes: {_EXIT_CODES}.",
)
@click.version_option(__version__, message="Job Orchestra %(version)s")
def orchestra() -> None:
    """Runs jobs on machines that you own: survives restarts, starts in milliseconds, always says why.

    Each command has a --help of its own.
    """


def main() -> None:
    sys.exit(exit_code_of(lambda: orchestra.main(prog_name="orchestra", standalone_mode=False)))
