"""Starts the executor host: `python -I -S -X utf8 …/executor/__main__.py WORKER_DIRECTORY HOST_DIRECTORY SOCKET LINGER`

By its path, so that neither the site packages nor the directory it is started in have a part in it. SOCKET is the
number of the inherited descriptor of its listening socket; LINGER are seconds.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(arguments: list[str]) -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import asyncio
    import os
    import socket

    from job_orchestra.execution.host_directory import HostDirectory
    from job_orchestra.executor.host import ExecutorHost
    from job_orchestra.executor.inheritance import become_subreaper, keep_only
    from job_orchestra.fail_points import VARIABLE, arm

    worker_directory, host_directory, descriptor, linger = arguments

    async def serve() -> None:
        host = ExecutorHost(Path(worker_directory), HostDirectory(Path(host_directory)), float(linger))
        await host.serve(socket.socket(fileno=int(descriptor)))

    arm(os.environ.get(VARIABLE, ""))
    become_subreaper()
    keep_only(range(int(descriptor) + 1))
    os.set_inheritable(int(descriptor), False)
    asyncio.run(serve())


if __name__ == "__main__":
    main(sys.argv[1:])
