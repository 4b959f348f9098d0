"""The services that the user of this computer is logged in at: `~/.config/job-orchestra/credentials.toml`."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.private_file import write_private
from job_orchestra.domain.errors import Invalid


@dataclass(frozen=True, slots=True)
class Logins:
    last: str | None = None
    """The service that commands speak to unless they are told otherwise."""
    credentials: Mapping[str, Credentials] = field(default_factory=dict[str, Credentials])
    """By URL."""

    def with_login(self, url: str, credentials: Credentials) -> Logins:
        return Logins(url, {**self.credentials, url: credentials})

    def without(self, url: str) -> Logins:
        kept = {other: credentials for other, credentials in self.credentials.items() if other != url}
        return replace(self, last=None if self.last == url else self.last, credentials=kept)


def logins_file(environment: Mapping[str, str]) -> Path:
    configured = environment.get("XDG_CONFIG_HOME", "")
    base = Path(configured) if configured.startswith("/") else Path(environment.get("HOME") or Path.home()) / ".config"
    return base / "job-orchestra" / "credentials.toml"


def read_logins(file: Path) -> Logins:
    """None if there is no such file; Invalid if it is not what `write_logins` writes."""
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        credentials = {url: Credentials(entry["token"], entry["user"]) for url, entry in data["services"].items()}
        return Logins(data.get("last"), credentials)
    except FileNotFoundError:
        return Logins()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        raise Invalid.at(str(file), "cannot be understood; delete it and log in again") from None


def write_logins(file: Path, logins: Logins) -> None:
    lines = [] if logins.last is None else [f"last = {_quoted(logins.last)}"]
    lines.append("[services]")
    for url, credentials in logins.credentials.items():
        entry = f"user = {_quoted(credentials.user or '')}, token = {_quoted(credentials.token)}"
        lines.append(f"{_quoted(url)} = {{ {entry} }}")
    write_private(file, "\n".join(lines) + "\n")


def _quoted(text: str) -> str:
    # A JSON string is a basic string of TOML as well.
    return json.dumps(text)
