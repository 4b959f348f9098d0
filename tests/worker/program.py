"""A worker as a process of its own, to be killed: `python -m tests.worker.program DIRECTORY URL`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from job_orchestra.worker.application import WorkerApplication


def main(directory: str, url: str) -> None:
    application = WorkerApplication(
        identifier="worker-1", directory=Path(directory), master_url=url, user="worker", token="token", host_linger=5.0
    )
    asyncio.run(application.run(asyncio.Event(), print))


if __name__ == "__main__":
    main(*sys.argv[1:])
