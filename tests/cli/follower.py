"""Follows a run at the service in the first argument, whose main thread is not the one that signals come to."""

from __future__ import annotations

import signal
import sys
import threading

from job_orchestra.cli.errors import exit_code_of
from job_orchestra.cli.following import follow, wait
from job_orchestra.client.synchronous import Client

# Then one that arrives breaks off nothing in the main thread: as if it came just before a call that waits.
threading.Thread(target=threading.Event().wait, daemon=True).start()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
url, how = sys.argv[1:]


def command() -> object:
    client = Client(url)
    return follow(client, "example", "r1") if how == "follow" else wait(client, "example", "r1")


sys.exit(exit_code_of(command))
