"""For programs inside a run that trigger other runs of the project, wait for them and read their results.

from job_orchestra.client.controller import Controller
controller = Controller()
build = controller.trigger("build", {"revision": "main"}, key="build")
print(controller.wait(build).results)

The job has to ask for a token: `Job(…, token=True)`. Errors are those of `job_orchestra.domain.errors`.
"""

from __future__ import annotations

import os
import secrets
from collections import deque

from job_orchestra.client.calls import jobs, runs
from job_orchestra.client.credentials import Credentials
from job_orchestra.client.inside import OutsideRun, ThisRun, this_run
from job_orchestra.client.synchronous import Client
from job_orchestra.client.transport import PATIENCE
from job_orchestra.domain.json import JsonObject
from job_orchestra.protocol.resources.runs import RunAnswer


class Controller:
    def __init__(self, patience: float = PATIENCE) -> None:
        """OutsideRun if no run executes this program, or one without a token.

        `patience` is how many seconds the service may be away.
        """
        self.run: ThisRun = this_run()
        token = os.environ.get("ORCHESTRA_TOKEN")
        if not token:
            raise OutsideRun("This run has no token: its job has to say token=True in the projects file.")
        self._client = Client(self.run.service_url, Credentials(token))
        self._patience = patience

    def trigger(
        self,
        job: str,
        parameters: JsonObject | None = None,
        *,
        key: str | None = None,
        priority: int | None = None,
        abort_with_run: bool = False,
    ) -> RunAnswer:
        """A new run of a job of this project, whose source is this run.

        With a key, triggering it again answers with the same run, also from another attempt of this one. With
        `abort_with_run` it is aborted if this run is; Conflict if this run is to be aborted already.
        """
        name = secrets.token_hex(8) if key is None else key
        call = jobs.trigger(
            self.run.project,
            job,
            parameters,
            priority=priority,
            abort_with_run=abort_with_run,
            idempotency_key=f"run {self.run.run} {name}",
        )
        return self._client.send_patiently(call, self._patience)

    def get(self, run: RunAnswer | str) -> RunAnswer:
        """As it is now."""
        return self._client.send_patiently(runs.get(self.run.project, _identifier(run)), self._patience)

    def wait(self, run: RunAnswer | str) -> RunAnswer:
        """The run when it has ended, however: its `status` and `reason` tell, its `results` are whole."""
        found = self.get(run)
        # Its log is followed, which ends with the run, and what is in it so far need not be sent.
        deque(self._client.follow_log(found.project, found.identifier, found.log.size, self._patience), maxlen=0)
        return self.get(run)

    def abort(self, run: RunAnswer | str) -> RunAnswer:
        """Asks that it stops, whether it has started or not; Conflict if it has ended."""
        return self._client.send_patiently(runs.abort(self.run.project, _identifier(run)), self._patience)


def _identifier(run: RunAnswer | str) -> str:
    return run if isinstance(run, str) else run.identifier
