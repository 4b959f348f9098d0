"""The directory `.orchestra` of an installation: secrets that `orchestra up` makes at the first start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.private_file import write_private


@dataclass(frozen=True, slots=True)
class InstallationSecrets:
    """Each file holds `user:token` and is readable by its owner only."""

    directory: Path

    @classmethod
    def of(cls, installation: Path) -> InstallationSecrets:
        return cls(installation / ".orchestra")

    @property
    def worker(self) -> Path:
        """What workers connect with whose settings name no credentials."""
        return self.directory / "worker-token"

    @property
    def command_line(self) -> Path:
        """What commands in the installation's directory use without a login."""
        return self.directory / "command-line-token"


def read_secret(file: Path) -> Credentials | None:
    """None if there are no credentials, or if they are not for whoever asks."""
    try:
        user, _, token = file.read_text(encoding="utf-8").strip().partition(":")
    except (FileNotFoundError, PermissionError, NotADirectoryError, UnicodeDecodeError):
        return None
    return Credentials(token, user) if user and token else None


def write_secret(file: Path, credentials: Credentials) -> None:
    write_private(file, f"{credentials.user}:{credentials.token}\n")
