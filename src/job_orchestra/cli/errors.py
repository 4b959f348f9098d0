"""Where errors end: each becomes one clear line on standard error and an exit code, and none a traceback."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable

import click

from job_orchestra.cli.exit_codes import ExitCode
from job_orchestra.cli.terminal_text import one_line
from job_orchestra.domain.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OrchestraError,
    Unauthenticated,
    Unavailable,
)

_CODES: tuple[tuple[type[OrchestraError], ExitCode], ...] = (
    (Invalid, ExitCode.INVALID),
    (NotFound, ExitCode.NOT_FOUND),
    (Conflict, ExitCode.CONFLICT),
    (Unauthenticated, ExitCode.UNAUTHENTICATED),
    (Forbidden, ExitCode.FORBIDDEN),
    (Unavailable, ExitCode.UNAVAILABLE),
)


class PipeBroken(Exception):
    """Nobody reads what the command writes: a BrokenPipeError, out of the way of click, which has a mind of its own."""


def exit_code_of(command: Callable[[], object]) -> int:
    """Carries out a command of the command line; tells what went wrong, and answers with the exit code."""
    try:
        code = command()
        sys.stdout.flush()
    except click.FileError as error:
        error.show()
        return ExitCode.INPUT_OUTPUT
    except click.ClickException as error:
        # Its own codes, 1 and 2, are taken by the endings of runs.
        error.show()
        return ExitCode.INVALID
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except OrchestraError as error:
        tell(error)
        return next((code for kind, code in _CODES if isinstance(error, kind)), ExitCode.INTERNAL)
    except (BrokenPipeError, PipeBroken):
        _leave_pipe()
        return ExitCode.PIPE_BROKEN
    except OSError as error:
        _write(f"{error.filename}: {error.strerror}." if error.filename and error.strerror else f"{error}.")
        return ExitCode.INPUT_OUTPUT
    except Exception as error:
        # A fault of ours: the user gets a sentence, and who looks for it the traceback.
        if os.environ.get("ORCHESTRA_TRACEBACK"):
            traceback.print_exc()
        _write(
            f"This is a fault of the program: {type(error).__name__}: {error} "
            "(with ORCHESTRA_TRACEBACK=1 in the environment it shows where)."
        )
        return ExitCode.INTERNAL
    return code if isinstance(code, int) else ExitCode.SUCCEEDED


def tell(error: OrchestraError) -> None:
    """On standard error; each mistake of an input on a line of its own."""
    if isinstance(error, Invalid):
        for mistake in error.mistakes:
            _write(str(mistake))
    else:
        _write(error.message)


def _write(line: str) -> None:
    click.echo(click.style("Error: ", fg="red") + one_line(line), err=True)


def _leave_pipe() -> None:
    # The interpreter flushes standard output when it exits; that must not complain about the pipe once more.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
