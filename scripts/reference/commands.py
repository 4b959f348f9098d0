"""The page of the command line, from the commands' own help texts."""

from __future__ import annotations

from collections.abc import Iterator

import click
from scripts.reference.markdown import block, page

from job_orchestra.cli.main import HEADINGS, orchestra

_WIDTH = 100

_INTRODUCTION = """\
Commands about runs, jobs, projects, schedules and workers are clients of the service: they need an address and a
login (`orchestra login`, or `ORCHESTRA_SERVICE_URL`, `ORCHESTRA_USER` and `ORCHESTRA_TOKEN`; in the directory of an
installation that `orchestra up` made they find both themselves). Commands about users, tokens, the database and the
configuration work on the host of the installation, directly on its database.

Results go to standard output, everything else to standard error, an error as one line. Exit codes: 0 done, 1 failed,
2 wrong input, 4 there is no such thing, 5 its state does not allow this, 6 not logged in, 7 not allowed, 8 something is
down. With `--follow` the code tells how the run ended: 0 succeeded, 1 failed, 2 aborted or cancelled, 3 exception.
"""


def commands_page() -> str:
    root = click.Context(orchestra, info_name="orchestra", terminal_width=_WIDTH, max_content_width=_WIDTH)
    parts: list[str] = []
    for heading, entries in HEADINGS.items():
        parts.append(f"## {heading}")
        for name in entries:
            command = orchestra.get_command(root, name)
            assert command is not None
            parts.extend(_command(command, root, name))
    return page("Command line", "the commands in `cli/commands/`", _INTRODUCTION.strip(), *parts)


def _command(command: click.Command, parent: click.Context, name: str) -> Iterator[str]:
    context = click.Context(command, parent=parent, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH)
    yield f"### {context.command_path}"
    yield block(command.get_help(context))
    if isinstance(command, click.Group):
        for inner_name in command.list_commands(context):
            inner = command.get_command(context, inner_name)
            if inner is not None:
                yield from _command(inner, context, inner_name)
