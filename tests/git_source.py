"""Real repositories, made by git itself, with dates of their own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.services import needed

_FIRST_DATE = 1_700_000_000
_OF_NOBODY = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


class GitSource:
    """A repository with a working tree; its first branch is `main`."""

    def __init__(self, path: Path) -> None:
        self._program = needed("Git")
        self.path = path
        self._date = _FIRST_DATE
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str, given: bytes = b"") -> str:
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        names: dict[str, str] = {}
        for who in ("AUTHOR", "COMMITTER"):
            date = f"{self._date} +0200"
            names |= {f"GIT_{who}_NAME": "Example", f"GIT_{who}_EMAIL": "example@example.test", f"GIT_{who}_DATE": date}
        done = subprocess.run(
            [self._program, *arguments],
            cwd=self.path, env={**own, **_OF_NOBODY, **names}, input=given, capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="replace").strip()

    def commit(self, title: str, **files: str) -> str:
        """The new revision of the present branch; each file has such a content."""
        self._date += 60
        for name, content in files.items():
            (self.path / name).write_text(content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--file=-", given=title.encode())
        return self.git("rev-parse", "HEAD")

    def commit_dated(self, title: str, date: str) -> str:
        """The new revision of `main`, with that in the place of its date, whatever it is."""
        before = self.git("rev-parse", "main")
        tree = self.git("rev-parse", "main^{tree}")
        who = f"Example <example@example.test> {date}".rstrip()
        content = f"tree {tree}\nparent {before}\nauthor {who}\ncommitter {who}\n\n{title}\n"
        made = self.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=content.encode())
        self.git("update-ref", "refs/heads/main", made)
        return made

    def branch(self, name: str) -> None:
        """A new one, of which the next revisions are."""
        self.git("checkout", "--quiet", "-b", name)

    def switch(self, name: str) -> None:
        self.git("checkout", "--quiet", name)
