"""The files of exports: what is written is for its owner alone and whole, or not there; what is read is one file."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from job_orchestra.domain.errors import Conflict, Invalid

_BUFFER = 2**20


@contextmanager
def new_file(path: Path, *, overwrite: bool = False) -> Generator[BinaryIO]:
    """Has its name only when the body is done and all of it is durable; Conflict if the name is taken.

    Until then it has a hidden name beside it, which a process that is killed leaves behind.
    """
    import tempfile  # takes time that commands which only read do not have

    if path.is_symlink():
        path = path.resolve()  # it is the file behind it that is replaced
    _check_free(path, overwrite=overwrite)
    try:
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    try:
        with os.fdopen(descriptor, "wb", buffering=_BUFFER) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _check_free(path, overwrite=overwrite)
        Path(temporary).replace(path)
        _make_name_durable(path.parent)
    except OSError as error:
        # What is said of a descriptor names no file.
        raise OSError(error.errno, error.strerror, error.filename or str(path)) from error
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def opened(path: Path) -> Generator[BinaryIO]:
    """Invalid for what is no file that can be read twice, OSError for what cannot be read."""
    # Looked at before it is opened, which for a pipe might take for ever.
    if not stat.S_ISREG(mode := path.stat().st_mode) and not stat.S_ISDIR(mode):
        raise Invalid.at(str(path), "is no regular file, and an import reads its file twice")
    with path.open("rb", buffering=_BUFFER) as file:
        yield file


def _check_free(path: Path, *, overwrite: bool) -> None:
    if not path.exists():
        return
    if not path.is_file():
        raise Conflict(f"{path} is there, and no regular file.")
    if not overwrite:
        raise Conflict(f"{path} is there already; --overwrite replaces it.")


def _make_name_durable(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
