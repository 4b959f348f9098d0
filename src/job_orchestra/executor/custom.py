"""A definition type of the user's, in a process of its own: `python -m job_orchestra.executor.custom module:Class`.

The class is made without arguments; its `main(request)` returns the exit code (None is 0). It writes its output to
standard output, and results to the result file, as any command does.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Protocol

from job_orchestra.execution.request import Request, decode_request


class CustomExecutor(Protocol):
    def main(self, request: Request) -> int | None: ...


def main(name: str) -> int | None:
    module, _, attribute = name.partition(":")
    executor: CustomExecutor = getattr(importlib.import_module(module), attribute)()
    return executor.main(decode_request(Path(os.environ["ORCHESTRA_REQUEST"]).read_bytes()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
