"""Proof that a form comes from one of our own pages and was meant for the one who sends it.

The proof is a code derived from the session's secret, so nothing has to be kept. It is masked anew in each page: pages
are compressed, and a constant in them could be guessed by length.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

_SIZE = 16


def form_token(secret: str) -> str:
    mask = secrets.token_bytes(_SIZE)
    return (mask + _exclusive_or(mask, _code(secret))).hex()


def is_form_token(token: str, secret: str) -> bool:
    try:
        sent = bytes.fromhex(token)
    except ValueError:
        return False
    if len(sent) != 2 * _SIZE:
        return False
    return hmac.compare_digest(_exclusive_or(sent[:_SIZE], sent[_SIZE:]), _code(secret))


def is_own_origin(origin: str | None, fetch_site: str | None, hosts: frozenset[str]) -> bool:
    """What a browser says of where the form stood: its own word for it, which a page of another site cannot change.

    `hosts` are the origins under which this website is reached. A browser too old to say anything is trusted; the token
    remains.
    """
    if fetch_site is not None and fetch_site not in {"same-origin", "none"}:
        return False
    return origin is None or origin in hosts


def _code(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"form token", hashlib.sha256)[:_SIZE]


def _exclusive_or(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
