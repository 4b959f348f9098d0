"""Which service a command speaks to, and as whom.

The service: ORCHESTRA_SERVICE_URL; else that of the installation whose settings file is here (or named by --settings);
else the one of the last login. The credentials: ORCHESTRA_TOKEN (with ORCHESTRA_USER); else those that `orchestra up`
left in that installation; else those of the login at that service.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from job_orchestra.cli.logins import logins_file, read_logins
from job_orchestra.cli.options import read_settings
from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret
from job_orchestra.domain.errors import Unauthenticated

if TYPE_CHECKING:
    from job_orchestra.client.synchronous import Client

DEFAULT_URL = "http://127.0.0.1:5902"


@dataclass(frozen=True, slots=True)
class Access:
    url: str
    credentials: Credentials | None


def find_access(settings_file: Path, environment: Mapping[str, str]) -> Access:
    local = _installation_access(settings_file)
    logins = read_logins(logins_file(environment))
    url = environment.get("ORCHESTRA_SERVICE_URL") or (local.url if local else logins.last or DEFAULT_URL)
    url = url.rstrip("/")
    token = environment.get("ORCHESTRA_TOKEN")
    if token:
        return Access(url, Credentials(token, environment.get("ORCHESTRA_USER") or None))
    if local and local.url == url and local.credentials:
        return local
    return Access(url, logins.credentials.get(url))


def _installation_access(settings_file: Path) -> Access | None:
    if not settings_file.exists() and settings_file == Path("orchestra.toml"):
        return None
    settings = read_settings(settings_file)
    credentials = read_secret(InstallationSecrets.of(settings.directory).command_line)
    return Access(settings.service.url.rstrip("/"), credentials)


def service(settings_file: Path) -> Client:
    """A client with credentials; Unauthenticated, with what to do, if there are none."""
    from job_orchestra.client.synchronous import Client

    access = find_access(settings_file, os.environ)
    if access.credentials is None:
        raise Unauthenticated(
            f"You are not logged in at {access.url}. Use `orchestra login {access.url}`, "
            "or set ORCHESTRA_TOKEN in the environment."
        )
    return Client(access.url, access.credentials)
