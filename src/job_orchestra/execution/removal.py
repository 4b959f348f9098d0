"""Removing directories that commands may have written into."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def remove_tree(directory: Path) -> None:
    """OSError if something resists, FileNotFoundError if there is none."""
    try:
        shutil.rmtree(directory)
    except PermissionError:
        # A directory that forbids writing keeps what is in it from being removed; its owner may change that.
        directory.chmod(0o700)
        for parent, directories, _ in os.walk(directory):
            for name in directories:
                path = Path(parent, name)
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(directory)
