"""Files of a run directory, in whose place commands may have put anything."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from job_orchestra.execution.run_directory import RunDirectory, is_abort_wished, read_abort, wish_abort
from job_orchestra.execution.run_files import NoRegularFile, make_way, open_run_file, read_run_file, size_of_run_file


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def make_deep_directory(path: Path) -> None:
    (path / "deep").mkdir(parents=True)


_OTHERS: dict[str, Callable[[Path], None]] = {
    "pipe": os.mkfifo,
    "socket": make_socket,
    "directory": make_deep_directory,
    "link to a file": lambda path: path.symlink_to(__file__),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
}
every_other = pytest.mark.parametrize("make", _OTHERS.values(), ids=_OTHERS.keys())


@every_other
@pytest.mark.parametrize("flags", [os.O_RDONLY, os.O_RDWR | os.O_CREAT | os.O_APPEND, os.O_WRONLY | os.O_TRUNC])
def test_what_is_no_regular_file_is_named_at_once(tmp_path: Path, make: Callable[[Path], None], flags: int) -> None:
    path = tmp_path / "journal"
    make(path)
    with pytest.raises(NoRegularFile, match=r"it is no regular file: .*journal"):
        open_run_file(path, flags)
    with pytest.raises(NoRegularFile):
        size_of_run_file(path)


@every_other
def test_way_is_made_for_a_file(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "journal"
    make(path)
    make_way(path)
    assert not os.path.lexists(path)
    make_way(path)
    path.write_text("kept")
    make_way(path)
    assert read_run_file(path) == b"kept"
    assert Path(__file__).stat().st_size > 0


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "request.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="more than 67,108,864 bytes"):
        read_run_file(path)


def make_nonsense(path: Path) -> None:
    path.write_text("nonsense")


@pytest.mark.parametrize("make", [*_OTHERS.values(), make_nonsense], ids=[*_OTHERS.keys(), "nonsense"])
def test_whatever_has_the_name_of_a_wish_is_one_and_makes_way_for_a_better(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    directory = RunDirectory(tmp_path)
    make(directory.abort)
    wish = read_abort(directory)
    assert wish is not None
    assert "cannot be read" in wish.by
    assert not is_abort_wished(directory)
    make(tmp_path / ".abort")
    wish_abort(directory, "ann")
    assert is_abort_wished(directory)
    wish = read_abort(directory)
    assert wish is not None
    assert wish.by == "ann"
