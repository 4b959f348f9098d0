"""The page of the command line, from the commands' own help texts."""

from __future__ import annotations

from collections.abc import Iterator

import click
from scripts.reference.markdown import block, page, table

from job_orchestra.cli.exit_codes import MEANINGS
from job_orchestra.cli.main import HEADINGS, orchestra

_WIDTH = 100

_INTRODUCTION = """\
Commands about runs, jobs, projects, schedules and workers are clients of the service: they need an address and a
login (`orchestra login`, or `ORCHESTRA_SERVICE_URL`, `ORCHESTRA_USER` and `ORCHESTRA_TOKEN`; in the directory of an
installation that `orchestra up` made they find both themselves). Commands about users, tokens, the database and the
configuration work on the host of the installation, directly on its database.

Results go to standard output, everything else to standard error, an error as one line.
"""

_EXIT_CODES = """\
`trigger --follow` and `run log --follow` tell by 0 to 3 how the run ended. No error of a command has one of these
codes, so a script can tell a run that failed from a trigger that did.
"""


def commands_page() -> str:
    root = click.Context(
        orchestra,
        info_name="orchestra",
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        # As when the command is called; click keeps what it made of these with the commands.
        help_option_names=orchestra.context_settings["help_option_names"],
    )
    codes = [(str(code.value), meaning) for code, meaning in MEANINGS.items()]
    parts = ["## Exit codes", _EXIT_CODES.strip(), table(("code", "meaning"), codes)]
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
