"""What errors of MariaDB, MySQL and PyMySQL mean to those who wait for the database."""

from __future__ import annotations

import pymysql
from pymysql.constants import CR, ER

from job_orchestra.storage.sql.databases import NO_SCHEMA

_READ_ONLY_TRANSACTION = 1792
_ACCESS_DENIED_NO_PASSWORD = 1698  # the driver has no names for these two

_UNAVAILABLE = {
    ER.NO_SUCH_TABLE: NO_SCHEMA,
    ER.BAD_FIELD_ERROR: NO_SCHEMA,
    ER.KEY_DOES_NOT_EXITS: NO_SCHEMA,
    ER.BAD_DB_ERROR: "does not exist; `orchestra database create` creates it",
    ER.WRONG_DB_NAME: "has a name that the server does not take",
    ER.RECORD_FILE_FULL: "cannot grow: its disk is full",
    ER.DISK_FULL: "cannot grow: its disk is full",
    ER.OPTION_PREVENTS_STATEMENT: "is read-only",
    _READ_ONLY_TRANSACTION: "is read-only",
    ER.ACCESS_DENIED_ERROR: "refuses the user or the password",
    _ACCESS_DENIED_NO_PASSWORD: "refuses the user or the password",
    ER.DBACCESS_DENIED_ERROR: "does not allow this user what is needed",
    ER.TABLEACCESS_DENIED_ERROR: "does not allow this user what is needed",
    ER.COLUMNACCESS_DENIED_ERROR: "does not allow this user what is needed",
    ER.SPECIFIC_ACCESS_DENIED_ERROR: "does not allow this user what is needed",
    ER.CON_COUNT_ERROR: "has no connection to spare",
    ER.TOO_MANY_USER_CONNECTIONS: "has no connection to spare",
    ER.USER_LIMIT_REACHED: "has no connection to spare",
    ER.LOCK_WAIT_TIMEOUT: "is locked by another process",
    ER.NET_PACKET_TOO_LARGE: "takes no statement of this size: raise max_allowed_packet of the server",
}


def why_unavailable(error: Exception, answer_timeout: float) -> str | None:
    """The end of a sentence that begins with the database; None for what waiting does not help against.

    Neither the server nor the driver repeats the password.
    """
    code = error_code(error)
    if code in _UNAVAILABLE:
        return _UNAVAILABLE[code]
    if code == ER.LOCK_DEADLOCK:
        return None
    if isinstance(error, RuntimeError) and "cryptography" in str(error):
        return "wants the password encrypted: use TLS, or install the Python package cryptography"
    if not isinstance(error, pymysql.OperationalError | pymysql.InterfaceError | pymysql.InternalError | OSError):
        return None
    words = str(error.args[-1] if error.args else error).strip().partition("\n")[0].rstrip(".")
    if has_timed_out(error):
        words = f"it has not answered for {answer_timeout:g} seconds"
    return f"cannot be used: {words or type(error).__name__}"


def has_timed_out(error: Exception) -> bool:
    """An answer of the server was waited for in vain."""
    return error_code(error) in (CR.CR_SERVER_LOST, CR.CR_SERVER_GONE_ERROR) and "timed out" in str(error.args[-1])


def is_taken(error: Exception) -> bool:
    """A row was refused because another one has its key."""
    return isinstance(error, pymysql.IntegrityError) and error_code(error) == ER.DUP_ENTRY


def error_code(error: Exception) -> int | None:
    """The number of an error of the server or the driver."""
    code: object = next(iter(error.args), None) if isinstance(error, pymysql.Error) else None
    return code if isinstance(code, int) else None
