"""Passwords: salted PBKDF2-HMAC-SHA256, computed off the event loop."""

from __future__ import annotations

import asyncio
import hmac
import secrets
from dataclasses import dataclass
from hashlib import pbkdf2_hmac

from job_orchestra.domain.account_rules import LONGEST_PASSWORD, password_mistakes
from job_orchestra.domain.errors import Invalid

_ALGORITHM = "pbkdf2_sha256"


@dataclass(frozen=True, slots=True)
class PasswordHasher:
    iterations: int = 1_000_000

    async def hash(self, password: str) -> str:
        """`pbkdf2_sha256$iterations$salt$hash`; Invalid at `password` for one that is too short or long."""
        mistakes = list(password_mistakes("password", password))
        if mistakes:
            raise Invalid(mistakes)
        salt = secrets.token_bytes(16)
        derived = await _derive(password, salt, self.iterations)
        return f"{_ALGORITHM}${self.iterations}${salt.hex()}${derived.hex()}"

    async def verify(self, password: str, stored: str | None) -> bool:
        """Whether it is the password of that hash; takes as long where there is none, so that time tells nothing."""
        if stored is None or len(password) > LONGEST_PASSWORD:
            await _derive("", b"no such user", self.iterations)
            return False
        _, iterations, salt, expected = stored.split("$")
        derived = await _derive(password, bytes.fromhex(salt), int(iterations))
        return hmac.compare_digest(derived, bytes.fromhex(expected))


async def _derive(password: str, salt: bytes, iterations: int) -> bytes:
    encoded = password.encode(errors="surrogatepass")
    return await asyncio.to_thread(pbkdf2_hmac, "sha256", encoded, salt, iterations)
