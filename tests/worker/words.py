from __future__ import annotations

from job_orchestra.execution.request import Request


class Words:
    """An executor as a user may write it."""

    def main(self, request: Request) -> int | None:
        match request.definition["data"]:
            case {"say": str(word)}:
                print(word, flush=True)
                return None
            case _:
                return 1
