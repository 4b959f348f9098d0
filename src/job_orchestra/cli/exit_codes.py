"""The exit codes of `orchestra`, all of them. 0 to 3 tell how something ended, and nothing else uses these."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum


class ExitCode(IntEnum):
    """Errors of the command itself keep clear of 0 to 3, which tell after `--follow` how the run ended."""

    SUCCEEDED = 0
    FAILED = 1
    ABORTED = 2
    EXCEPTION = 3
    NOT_FOUND = 4
    CONFLICT = 5
    UNAUTHENTICATED = 6
    FORBIDDEN = 7
    UNAVAILABLE = 8
    INVALID = 64
    INTERNAL = 70
    INPUT_OUTPUT = 74
    INTERRUPTED = 130
    PIPE_BROKEN = 141


MEANINGS: Mapping[ExitCode, str] = {
    ExitCode.SUCCEEDED: "done; after `--follow`: the run succeeded",
    ExitCode.FAILED: "after `--follow`: the run failed; of `demo --exit`: an example did not end as it should; "
    "of `database check`: something is wrong",
    ExitCode.ABORTED: "after `--follow`: the run was aborted or cancelled",
    ExitCode.EXCEPTION: "after `--follow`: the run ended as an exception",
    ExitCode.NOT_FOUND: "there is no such project, job, run, …",
    ExitCode.CONFLICT: "its state does not allow this",
    ExitCode.UNAUTHENTICATED: "not logged in, or the token is wrong",
    ExitCode.FORBIDDEN: "not allowed",
    ExitCode.UNAVAILABLE: "something that is needed is down: the service, the database, …",
    ExitCode.INVALID: "wrong usage or wrong input: options, parameters, settings, the projects file",
    ExitCode.INTERNAL: "a fault of the program",
    ExitCode.INPUT_OUTPUT: "a file cannot be read or written",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
    ExitCode.PIPE_BROKEN: "nobody reads the output any more",
}

ENDINGS: Mapping[str, ExitCode] = {
    "succeeded": ExitCode.SUCCEEDED,
    "failed": ExitCode.FAILED,
    "aborted": ExitCode.ABORTED,
    "cancelled": ExitCode.ABORTED,
    "exception": ExitCode.EXCEPTION,
}
"""By the status of the run that was followed."""
