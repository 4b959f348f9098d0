"""Who asks: a token, with or without the user that it belongs to."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    token: str = field(repr=False)
    user: str | None = None
    """If given, the service refuses a token of anyone else."""

    @property
    def authorization(self) -> str:
        """The value of the Authorization header."""
        if self.user is None:
            return f"Bearer {self.token}"
        return "Basic " + b64encode(f"{self.user}:{self.token}".encode()).decode()
