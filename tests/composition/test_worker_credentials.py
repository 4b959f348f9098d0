"""Where a worker has its user and token from."""

from __future__ import annotations

from pathlib import Path

import pytest

from job_orchestra.client.credentials import Credentials
from job_orchestra.composition.installation_secrets import InstallationSecrets, read_secret, write_secret
from job_orchestra.composition.worker import WorkerComposition
from job_orchestra.domain.errors import Invalid
from job_orchestra.settings.reading import load_settings


def credentials(directory: Path, **environment: str) -> Credentials:
    return WorkerComposition(load_settings(directory / "orchestra.toml", environment)).credentials


def test_of_the_settings_and_a_token_file(tmp_path: Path) -> None:
    given = credentials(tmp_path, ORCHESTRA_WORKER_USER="ada", ORCHESTRA_WORKER_TOKEN="s3cret")
    assert given == Credentials("s3cret", "ada")
    (tmp_path / "token").write_text("from file\n")
    given = credentials(tmp_path, ORCHESTRA_WORKER_USER="ada", ORCHESTRA_WORKER_TOKEN_FILE="token")
    assert given == Credentials("from file", "ada")


def test_of_the_installation_if_the_settings_name_none(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"\[worker\] user: .*\[worker\] token or token_file: "):
        credentials(tmp_path)
    secret = InstallationSecrets.of(tmp_path).worker
    write_secret(secret, Credentials("made", "worker"))
    assert secret.stat().st_mode & 0o777 == 0o600
    assert secret.parent.stat().st_mode & 0o777 == 0o700
    assert read_secret(secret) == credentials(tmp_path) == Credentials("made", "worker")
    with pytest.raises(Invalid, match=r"token_file: .* cannot be read: no such file"):
        credentials(tmp_path, ORCHESTRA_WORKER_USER="ada", ORCHESTRA_WORKER_TOKEN_FILE="nothing")
