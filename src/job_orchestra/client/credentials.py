"""Who asks: a token, with or without the user that it belongs to."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field

from job_orchestra.domain.errors import Unauthenticated


@dataclass(frozen=True, slots=True)
class Credentials:
    token: str = field(repr=False)
    user: str | None = None
    """If given, the service refuses a token of anyone else."""

    @property
    def authorization(self) -> str:
        """The value of the Authorization header; Unauthenticated for what cannot be one."""
        if self.user is None:
            if not self.token.isascii() or not self.token.isprintable():
                raise Unauthenticated("The token has characters that no token has.")
            return f"Bearer {self.token}"
        return "Basic " + b64encode(f"{self.user}:{self.token}".encode()).decode()
