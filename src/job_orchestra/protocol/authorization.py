"""The Authorization header, as both servers take it: `Basic user:token` or `Bearer token`."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import NamedTuple

from job_orchestra.domain.errors import Unauthenticated


class Credentials(NamedTuple):
    user: str | None
    """None with a bearer token."""
    secret: str


def read_authorization(header: str | None) -> Credentials:
    """Unauthenticated, with what would be right, if there is none or it is malformed."""
    scheme, _, value = (header or "").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return Credentials(None, value.strip())
    if scheme.lower() == "basic":
        try:
            user, separator, secret = b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            raise Unauthenticated("The Authorization header is not valid base64 of user:token.") from None
        if separator:
            return Credentials(user, secret)
    raise Unauthenticated("Say who you are: Authorization: Basic user:token, or Bearer token.")
