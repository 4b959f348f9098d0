"""What is asked in the background: when it is asked, who waits, and what stays known."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable

import pytest

from job_orchestra.domain.errors import NotFound
from job_orchestra.service.background_answers import AskingFailed, BackgroundAnswers, Key, Known, Patience, Place
from tests.repositories.records import ManualClock

_LONG = 10.0


class Asked:
    """Answers one after the other; what is no text is raised, and None never comes."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self._answers = list(answers)
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        match self._answers.pop(0):
            case None:
                await asyncio.Event().wait()
                raise AssertionError
            case Exception() as error:
                raise error
            case text:
                return text


Ask = Callable[..., Awaitable[Known[str]]]


def play(scenario: Callable[[BackgroundAnswers, Ask], Awaitable[None]], most: int = 500) -> None:
    async def run() -> None:
        answers = BackgroundAnswers(ManualClock(), most=most)
        places: dict[str, Place] = {}

        async def ask(
            question: Asked, name: str = "q", place: str = "p", fresh_for: float = _LONG, patience: float = _LONG
        ) -> Known[str]:
            now = asyncio.get_running_loop().time()
            where = places.setdefault(place, Place())
            return await answers.ask(Key("s", (name,)), where, question, fresh_for, Patience(now, patience, patience))

        try:
            await scenario(answers, ask)
        finally:
            await answers.close()

    asyncio.run(run())


def test_an_answer_is_kept_while_it_is_fresh() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked("one", "two")
        assert [(await ask(question)).value for _ in range(3)] == ["one"] * 3
        answers.forget_freshness("other")
        assert (await ask(question)).value == "one"
        answers.forget_freshness("s")
        assert (await ask(question)).value == "two"
        assert question.times == 2

    play(scenario)


def test_many_who_want_to_know_ask_once() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked("one")
        found = await asyncio.gather(*(ask(question) for _ in range(20)))
        assert ({known.value for known in found}, question.times) == ({"one"}, 1)

    play(scenario)


def test_nobody_waits_for_longer_than_he_has_patience() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked(None)
        known = await ask(question, patience=0.01)
        assert (known.value, known.is_fetching, known.failure) == (None, True, None)
        # Another question of the same place waits behind it, and so does nobody who asks for it.
        behind = await ask(Asked("never"), "other", patience=0.01)
        assert (behind.value, behind.is_fetching) == (None, True)
        elsewhere = await ask(Asked("at once"), "third", "elsewhere")
        assert elsewhere.value == "at once"
        assert question.times == 1

    play(scenario)


def test_what_was_known_outlives_failures_and_the_place_rests() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked("one", AskingFailed("It burns.", retry_after=0.0), AskingFailed("Still."), "two")
        await ask(question)
        burning = await ask(question, fresh_for=0)
        assert burning.value == "one"
        assert burning.failure is not None
        assert burning.failure.sentence == "It burns."
        still = await ask(question, fresh_for=0)
        assert still.failure is not None
        assert still.failure.sentence == "Still."
        resting = await ask(question, fresh_for=0)  # for seconds, as nobody said for how long
        assert (resting.value, resting.is_fetching, question.times) == ("one", False, 3)
        other = Asked("unasked")
        assert (await ask(other, "other")).value is None
        assert other.times == 0

    play(scenario)


def test_what_is_not_there_is_no_failure() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked(NotFound("branch", "x"))
        for _ in range(2):
            with pytest.raises(NotFound):
                await ask(question)
        assert question.times == 1
        assert (await ask(Asked("there"), "other")).failure is None

    play(scenario)


def test_what_is_missing_is_told_to_each_by_an_error_of_his_own() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked(NotFound("branch", "x"))
        told: list[NotFound] = []
        for _ in range(3):
            with pytest.raises(NotFound, match=r"There is no branch 'x'\.") as missing:
                await ask(question)
            told.append(missing.value)
        assert len({id(error) for error in told}) == 3
        assert len({len(traceback.extract_tb(error.__traceback__)) for error in told}) == 1

    play(scenario)


def test_what_was_known_outlives_that_it_is_not_there_any_more() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        question = Asked("one", NotFound("branch", "x"), AskingFailed("It burns.", retry_after=0.0), "two")
        known = await ask(question)
        gone = await ask(question, fresh_for=0)
        assert (gone.value, gone.fetched_at) == ("one", known.fetched_at)
        assert gone.failure is not None
        assert gone.failure.sentence == "There is no branch 'x'."
        assert (await ask(question)).failure == gone.failure  # which is fresh, too
        burning = await ask(question, fresh_for=0)
        assert burning.failure is not None
        assert (burning.value, burning.failure.sentence) == ("one", "It burns.")
        again = await ask(question, fresh_for=0)
        assert (again.value, again.failure, question.times) == ("two", None, 4)

    play(scenario)


def test_a_fault_is_told_like_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        known = await ask(Asked(ZeroDivisionError("secret")))
        assert known.failure is not None
        assert "fault" in known.failure.sentence
        assert "secret" not in known.failure.sentence

    play(scenario)
    assert "ZeroDivisionError" in caplog.text


def test_only_so_many_answers_are_kept() -> None:
    async def scenario(answers: BackgroundAnswers, ask: Ask) -> None:
        questions = [Asked(str(number), "again") for number in range(3)]
        for number, question in enumerate(questions):
            await ask(question, str(number))
        assert (await ask(questions[2], "2")).value == "2"
        assert (await ask(questions[0], "0")).value == "again"
        hanging = Asked(None)
        await ask(hanging, "hanging", "far away", patience=0.01)
        await ask(Asked("x"), "x")
        await ask(Asked("y"), "y")
        # Those that are being asked go last.
        assert (await ask(hanging, "hanging", "far away", patience=0.01)).is_fetching
        assert hanging.times == 1
        for number in range(2):
            await ask(Asked(None), f"hanging {number}", f"far away {number}", patience=0.01)
        assert (await ask(Asked("anew"), "hanging", "far away")).value == "anew"

    play(scenario, most=2)
