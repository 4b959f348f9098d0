"""The keys with which cookies are encrypted: whoever reads a browser's cookies holds nothing that the service takes."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from job_orchestra.domain.errors import Invalid

_LARGEST = 64 * 1024
_PLACE = "[website] cookie_keys"


class CookieKeys:
    """The first key encrypts; all of them decrypt, so that a new one is put before the old, which goes a week later."""

    def __init__(self, keys: list[str]) -> None:
        """ValueError if one of them is no key."""
        self._keys = MultiFernet([Fernet(key) for key in keys])

    def encrypt(self, text: str) -> str:
        return self._keys.encrypt(text.encode()).decode()

    def decrypt(self, text: str) -> str | None:
        """None for what none of the keys has encrypted."""
        try:
            return self._keys.decrypt(text.encode()).decode()
        except InvalidToken:
            return None


def read_cookie_keys(file: Path) -> CookieKeys:
    """Those of the file, a line each; the first website that finds none makes it. Invalid if it cannot be used."""
    try:
        if not file.exists():
            _make(file)
        content = _content(file)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise Invalid.at(_PLACE, f"{file} can be neither read nor made: {reason}") from None
    lines = [line.strip() for line in content.splitlines()]
    keys = [line for line in lines if line and not line.startswith("#")]
    if not keys:
        raise Invalid.at(_PLACE, f"{file} has no key; delete it, and the website makes a new one")
    try:
        return CookieKeys(keys)
    except ValueError:
        raise Invalid.at(
            _PLACE, f"a line of {file} is no key: 32 bytes in URL-safe Base64, as Fernet has them"
        ) from None


def _content(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(_LARGEST).decode("ascii", "replace")


def _make(file: Path) -> None:
    """Whole or not at all, and of two websites that start at once, one makes it."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(Fernet.generate_key() + b"\n")
            opened.flush()
            os.fsync(opened.fileno())
        with suppress(FileExistsError):  # another one was quicker
            os.link(draft, file)
    finally:
        draft.unlink()
