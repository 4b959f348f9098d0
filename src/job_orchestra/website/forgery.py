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


def is_own_origin(origin: str | None, fetch_site: str | None, own: frozenset[str]) -> bool:
    """Whether the form stood on a page of ours, by what the browser says of it; no page can make a browser lie.

    `Sec-Fetch-Site` tells it best; a proxy in between, which speaks TLS where we do not, changes nothing in it.
    Browsers that do not send it are asked for the origin, which has to be one of `own`. One that says nothing at all is
    trusted: the token remains.
    """
    if fetch_site is not None:
        return fetch_site in {"same-origin", "none"}
    return origin is None or origin in own


def _code(secret: str) -> bytes:
    return hmac.digest(secret.encode(), b"form token", hashlib.sha256)[:_SIZE]


def _exclusive_or(one: bytes, other: bytes) -> bytes:
    return bytes(left ^ right for left, right in zip(one, other, strict=True))
