"""Gets a revision of a repository into the workspace of a run, and records it in the run's results.

python3 -P -m job_orchestra.client.checkout [--revision R] [--branch B] [--directory D] [--depth N] [--clean] -- URL

Fetches into a mirror that all runs of the worker share, so that only what is new comes over the network. Imports
nothing but the standard library.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from pathlib import Path

from job_orchestra.client.git_command import Git, GitFailed, TookTooLong
from job_orchestra.client.inside import save_results
from job_orchestra.client.mirrors import Mirror, Unreachable
from job_orchestra.domain.git_names import FULL_REVISION, flaw_of_name, flaw_of_url, git_environment
from job_orchestra.domain.repositories import revision_url
from job_orchestra.domain.revisions import moment_of

_TIME_LIMIT = 1800.0
_REFERENCE = "refs/orchestra/revision"
_LONGEST_TOKEN = 4096


class Exit(IntEnum):
    DONE = 0
    FAILED = 1
    WRONG_ARGUMENTS = 2
    NOT_THERE = 3
    UNREACHABLE = 4


class Failed(Exception):
    def __init__(self, exit_code: Exit, sentence: str) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Wanted:
    url: str
    revision: str
    """A hash, a part of one, or the name of a tag; empty: the newest of the branch."""
    branch: str
    """Empty: the repository's default one, or unknown where there is a revision."""
    directory: Path
    depth: int | None
    """Revisions of history; None: all of it."""
    is_clean: bool


@dataclass(frozen=True, slots=True)
class Found:
    revision: str
    branch: str
    """Empty where nobody said which."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        wanted = _wanted(given)
        directory = _mirrors(given.mirrors, os.environ)
        token = _token(given.token_environment, given.token_file, os.environ)
        git = Git(git_environment(os.environ, wanted.url, token), time.monotonic() + given.timeout)
        _check_out(wanted, Mirror(directory, wanted.url, git, _say), git)
    except Failed as failure:
        _say(str(failure))
        return failure.exit_code
    except Unreachable as error:
        _say(str(error))
        return Exit.UNREACHABLE
    except TookTooLong:
        _say(f"It took longer than {given.timeout:g} seconds.")
        return Exit.UNREACHABLE
    except FileNotFoundError as error:
        _say("There is no program git on this host." if error.filename == "git" else f"{error.filename} is not there.")
        return Exit.FAILED
    except (GitFailed, OSError) as error:
        _say(f"{error}.")
        return Exit.FAILED
    return Exit.DONE


def _check_out(wanted: Wanted, mirror: Mirror, git: Git) -> None:
    found = _find(wanted, mirror)
    workspace = _Workspace(wanted, mirror, git)
    _take(workspace, mirror, found.revision)
    date, title = workspace.describe(found.revision)
    _record(wanted, found, date)
    try:
        workspace.show(found.revision)
    except GitFailed:
        _say("The files cannot be checked out; once more, with a new repository in the workspace.")
        workspace.forget()
        _take(workspace, mirror, found.revision)
        workspace.show(found.revision)
    _say(f"{wanted.directory} is at {found.revision}: {title}")
    mirror.remove_others()


def _take(workspace: _Workspace, mirror: Mirror, revision: str) -> None:
    """From the mirror into the workspace; whichever of them is damaged is made anew."""
    with mirror.reading():
        is_taken = workspace.take(revision)
    if not is_taken:
        mirror.renew()
        mirror.fetch_revision(revision)
        with mirror.reading():
            if not workspace.take(revision):
                raise GitFailed("git cannot check the revision out of a new mirror into a new repository")


# ---------- which revision is meant


def _find(wanted: Wanted, mirror: Mirror) -> Found:
    """Asks the repository unless the mirror has what is meant, whatever became of the repository since."""
    if FULL_REVISION.fullmatch(wanted.revision) and mirror.path.exists():
        with mirror.reading():
            known = mirror.revision_of(wanted.revision)
        if known is not None:
            _say(f"The mirror of {wanted.url} has {wanted.revision} already.")
            return Found(known, wanted.branch)
    _say(f"Fetching {wanted.url} into the mirror.")
    mirror.fetch()
    if wanted.revision:
        return Found(_find_revision(wanted, mirror), wanted.branch)
    branch = wanted.branch or mirror.default_branch()
    if branch is None:
        raise Failed(Exit.NOT_THERE, f"{wanted.url} has no default branch; say which one is meant.")
    found = mirror.revision_of(f"refs/heads/{branch}")
    if found is None:
        raise Failed(Exit.NOT_THERE, f"{wanted.url} has no branch {branch!r}.")
    return Found(found, branch)


def _find_revision(wanted: Wanted, mirror: Mirror) -> str:
    name = wanted.revision
    is_hash = all(character in "0123456789abcdef" for character in name) and len(name) >= 7
    candidates = [f"refs/tags/{name}", *([name] if is_hash else []), f"refs/heads/{name}"]
    found = next((found for one in candidates if (found := mirror.revision_of(one)) is not None), None)
    if found is None and FULL_REVISION.fullmatch(name) and mirror.fetch_revision(name):
        found = mirror.revision_of(name)
    if found is None:
        raise Failed(Exit.NOT_THERE, f"{wanted.url} has no revision or tag {name!r}.")
    return found


# ---------- the workspace


class _Workspace:
    """A repository of its own, which needs the mirror no more once it has the revision."""

    def __init__(self, wanted: Wanted, mirror: Mirror, git: Git) -> None:
        self._wanted = wanted
        self._mirror = mirror
        self._git = git
        self._tree = wanted.directory
        self._repository = wanted.directory / ".git"

    def take(self, revision: str) -> bool:
        """Gets the revision out of the mirror; False if that is impossible, even into a new repository."""
        for is_last in (False, True):
            try:
                self._fetch(revision)
            except GitFailed:
                _say("The repository in the workspace is damaged, or the mirror is.")
                if not is_last:
                    self.forget()
            else:
                return True
        return False

    def _fetch(self, revision: str) -> None:
        self._tree.mkdir(parents=True, exist_ok=True)
        if not (self._repository / "HEAD").exists():
            _remove(self._repository)
            self._git.run("init", "--quiet", "--template=", "--", str(self._tree))
        for left in (*self._repository.glob("*.lock"), *self._repository.glob("refs/**/*.lock")):
            left.unlink(missing_ok=True)  # of a git that was killed
        self._git.run("config", "remote.origin.url", self._wanted.url, of=self._repository)
        depth = [f"--depth={self._wanted.depth}"] if self._wanted.depth is not None else []
        if not depth and (self._repository / "shallow").exists():
            depth = ["--unshallow"]
        tags = [] if self._wanted.depth is not None else ["+refs/tags/*:refs/tags/*"]
        self._git.run(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--force", "--update-shallow", *depth,
            "--", str(self._mirror.path), f"+{revision}:{_REFERENCE}", *tags,
            of=self._repository,
        )  # fmt: skip
        # Whether all of it is there: what is missing would be found out halfway.
        self._git.run("rev-list", "--objects", "--quiet", "--max-count=1", revision, of=self._repository)

    def forget(self) -> None:
        """The repository; its files stay."""
        _remove(self._repository)

    def describe(self, revision: str) -> tuple[datetime, str]:
        """When it was committed, and the first line of its message."""
        told = self._git.run(
            "log", "-1", "--no-show-signature", "--format=%ct%x00%s", revision, "--", of=self._repository
        )
        date, _, title = told.partition("\0")
        return moment_of(date), title

    def show(self, revision: str) -> None:
        """Has its files in the working tree; what was changed in them is lost, what is in no revision stays."""
        words = ("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", "--detach", revision)
        self._git.run(*words, "--", of=self._repository, tree=self._tree)
        if self._wanted.is_clean:
            self._git.run("clean", "--quiet", "-ffdx", of=self._repository, tree=self._tree)


def _remove(repository: Path) -> None:
    if repository.is_dir() and not repository.is_symlink():
        shutil.rmtree(repository)
    else:
        repository.unlink(missing_ok=True)


# ---------- what is given and told


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="checkout", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("repository", help="its URL, or its path on the worker's host")
    parser.add_argument("--revision", default="", help="a hash or tag; default: the newest revision of the branch")
    parser.add_argument("--branch", default="", help="default: the repository's own; recorded beside a revision")
    parser.add_argument("--directory", default="", help="where to; default: the working directory")
    parser.add_argument("--depth", type=int, help="so many revisions of history only, and no tags; default: all")
    parser.add_argument("--clean", action="store_true", help="removes files that are in no revision")
    parser.add_argument("--token-environment", default="", metavar="NAME", help="the variable that holds a token")
    parser.add_argument("--token-file", default="", metavar="FILE", help="a file that holds a token")
    parser.add_argument("--timeout", type=float, default=_TIME_LIMIT, metavar="SECONDS", help="for all of it together")
    parser.add_argument("--mirrors", default="", metavar="DIRECTORY", help="default: the worker's")
    return parser


def _wanted(given: argparse.Namespace) -> Wanted:
    """Failed with all that is wrong."""
    flaws = {
        "repository": flaw_of_url(given.repository),
        "revision": flaw_of_name(given.revision) if given.revision else "",
        "branch": flaw_of_name(given.branch) if given.branch else "",
        "depth": "has to be at least 1" if given.depth is not None and given.depth < 1 else "",
        "timeout": "" if 0 < given.timeout < float("inf") else "has to be some seconds",
    }
    if given.token_environment and given.token_file:
        flaws["token-file"] = "cannot be given with token-environment"
    if (given.token_environment or given.token_file) and not given.repository.startswith(("https://", "http://")):
        flaws["repository"] = flaws["repository"] or "takes no token unless it begins with https:// or http://"
    here, directory = Path.cwd(), Path(given.directory or ".").absolute()
    is_within = directory.resolve().is_relative_to(here.resolve())
    if not is_within or ".git" in directory.resolve().relative_to(here.resolve()).parts:
        flaws["directory"] = "has to be within the working directory, and not in .git"
    if told := "; ".join(f"{name} {flaw}" for name, flaw in flaws.items() if flaw):
        raise Failed(Exit.WRONG_ARGUMENTS, f"The arguments are wrong: {told}.")
    return Wanted(given.repository, given.revision, given.branch, directory, given.depth, given.clean)


def _mirrors(given: str, environment: Mapping[str, str]) -> Path:
    directory = given or environment.get("ORCHESTRA_MIRRORS", "")
    if not directory:
        raise Failed(Exit.WRONG_ARGUMENTS, "This is not executed by a run: say with --mirrors where mirrors are kept.")
    return Path(directory).absolute()


def _token(variable: str, file: str, environment: Mapping[str, str]) -> str | None:
    if not variable and not file:
        return None
    token = environment.get(variable, "") if variable else _first_line(Path(file))
    if not (token.strip().isascii() and token.strip().isprintable() and token.strip()):
        where = f"the variable {variable}" if variable else file
        raise Failed(Exit.WRONG_ARGUMENTS, f"There is no token in {where}.")
    return token.strip()


def _first_line(file: Path) -> str:
    with file.open("rb") as stream:
        return stream.readline(_LONGEST_TOKEN).decode("utf-8", "replace")


def _record(wanted: Wanted, found: Found, date: datetime) -> None:
    """What the status of the project by revision goes by."""
    if "ORCHESTRA_RESULT_FILE" not in os.environ:
        return
    control = {"revision": found.revision, "date": date.isoformat().replace("+00:00", "Z"), "repository": wanted.url}
    if found.branch:
        control["branch"] = found.branch
    if (url := revision_url(wanted.url, found.revision)) is not None:
        control["url"] = url
    save_results({"revision_control": control})


def _say(sentence: str) -> None:
    # A title of a revision may hold what this terminal's encoding does not.
    line = f"checkout: {sentence}\n".encode(errors="replace")
    sys.stdout.flush()
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
