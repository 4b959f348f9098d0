"""What the driver's errors mean to callers, in sentences that never have the password."""

from __future__ import annotations

import re

from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    ConnectionFailure,
    DocumentTooLarge,
    ExecutionTimeout,
    InvalidOperation,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from job_orchestra.storage.port import StorageUnavailable

_DUPLICATE = 11000
_TIMED_OUT = 50
_TOO_LARGE = frozenset({10334, 17419, 17420})
_SENTENCES = {
    11: "refuses the user or the password",
    13: "does not allow this user what is needed",
    18: "refuses the user or the password",
    8000: "refuses the user or the password",
    14031: "cannot grow: its disk is full",
    24: "is locked by another process",
    239: "keeps no snapshot for as long as this took; its parameter minSnapshotHistoryWindowInSeconds says how long",
    246: "has collections that were changed just now, be it by its start, and no snapshot of them yet",
    262: "is too busy",
    11601: "interrupted what it was asked",
}
_TRANSIENT = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")


def is_duplicate(error: BulkWriteError) -> bool:
    """Whether it says of each document at fault that its key was taken, and nothing else."""
    codes = {each["code"] for each in error.details["writeErrors"]}
    return codes == {_DUPLICATE} and not error.details["writeConcernErrors"]


def translated(error: Exception, name: str, seconds: float) -> Exception:
    """StorageUnavailable, or ValueError for what is too large; the error itself if it is a mistake in the program.

    `name` begins the message; `seconds` are those that an answer was waited for.
    """
    if isinstance(error, DocumentTooLarge) or (isinstance(error, OperationFailure) and _code(error) in _TOO_LARGE):
        return ValueError(f"{name} takes no row of more than 16 MiB")
    sentence = _sentence(error, seconds) if isinstance(error, PyMongoError) else None
    return error if sentence is None else StorageUnavailable(f"{name} {sentence}.")


def _sentence(error: PyMongoError, seconds: float) -> str | None:
    code = _code(error) if isinstance(error, OperationFailure) else None
    if code in _SENTENCES:
        return _SENTENCES[code]
    if isinstance(error, ServerSelectionTimeoutError):
        return f"cannot be used: {_reason(error)}"
    if isinstance(error, NetworkTimeout | ExecutionTimeout | WTimeoutError) or code == _TIMED_OUT:
        return f"has not answered for {seconds:g} seconds"
    if isinstance(error, ConnectionFailure | ConfigurationError):
        return f"cannot be used: {_reason(error)}"
    if isinstance(error, WriteConcernError) or _lacks_confirmation(error):
        return f"cannot confirm what was written: {_reason(error)}"
    if any(error.has_error_label(label) for label in _TRANSIENT):
        return f"is busy with other changes: {_reason(error)}"
    if isinstance(error, InvalidOperation) and "close" in str(error).lower():
        return "was closed: this process is ending"
    return None


def _code(error: OperationFailure) -> int | None:
    """Of the first thing that went wrong, where a command was for several."""
    details = error.details or {}
    for each in (*details.get("writeErrors", ()), *details.get("writeConcernErrors", ())):
        code: int = each["code"]
        return code
    return error.code


def _lacks_confirmation(error: PyMongoError) -> bool:
    return isinstance(error, BulkWriteError) and bool((error.details or {}).get("writeConcernErrors"))


def _reason(error: PyMongoError) -> str:
    """What the driver says, without what it has to say of itself."""
    details = error.details if isinstance(error, OperationFailure) else None
    text = str((details or {}).get("errmsg", error)).partition(", Timeout: ")[0].partition(", full error: ")[0]
    text = re.sub(r" ?\(configured timeouts:[^)]*\)", "", text)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__
