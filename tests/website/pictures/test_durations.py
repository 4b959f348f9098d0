"""How the last runs of a job went: durations, and the rate of success."""

from __future__ import annotations

from pathlib import Path

from job_orchestra.website.pictures.durations import durations_of
from job_orchestra.website.pictures.success import success_rate_of
from tests.website.pictures.answers import run_answer
from tests.website.pictures.drawing import NOW, SVG, draw, svgs, words

RUNS = [
    run_answer("pending", created=-1),
    run_answer("running", created=-9, started=-8),
    run_answer("cancelled", created=-15, ended=-12),
    run_answer("failed", created=-30, started=-30, ended=-28),
    run_answer("aborted", created=-50, started=-50, ended=-46),
    run_answer("exception", created=-60, started=-60, ended=-60),
    run_answer("succeeded", created=-100, started=-90, ended=-74),
]
"""From the newest on, as lists have them."""


def test_bars_stand_from_the_oldest_to_the_newest(tmp_path: Path) -> None:
    durations = durations_of(RUNS, NOW)
    assert durations is not None
    assert [bar.status for bar in durations.bars] == [run.status for run in reversed(RUNS)]
    assert [bar.height for bar in durations.bars] == [100, 1, 25, 12, 0, 50, 0]
    assert all(later.x - earlier.x == 15 for earlier, later in zip(durations.bars, durations.bars[1:], strict=False))
    assert [text for _, text in durations.ticks] == ["5 s", "10 s", "15 s"]
    assert (
        durations.description == "The last 4 that have ended took between 0 ms and 16.0 s, half of them at most 3.0 s."
    )
    html = draw(tmp_path, "durations", durations)
    assert f'<p class="hint">{durations.description}</p>' in html
    [picture] = svgs(html)
    assert [words(bar) for bar in picture.iter(f"{SVG}a")] == [
        "2026-11-26 10:28:20: succeeded, 16.0 s ✓",
        "2026-11-26 10:29:00: exception, 0 ms ▲",
        "2026-11-26 10:29:10: aborted, 4.0 s ■",
        "2026-11-26 10:29:30: failed, 2.0 s ✕",
        "2026-11-26 10:29:45: cancelled ⊘",
        "2026-11-26 10:29:51: running, 8.0 s ▶",
        "2026-11-26 10:29:59: pending ○",
    ]
    assert len(picture.findall(f".//{SVG}rect")) == 5


def test_without_a_run_that_has_begun_there_is_no_picture() -> None:
    assert durations_of([], NOW) is None
    assert durations_of([RUNS[0], RUNS[2]], NOW) is None
    one = durations_of([RUNS[3]], NOW)
    assert one is not None
    assert one.description == "The last one that has ended took 2.0 s."
    unfinished = durations_of(RUNS[:2], NOW)
    assert unfinished is not None
    assert unfinished.description == "None of them has ended."


def test_all_that_took_no_time_are_drawn_nevertheless() -> None:
    nothing = durations_of([RUNS[5]] * 3, NOW)
    assert nothing is not None
    assert [bar.height for bar in nothing.bars] == [1, 1, 1]


def test_the_rate_of_success_is_that_of_executed_runs(tmp_path: Path) -> None:
    rate = success_rate_of([*RUNS, *[RUNS[-1]] * 4])
    assert rate is not None
    assert (
        rate.sentence
        == "5 of the last 8 executed runs succeeded (62\N{NO-BREAK SPACE}%); 1 failed, 1 exception, 1 aborted."
    )
    assert [(share.status, share.x, share.width) for share in rate.shares] == [
        ("succeeded", 0, 200), ("failed", 200, 40), ("exception", 240, 40), ("aborted", 280, 40)
    ]  # fmt: skip
    html = draw(tmp_path, "success_rate", rate)
    assert f"<p>{rate.sentence}</p>" in html
    [picture] = svgs(html)
    assert [words(share) for share in picture.iter(f"{SVG}g")] == ["✓", "✕", "▲", "■"]
    assert rate.sentence.replace("\N{NO-BREAK SPACE}", " ") in words(picture)


def test_a_rare_status_is_seen_and_all_is_said_of_the_last_one() -> None:
    rate = success_rate_of([RUNS[3], *[RUNS[-1]] * 49])
    assert rate is not None
    assert rate.shares[-1].width == 18
    assert rate.width == rate.shares[-1].x + 18
    assert "(98" in rate.sentence
    assert success_rate_of(RUNS[:3]) is None
    single = success_rate_of([RUNS[-1]])
    assert single is not None
    assert single.sentence == "The last executed run: succeeded."
