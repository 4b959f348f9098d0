"""A job that triggers another one, twice with the same key, reads its results and aborts a third run."""

from __future__ import annotations

import os
import subprocess
import sys

from job_orchestra.client.controller import Controller
from job_orchestra.client.inside import save_results

controller = Controller()
first = controller.trigger("child", {"text": "one"}, key="child")
same = controller.trigger("child", {"text": "one"}, key="child")
ended = controller.wait(first)
endless = controller.trigger("endless")
controller.abort(endless)
command = [sys.executable, "-m", "job_orchestra", "trigger", "p", "child", "-p", "text=fails", "--wait"]
failing = subprocess.run(command, check=False, capture_output=True, text=True)
save_results(
    {
        "is_same": first.identifier == same.identifier,
        "child": [ended.status, ended.results],
        "endless": controller.wait(endless).status,
        "failing": failing.returncode,
        "is_token_there": "ORCHESTRA_TOKEN" in os.environ,
    }
)
