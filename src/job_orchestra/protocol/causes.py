"""Why a connection failed, in words for people."""

from __future__ import annotations

import os
import socket
import ssl


def cause_of(error: BaseException) -> str:
    """The system's own words, wherever they are in the chain; without a full stop at the end."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, socket.gaierror):
            return str(cause.strerror).lower()
        if isinstance(cause, ssl.SSLError):
            return str(getattr(cause, "verify_message", "") or cause.reason).lower()
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
        cause = cause.__cause__ or cause.__context__
    return str(error).rstrip(".") or type(error).__name__
