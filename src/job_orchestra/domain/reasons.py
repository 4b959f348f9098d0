"""Why a run ended: stable codes, each with a sentence. The code is for programs, the sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReasonCode(StrEnum):
    # succeeded
    COMPLETED = "completed"
    # failed
    COMMAND_FAILED = "command_failed"
    ELEMENT_FAILED = "element_failed"
    """Of a pipeline, whose status is that of the element."""
    # aborted
    ABORT_REQUESTED = "abort_requested"
    TIME_LIMIT = "time_limit"
    LOG_LIMIT = "log_limit"
    SHUTDOWN = "shutdown"
    # exception
    FORMAT_ERROR = "format_error"
    PROGRAM_MISSING = "program_missing"
    ARGUMENTS_TOO_LONG = "arguments_too_long"
    SETUP_FAILED = "setup_failed"
    TEARDOWN_FAILED = "teardown_failed"
    RESULTS_INVALID = "results_invalid"
    RESULT_LIMIT = "result_limit"
    WORKSPACE_FAILED = "workspace_failed"
    DEFINITION_UNKNOWN = "definition_unknown"
    EXECUTOR_HOST_LOST = "executor_host_lost"
    HOST_RESTARTED = "host_restarted"
    WORKER_LOST = "worker_lost"
    LOG_DAMAGED = "log_damaged"
    INTERNAL_ERROR = "internal_error"
    # cancelled
    CANCEL_REQUESTED = "cancel_requested"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Reason:
    code: ReasonCode
    sentence: str
