"""A long storm: `python -m tests.faults --runs 500 --faults 100 --seed 7 --database postgresql`."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.campaign import Scale, carry_out
from tests.faults.databases import Database, OnServer, Sqlite
from tests.faults.plan import Victim
from tests.servers import running_server
from tests.services import DATABASES

_LONGEST_PAUSE = 20.0
_RUNS_FOR_A_LINE = 10


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--faults", type=int, default=100)
    parser.add_argument("--seed", type=int, default=None, help="decides deeds and faults; random if not given")
    parser.add_argument("--database", choices=DATABASES, default="sqlite")
    parser.add_argument("--verbose", action="store_true", help="a line for each fault, as it is committed")
    arguments = parser.parse_args()
    seed = secrets.randbelow(1_000_000) if arguments.seed is None else arguments.seed
    directory = Path(tempfile.mkdtemp(prefix="orchestra-faults-"))
    print(f"seed {seed}, in {directory}", flush=True)
    say: Callable[[str], None] = _say if arguments.verbose else lambda _: None
    lines = arguments.runs // _RUNS_FOR_A_LINE
    scale = Scale(seed, arguments.runs, arguments.faults, lines, _LONGEST_PAUSE)
    with _database(arguments.database, directory) as database:
        figures = asyncio.run(carry_out(scale, directory / "installation", database, say))
    print(figures)
    if figures.findings:
        print(
            f"{directory} is kept; the same deeds and faults: {parser.prog} --seed {seed} --runs {scale.runs} "
            f"--faults {scale.faults} --database {arguments.database}"
        )
        return 1
    shutil.rmtree(directory)
    return 0


def _say(sentence: str) -> None:
    print(sentence, flush=True)


@contextmanager
def _database(kind: str, directory: Path) -> Generator[Database]:
    if kind == "sqlite":
        yield Sqlite(directory / "orchestra.db")
        return
    with running_server(kind) as server:
        yield OnServer(Victim(kind), server)


if __name__ == "__main__":
    sys.exit(main())
