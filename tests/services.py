"""Programs of other people that tests need: where they are, and what happens where one is missing.

`scripts/test_services.py` installs them; this only looks. Standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NoReturn

INSTALLED = Path(__file__).parent.parent / ".services"
"""Where the script puts what it installs."""

DATABASES = ("sqlite", "postgresql", "mariadb", "mongodb")
"""Everything is tested on each. Fixtures: `<name>_url` with the schema in it, `new_<name>_url` that makes others."""
SQL_DATABASES = tuple(name for name in DATABASES if name != "mongodb")

_OLDEST_POSTGRESQL = 14
_OLDEST_MARIADB = (10, 6)
_OLDEST_MONGODB = 6
_OLDEST_GIT = (2, 31)
_CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)


def find_postgresql() -> Path | None:
    """The folder with `postgres` and `initdb`."""
    folders = [INSTALLED / "postgresql" / "18" / "bin", *Path("/usr/lib/postgresql").glob("*/bin")]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if _is_postgresql(folder)), None)


def find_mariadb() -> Path | None:
    """The folder with `usr/sbin/mariadbd`: one with unpacked packages, or that of the system."""
    return next((root for root in (INSTALLED / "mariadb", Path("/")) if _is_mariadb(root)), None)


def mariadb_environment(root: Path) -> Mapping[str, str]:
    """In which the programs below `root` find the libraries that were unpacked beside them."""
    folders = [str(folder) for place in ("usr/lib", "lib") for folder in (root / place).glob("*-linux-gnu")]
    return os.environ if root == Path("/") else {**os.environ, "LD_LIBRARY_PATH": ":".join(folders)}


def find_mongodb() -> Path | None:
    """The program `mongod`."""
    found = [INSTALLED / "mongodb" / "mongod", Path(shutil.which("mongod") or "mongod")]
    return next((program for program in found if _is_mongodb(program)), None)


def find_chromium() -> Path | None:
    found = (shutil.which(name) for name in _CHROMIUM)
    return next((Path(path) for path in found if path), None)


def find_axe() -> Path | None:
    """The script `axe.min.js`, which looks through pages for what keeps people out."""
    script = INSTALLED / "axe-core" / "axe.min.js"
    return script if script.is_file() else None


def find_git() -> Path | None:
    """The program `git`, with which repositories of any size are served."""
    found = shutil.which("git")
    return Path(found) if found and _is_git(found) else None


FINDERS: dict[str, Callable[[], Path | None]] = {
    "PostgreSQL": find_postgresql,
    "MariaDB": find_mariadb,
    "MongoDB": find_mongodb,
    "Chromium": find_chromium,
    "axe-core": find_axe,
    "Git": find_git,
}


def needed(service: str) -> Path:
    """Where it is; without it the test is skipped, and under CI=true it fails."""
    return FINDERS[service]() or missing(service)


def missing(service: str) -> NoReturn:
    import pytest

    reason = f"{service} was not found; `make test-services` installs what can be installed"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def version_of(command: Iterable[str | Path], environment: Mapping[str, str] = os.environ) -> str:
    """The first line that it prints; empty if it does not run."""
    try:
        done = subprocess.run(list(command), capture_output=True, text=True, timeout=30, check=True, env=environment)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().partition("\n")[0]


def _is_postgresql(folder: Path) -> bool:
    if not version_of([folder / "initdb", "--version"]):
        return False
    version = re.search(r"(\d+)", version_of([folder / "postgres", "--version"]))
    return version is not None and int(version[1]) >= _OLDEST_POSTGRESQL


def _is_mariadb(root: Path) -> bool:
    told = version_of([root / "usr" / "sbin" / "mariadbd", "--no-defaults", "--version"], mariadb_environment(root))
    version = re.search(r"(\d+)\.(\d+)\.\d+-MariaDB", told)
    return version is not None and (int(version[1]), int(version[2])) >= _OLDEST_MARIADB


def _is_mongodb(program: Path) -> bool:
    version = re.search(r"v(\d+)", version_of([program, "--version"]))
    return version is not None and int(version[1]) >= _OLDEST_MONGODB


def _is_git(program: str) -> bool:
    version = re.search(r"(\d+)\.(\d+)", version_of([program, "--version"]))
    return version is not None and (int(version[1]), int(version[2])) >= _OLDEST_GIT
