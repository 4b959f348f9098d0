"""Following a run on standard output, attempt by attempt, whatever the service does meanwhile."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from job_orchestra.cli.following import follow, wait
from job_orchestra.client.synchronous import Client
from job_orchestra.domain.errors import Unavailable
from tests.client.runs import scripted_run
from tests.client.scripted_service import Scripted, scripted_service
from tests.end_to_end.installation import wait_until

AWAY = Scripted(status=503)
FIRST = scripted_run(ended=False, size=0)
SECOND = scripted_run(ended=False, size=0, attempt=2, past={1: 4})
ENDED = scripted_run(ended=True, size=4, attempt=2, past={1: 4})


def test_a_service_that_is_away_between_two_attempts_ends_nothing(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    first = (FIRST, Scripted(content=b"one\n"), SECOND)
    second = (SECOND, Scripted(content=b"two\n"), ENDED)
    with scripted_service(FIRST, *first, AWAY, SECOND, *second, AWAY, ENDED) as service:
        assert follow(Client(service.url), "example", "r1") == 0
    told = capfdbinary.readouterr()
    assert told.out == b"one\ntwo\n"
    assert told.err == b"Attempt 1 failed: It failed. Attempt 2 follows.\n"


def test_who_waits_gets_the_run_although_the_service_went_away_at_its_end() -> None:
    with scripted_service(
        FIRST, FIRST, Scripted(content=b"one\n"), ENDED, Scripted(content=b"two\n"), ENDED, AWAY, ENDED
    ) as service:
        assert wait(Client(service.url), "example", "r1").attempt == 2


@pytest.mark.parametrize("start", [follow, wait])
def test_without_a_service_at_first_it_is_told_at_once(start: Callable[[Client, str, str], object]) -> None:
    with scripted_service(AWAY) as service, pytest.raises(Unavailable):
        start(Client(service.url), "example", "r1")
    assert len(service.received) == 1


@pytest.mark.parametrize("how", ["follow", "wait"])
def test_an_interruption_is_noticed_although_it_breaks_off_nothing(how: str) -> None:
    program = Path(__file__).with_name("follower.py")
    looks = [FIRST, FIRST]
    with scripted_service(*looks, Scripted(content=b"one\n", stalls=True)) as service:
        follower = subprocess.Popen(
            [sys.executable, program, service.url, how], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        with follower:
            wait_until(lambda: len(service.received) > len(looks))
            if how == "follow":
                assert follower.stdout is not None
                assert follower.stdout.read(4) == b"one\n"
            follower.send_signal(signal.SIGINT)
            assert follower.communicate(timeout=20) == (b"", b"")
    assert follower.returncode == 130
