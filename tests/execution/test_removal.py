"""Directories that their owner may not write into are removed nevertheless."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from job_orchestra.execution.removal import remove_tree

_NOBODY = 65534


@contextmanager
def without_privileges(own: Path) -> Generator[None]:
    """As a user whom permissions bind, and to whom the directory belongs."""
    if os.geteuid() != 0:
        yield
        return
    for path in (own, *own.rglob("*")):
        os.chown(path, _NOBODY, _NOBODY, follow_symlinks=False)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def test_what_is_read_only_goes_and_what_is_linked_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    deep = tmp_path / "tree" / "module" / "deep"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "link").symlink_to(outside)
    for directory in (deep, deep.parent, tmp_path / "tree"):
        directory.chmod(0o500)
    monkeypatch.chdir(tmp_path)
    with without_privileges(tmp_path):
        remove_tree(Path("tree"))
        assert not Path("tree").exists()
        with pytest.raises(FileNotFoundError):
            remove_tree(Path("tree"))
    assert outside.stat().st_mode & 0o777 == 0o500
