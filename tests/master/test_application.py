from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from job_orchestra.domain.definitions import Workspace
from job_orchestra.domain.errors import Forbidden, Unauthenticated
from job_orchestra.domain.reasons import Reason, ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import LogFacts
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.users import TokenKind
from job_orchestra.domain.workers import REFUSAL_PAUSE, Refusal
from job_orchestra.master.intake import log_key
from job_orchestra.protocol.connection import basic_authorization, bearer_authorization
from job_orchestra.protocol.control import (
    JobSwitched,
    LogGrew,
    RunChanged,
    RunTriggered,
    RunWish,
    WorkerChanged,
    WorkerWish,
)
from job_orchestra.protocol.messages import (
    Abort,
    Accepted,
    Acknowledged,
    Execute,
    Goodbye,
    Hindered,
    Refused,
    Release,
    Resume,
    RunOnDisk,
    SendAgain,
)
from tests.master.peers import Scenario, ServicePeer, Surroundings, WorkerPeer, ended, events, log, started


def test_a_run_from_trigger_to_release(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):
            run = await parts.trigger()
            await service.hint(RunTriggered(run.identifier))
            execute = await worker.hear(Execute)
            assert (execute.run, execute.attempt, execute.job) == (run.identifier, 1, "j")
            assert (await parts.stored(run)).worker == "w"
            await worker.say(Accepted(run.identifier, 1), log(run, 0, b"hello\n"), events(run, started()))
            assert await worker.hear(Acknowledged) == Acknowledged(run.identifier, 1, 1, 6)
            assert await service.hear(LogGrew) == LogGrew(run.identifier, 1, 6)
            assert not (await service.hear(RunChanged)).is_ended
            assert (await parts.stored(run)).status is RunStatus.RUNNING
            await worker.say(events(run, ended(2, b"hello\n")))
            assert await worker.hear(Release) == Release(run.identifier, 1)
            assert (await service.hear(RunChanged)).is_ended
            stored = await parts.stored(run)
            assert stored.status is RunStatus.SUCCEEDED
            assert stored.log.size == 6
            assert stored.duration == 0.5
            assert await parts.log_store.read(log_key(stored), 0, 100) == b"hello\n"

    play(scenario)


def test_a_lost_hint_costs_a_second_and_no_more(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        early = await parts.trigger()
        async with parts.serving(), parts.worker() as (worker, _):
            assert (await worker.hear(Execute)).run == early.identifier
            late = await parts.trigger()
            assert (await worker.hear(Execute)).run == late.identifier

    play(scenario)


def test_a_run_waits_at_the_master_until_its_workspace_is_free(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        first, second = [await parts.trigger(workspace=Workspace.JOB) for _ in range(2)]
        async with parts.serving(), parts.worker() as (worker, _):
            assert (await worker.hear(Execute)).run == first.identifier
            assert (await parts.stored(second)).worker is None
            await worker.say(log(first, 0, b"a"), events(first, started(), ended(2, b"a")))
            assert (await worker.hear(Execute)).run == second.identifier

    play(scenario)


def test_runs_of_a_concurrency_group_go_one_after_the_other_and_others_beside_them(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(parts: Surroundings) -> None:
        first, second = [await parts.trigger(concurrency="deploy") for _ in range(2)]
        other = await parts.trigger()
        async with parts.serving(), parts.worker() as (worker, _):
            assert {(await worker.hear(Execute)).run for _ in range(2)} == {first.identifier, other.identifier}
            await worker.say(log(other, 0, b"a"), events(other, started(), ended(2, b"a")))
            await worker.hear(Release)
            assert (await parts.stored(second)).worker is None
            await worker.say(log(first, 0, b"a"), events(first, started(), ended(2, b"a")))
            assert (await worker.hear(Execute)).run == second.identifier
            assert (await parts.stored(second)).slot == "p/deploy/1"

    play(scenario)


def test_a_run_expires_by_its_own_time_also_while_its_job_is_disabled(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service:
            await parts.jobs.set_enabled("p", "j", False)
            patient, hasty = await parts.trigger(expiry=600.0), await parts.trigger(expiry=60.0)
            parts.clock.shift += timedelta(seconds=61)
            assert (await service.hear(RunChanged)).run == hasty.identifier
            stored = await parts.stored(hasty)
            assert stored.status is RunStatus.CANCELLED
            assert stored.reason == Reason(ReasonCode.EXPIRED, "It was not taken within 60 seconds.")
            assert (await parts.stored(patient)).status is RunStatus.PENDING

    play(scenario)


def test_a_slot_that_was_freed_elsewhere_is_found_by_the_next_look(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        elsewhere = await parts.queue.assign(await parts.trigger(concurrency="deploy"), "v", "p/deploy/1")
        assert elsewhere is not None
        waiting = await parts.trigger(concurrency="deploy")
        async with parts.serving(), parts.worker() as (worker, _):
            last = await parts.trigger()
            assert (await worker.hear(Execute)).run == last.identifier
            assert (await parts.stored(waiting)).worker is None
            # By another master, to which its worker is connected.
            await parts.queue.unassign(elsewhere)
            assert (await worker.hear(Execute)).run in (waiting.identifier, elsewhere.identifier)

    play(scenario)


def test_a_worker_that_comes_back_goes_on_where_the_master_has_everything(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.worker() as (worker, _):
            await worker.hear(Execute)
            await worker.say(Accepted(run.identifier, 1), log(run, 0, b"abc"), events(run, started()))
            await worker.hear(Acknowledged)
        on_disk = RunOnDisk(run.identifier, 1, 2, 6)
        async with parts.serving(), parts.worker(on_disk) as (worker, welcome):
            assert welcome.resume == (Resume(run.identifier, 1, 1, 3),)
            # The last piece again, as if its acknowledgement had been lost, and then the rest.
            await worker.say(log(run, 0, b"abc"), log(run, 3, b"def"), events(run, started(), ended(2, b"abcdef")))
            await worker.hear(Release)
        async with parts.serving(), parts.worker(on_disk) as (_, welcome):
            assert welcome.release == (on_disk,)
        assert (await parts.stored(run)).status is RunStatus.SUCCEEDED

    play(scenario)


def test_a_request_is_repeated_until_the_worker_has_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving():
            for _ in range(2):
                async with parts.worker() as (worker, _):
                    assert (await worker.hear(Execute)).run == run.identifier

    play(scenario)


def test_a_late_look_at_a_run_that_has_ended_meanwhile_does_not_execute_it_again(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):
            run = await parts.trigger()
            await worker.hear(Execute)
            assigned = await parts.stored(run)
            await worker.say(log(run, 0, b"x"), events(run, started(), ended(2, b"x")))
            await worker.hear(Release)
            parts.queue.remembered = [assigned]
            await service.hint(RunTriggered(run.identifier))
            while parts.queue.is_late:
                await asyncio.sleep(0)
            following = await parts.trigger()
            await service.hint(RunTriggered(following.identifier))
            assert (await worker.hear(Execute)).run == following.identifier

    play(scenario)


def test_a_log_that_does_not_match_is_sent_again(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.worker() as (worker, _):
            await worker.hear(Execute)
            await worker.say(log(run, 0, b"wrong"), events(run, started(), ended(2, b"right")))
            assert await worker.hear(SendAgain) == SendAgain(run.identifier, 1)
            assert (await parts.stored(run)).status is RunStatus.RUNNING
            await worker.say(log(run, 0, b"right"), events(run, ended(2, b"right")))
            await worker.hear(Release)
        stored = await parts.stored(run)
        assert stored.log == LogFacts(5, ended(2, b"right").log_sha256)

    play(scenario)


def test_a_log_that_never_becomes_what_it_was_ends_the_run_as_an_exception(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.worker() as (worker, _):
            await worker.hear(Execute)
            await worker.say(log(run, 0, b"wrong"), events(run, started(), ended(2, b"right")))
            for _ in range(2):
                await worker.hear(SendAgain)
                await worker.say(log(run, 0, b"wrong"), events(run, ended(2, b"right")))
            await worker.hear(Release)
        stored = await parts.stored(run)
        assert (stored.status, stored.log) == (RunStatus.EXCEPTION, LogFacts(5, None))
        assert stored.reason is not None
        assert stored.reason.code is ReasonCode.LOG_DAMAGED
        assert "It had 5 bytes then; the 5 that are stored" in stored.reason.sentence

    play(scenario)


def test_a_refused_run_becomes_the_next_attempt_and_waits(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):
            await worker.hear(Execute)
            await worker.say(Refused(run.identifier, 1, "disk full"))
            while (await parts.stored(run)).attempt == 1:
                await asyncio.sleep(0)
            # Cancelled while it waits: nobody has it.
            await parts.runs.request_cancel("p", run.identifier, "eve")
            await service.hint(RunWish(run.identifier))
            assert (await service.hear(RunChanged)).is_ended
        stored = await parts.stored(run)
        assert (stored.status, stored.attempt, stored.worker) == (RunStatus.CANCELLED, 2, None)
        assert stored.reason is not None
        assert stored.reason.code is ReasonCode.CANCEL_REQUESTED

    play(scenario)


def test_an_abort_reaches_the_worker_at_once_and_again_after_a_reconnection(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await worker.hear(Execute)
                await worker.say(events(run, started()))
                await worker.hear(Acknowledged)
                await parts.runs.request_abort("p", run.identifier, "eve")
                await service.hint(RunWish(run.identifier))
                assert await worker.hear(Abort) == Abort(run.identifier, 1, "eve")
            async with parts.worker(RunOnDisk(run.identifier, 1, 1, 0)) as (worker, _):
                assert await worker.hear(Abort) == Abort(run.identifier, 1, "eve")

    play(scenario)


def test_a_disabled_job_gets_nothing_until_it_is_enabled(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving():
            await parts.jobs.set_enabled("p", "j", False)
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):
            held = await parts.trigger()
            await service.hint(RunTriggered(held.identifier))
            await _pass_by(parts, service)
            assert (await parts.stored(held)).worker is None
            await parts.jobs.set_enabled("p", "j", True)
            await service.hint(JobSwitched("p", "j"))
            assert (await worker.hear(Execute)).run == held.identifier

    play(scenario)


def test_a_disabled_worker_gets_nothing_until_it_is_enabled(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service:
            async with parts.worker():
                await parts.workers.set_enabled("w", False)
            async with parts.worker() as (worker, _):
                held = await parts.trigger()
                await service.hint(RunTriggered(held.identifier))
                await _pass_by(parts, service)
                assert (await parts.stored(held)).worker is None
                await parts.workers.set_enabled("w", True)
                await service.hint(WorkerWish("w"))
                assert (await worker.hear(Execute)).run == held.identifier

    play(scenario)


async def _pass_by(parts: Surroundings, service: ServicePeer) -> None:
    """What the master was told before has been looked at: a run that came later is triggered and cancelled."""
    run = await parts.trigger({"operating_system": "plan9"})
    await service.hint(RunTriggered(run.identifier))
    await parts.runs.request_cancel("p", run.identifier, "eve")
    await service.hint(RunWish(run.identifier))
    while not (await service.hear(RunChanged)).is_ended:
        pass


def test_a_newer_connection_of_the_same_worker_takes_the_place_of_the_older(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.worker() as (older, _), parts.worker() as (newer, _):
            assert (await older.hear(Goodbye)).code == "replaced"
            run = await parts.trigger()
            assert (await newer.hear(Execute)).run == run.identifier

    play(scenario)


def test_another_instance_under_the_name_is_refused_and_told_who_holds_it(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.worker() as (holder, _):
            async with parts.bare_worker() as other:
                await other.greet(instance="two")
                goodbye = await other.hear(Goodbye)
                assert goodbye.is_final
                assert "'w'" in goodbye.message
            run = await parts.trigger()
            assert (await holder.hear(Execute)).run == run.identifier

    play(scenario)


def test_another_user_takes_no_ones_place_whatever_it_knows(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        await parts.accounts.create_user("others", (Role.WORKER,))
        token = (await parts.accounts.create_token("others")).secret
        async with parts.serving(), parts.worker() as (holder, _):
            async with parts.bare_worker(basic_authorization("others", token)) as other:
                await other.greet()
                goodbye = await other.hear(Goodbye)
                assert "belongs to user 'workers', not to 'others'" in goodbye.message
            run = await parts.trigger()
            assert (await holder.hear(Execute)).run == run.identifier

    play(scenario)


async def say_nonsense(peer: WorkerPeer) -> None:
    await peer.connection.send_frame(b"\xc1nonsense")


async def speak_of_a_foreign_run(peer: WorkerPeer) -> None:
    await peer.say(Accepted("01", 1))


async def greet_twice(peer: WorkerPeer) -> None:
    await peer.greet()


@pytest.mark.parametrize("speak", [say_nonsense, speak_of_a_foreign_run, greet_twice])
def test_what_makes_no_sense_ends_that_connection_and_no_other(
    play: Callable[[Scenario], None], speak: Callable[[WorkerPeer], Awaitable[None]]
) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await speak(worker)
                assert (await worker.hear(Goodbye)).code == "violation"
                await worker.wait_for_end()
            async with parts.worker() as (worker, _):
                run = await parts.trigger()
                await service.hint(RunTriggered(run.identifier))
                assert (await worker.hear(Execute)).run == run.identifier

    play(scenario)


def test_an_event_that_cannot_follow_is_refused_and_changes_nothing(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.worker() as (worker, _):
            await worker.hear(Execute)
            await worker.say(events(run, started(), replace(started(), sequence=2)))
            assert "cannot become" in (await worker.hear(Goodbye)).message
        assert (await parts.stored(run)).status is RunStatus.PENDING

    play(scenario)


def test_a_run_whose_data_the_worker_lost_ends_with_that_reason(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await worker.hear(Execute)
                await worker.say(events(run, started()))
                await worker.hear(Acknowledged)
            async with parts.worker():
                while not (await service.hear(RunChanged)).is_ended:
                    pass
        stored = await parts.stored(run)
        assert stored.status is RunStatus.EXCEPTION
        assert stored.reason is not None
        assert stored.reason.code is ReasonCode.WORKER_LOST
        assert stored.log.sha256 is None

    play(scenario)


def test_a_run_that_lost_its_last_writes_with_its_host_ends_with_that_reason(play: Callable[[Scenario], None]) -> None:
    """The worker that is back has less than it had reported, and says that its host was restarted."""

    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await worker.hear(Execute)
                await worker.say(log(run, 0, b"so far"), events(run, started()))
                while (await worker.hear(Acknowledged)).log_size < 6:
                    pass
            on_disk = RunOnDisk(run.identifier, 1, 1, 3, is_of_this_boot=False)
            async with parts.worker(on_disk) as (worker, welcome):
                assert welcome.resume == (Resume(run.identifier, 1, 0, 0),)
                while not (await service.hear(RunChanged)).is_ended:
                    pass
                await worker.say(log(run, 0, b"so "), events(run, started()))
                assert (await worker.hear(Acknowledged)).log_size == 3
            # What its disk still had comes as a late report, over as many connections as it takes.
            async with parts.worker(on_disk) as (worker, welcome):
                assert welcome.resume == (Resume(run.identifier, 1, 1, 3),)
                await worker.say(events(run, ended(2, b"so ")))
                await worker.hear(Release)
        stored = await parts.stored(run)
        assert stored.status is RunStatus.EXCEPTION
        assert stored.reason is not None
        assert stored.reason.code is ReasonCode.HOST_RESTARTED
        assert stored.log.size == 6
        (report,) = await parts.late_reports.of(stored)
        assert report.account.log.size == 3

    play(scenario)


def test_a_worker_that_is_hindered_gets_no_runs_until_it_is_not(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):
            await worker.say(Hindered("has a full disk"))
            while (await parts.workers.get("w")).description.hindrance != "has a full disk":
                await service.hear(WorkerChanged)
            run = await parts.trigger()
            await service.hint(RunTriggered(run.identifier))
            await worker.say(Hindered(""))
            assert (await worker.hear(Execute)).run == run.identifier
            assert (await parts.workers.get("w")).description.hindrance == ""

    play(scenario)


def test_a_worker_that_refuses_a_run_is_left_alone_for_a_while_and_that_is_told(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.service() as service, parts.worker() as (worker, _):

            async def last_refusal() -> Refusal | None:
                await service.hear(WorkerChanged)
                return (await parts.workers.get("w")).description.refusal

            await worker.hear(Execute)
            await worker.say(Refused(run.identifier, 1, f"No\nroom{'.' * 1000}"))
            while (refusal := await last_refusal()) is None:
                pass
            assert (refusal.run, refusal.reason) == (run.identifier, f"No room{'.' * 193}")
            other = await parts.trigger()
            await service.hint(RunTriggered(other.identifier))
            await _pass_by(parts, service)
            assert [(await parts.stored(one)).worker for one in (run, other)] == [None, None]
            parts.clock.shift += REFUSAL_PAUSE
            given = await worker.hear(Execute)
            await worker.say(Accepted(given.run, given.attempt))
            while await last_refusal() is not None:
                pass

    play(scenario)


def test_a_worker_with_another_directory_does_not_begin_again_what_the_first_one_had(
    play: Callable[[Scenario], None],
) -> None:
    async def scenario(parts: Surroundings) -> None:
        run = await parts.trigger()
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                # It may have begun, and told nothing of it yet.
                await worker.hear(Execute)
            while (await parts.workers.get("w")).is_connected:
                await service.hear(WorkerChanged)
            async with parts.worker(instance="another") as (worker, _):
                stored = await parts.stored(run)
                assert stored.status is RunStatus.EXCEPTION
                assert stored.reason is not None
                assert stored.reason.code is ReasonCode.WORKER_LOST
                following = await parts.trigger()
                await service.hint(RunTriggered(following.identifier))
                assert (await worker.hear(Execute)).run == following.identifier

    play(scenario)


def test_who_may_not_connect_is_told_why(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        await parts.accounts.create_user("viewer", roles=(Role.VIEWER,))
        viewer = (await parts.accounts.create_token("viewer", TokenKind.PERSONAL, "", None)).secret
        control = await parts.accounts.create_control_token()
        async with parts.serving():
            for authorization in (basic_authorization("workers", "wrong"), "Digest x", bearer_authorization("00")):
                with pytest.raises(Unauthenticated):
                    async with parts.bare_worker(authorization):
                        pass
            with pytest.raises(Forbidden, match="lacks the role worker"):
                async with parts.bare_worker(basic_authorization("viewer", viewer)):
                    pass
            with pytest.raises((Forbidden, Unauthenticated)):
                async with parts.bare_worker(bearer_authorization(control)):
                    pass
            await parts.accounts.set_user_enabled("workers", False)
            with pytest.raises(Forbidden, match="is disabled"):
                async with parts.bare_worker():
                    pass

    play(scenario)


def test_a_deleted_worker_and_one_to_be_disconnected_are_dismissed(play: Callable[[Scenario], None]) -> None:
    async def scenario(parts: Surroundings) -> None:
        async with parts.serving(), parts.service() as service:
            async with parts.worker() as (worker, _):
                await parts.workers.set_disconnect("w")
                await service.hint(WorkerWish("w"))
                assert (await worker.hear(Goodbye)).code == "disconnected"
            async with parts.worker() as (worker, _):
                assert (await parts.workers.get("w")).is_connected
            async with asyncio.timeout(10):
                while (await parts.workers.get("w")).is_connected:
                    await asyncio.sleep(0)

    play(scenario)
