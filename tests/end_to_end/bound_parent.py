"""A job that triggers runs that are aborted with it and one that is not, then waits for ever, or writes too much."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from job_orchestra.client.controller import Controller

controller = Controller()
running = controller.trigger("endless", abort_with_run=True)
controller.trigger("nowhere", abort_with_run=True)
controller.trigger("nowhere")
command = [sys.executable, "-m", "job_orchestra", "trigger", "example", "nowhere", "--abort-with-run"]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
while controller.get(running).status != "running":
    time.sleep(0.02)
print("all are there", flush=True)
while sys.argv[1] == "writes":
    print("far too much")
threading.Event().wait()
