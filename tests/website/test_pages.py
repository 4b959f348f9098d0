"""What stands on the pages, fetched from a real service."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from job_orchestra.domain.identifiers import run_identifier_date
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.website.pages.runs import UNFINISHED
from tests.website.examples import WORKER, Examples, RunDriver
from tests.website.installation import Installation
from tests.website.pictures.drawing import SVG, svgs, words
from tests.website.visitor import Visitor

Visitors = Callable[[str | None], Visitor]


@pytest.fixture
def operator(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors("operator")


def test_home_shows_what_runs_what_waits_and_what_failed(operator: Visitor, examples: Examples) -> None:
    response = operator.get("/")
    assert response.status_code == 200
    running, waiting, failed = re.split("<h2>", response.text)[1:]
    assert examples.running.identifier in running
    assert examples.waiting.identifier in waiting
    assert examples.impossible.identifier in waiting
    assert examples.failed.identifier in failed
    assert "Command 1 exited with 3." in failed
    assert examples.succeeded.identifier not in response.text
    assert response.headers["Refresh"] == "5"
    assert "Refresh" not in operator.get("/?refresh=off").headers


def test_projects_and_a_project(operator: Visitor) -> None:
    assert 'href="/projects/example"' in operator.get("/projects").text
    page = operator.get("/projects/example").text
    for part in ("An example", "What a test looks at.", "hello", "bare", "picky", "0 3 * * *", "Europe/Paris"):
        assert part in page


def test_a_job_with_its_form(operator: Visitor, examples: Examples) -> None:
    page = operator.get("/projects/example/jobs/hello").text
    assert '<input id="field-1" name="parameter-name" aria-describedby="field-1-description" value="world"' in page
    assert "Who is greeted." in page
    assert re.search(r"<option value=\"&#34;low&#34;\" selected>low</option>", page)
    assert examples.succeeded.identifier in page


def test_runs_are_counted(operator: Visitor, examples: Examples) -> None:
    counted = re.search(r'<p class="hint">(\d+) runs.</p>', operator.get("/runs").text)
    assert counted
    assert int(counted[1]) >= len(vars(examples))
    assert 'class="hint"' not in operator.get("/runs?job=nothing").text


def test_runs_are_filtered(operator: Visitor, examples: Examples) -> None:
    def shown(query: str) -> set[str]:
        page = operator.get(f"/runs{query}").text
        return {name for name, run in vars(examples).items() if f"/runs/{run.identifier}" in page}

    assert shown("") == set(vars(examples))
    assert shown("?status=failed") == {"failed"}
    assert shown(f"?status={UNFINISHED}&job=hello") >= {"running", "waiting"}
    assert shown("?job=picky") == {"impossible"}
    assert shown(f"?worker={WORKER}&project=example") == {"succeeded", "failed", "running", "lost"}
    assert shown("?worker=nobody") == set()
    assert shown("?source=user") == set(vars(examples))
    assert shown("?source=user&by=operator") == set(vars(examples))
    assert shown("?source=user&by=nobody") == shown("?source=schedule") == set()


def test_runs_are_filtered_by_the_visitors_clocks_and_ordered(visitors: Visitors, examples: Examples) -> None:
    visitor = visitors("operator")
    assert visitor.send("/profile", "/profile/zone", zone="Asia/Kathmandu").status_code == 303
    created = run_identifier_date(examples.failed.identifier).astimezone(ZoneInfo("Asia/Kathmandu"))

    def shown(**query: str) -> bool:
        page = visitor.get("/runs", params={"job": examples.failed.request.job, **query}).text
        return examples.failed.identifier in page

    before = f"{created - timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    after = f"{created + timedelta(minutes=1):%Y-%m-%dT%H:%M}"
    assert shown(since=before, until=after)
    assert not shown(since=after)
    assert not shown(until=before)
    oldest, newest = visitor.get("/runs?order=created_at").text, visitor.get("/runs").text
    found = [re.findall(r"/runs/([0-9a-z]+)\"", page) for page in (oldest, newest)]
    assert found[0] == found[1][::-1] != found[1]
    assert "Oldest first" in oldest and "Newest first" in newest


def test_what_is_wrong_with_a_filter_is_shown_beside_it(operator: Visitor) -> None:
    for query, mistake in (("?status=asleep", "asleep"), ("?project=unknown", "unknown"), ("?cursor=xyz", "cursor")):
        response = operator.get(f"/runs{query}")
        assert response.status_code == 422
        assert mistake in re.sub("<[^>]*>", "", response.text)
        assert '<form method="get" action="/runs"' in response.text
        assert "Nothing was sought." in response.text
    for field, value, mistake in (
        ("source", "cat", "&#39;cat&#39; is not one of user, schedule"),
        ("since", "yesterday", "&#39;yesterday&#39; is no date such as 20"),
        ("until", "2026-02-30", "&#39;2026-02-30&#39; is no date such as 20"),
        ("since", "0001-01-01T00:00+14:00", "is no date such as 20"),
        ("order", "job", "&#39;job&#39; is not one of"),
    ):
        page = operator.get("/runs", params={field: value, "job": "hello"}).text
        assert f'aria-invalid="true" aria-describedby="{field}-note"' in page
        assert re.search(f'id="{field}-note"><span class="mistake">[^<]*{re.escape(mistake)}', page)
        assert '<details class="where" open>' in page
        assert 'name="job" value="hello"' in page
    assert operator.get("/projects/unknown/runs").status_code == 404
    # What is no moment to a browser is shown as the text that it is, and so sent again with the next filter.
    assert 'type="datetime-local"' not in operator.get("/runs?since=2026-11-27&until=2026-11-27T10:00Z").text
    assert operator.get("/runs?since=2026-11-27T10:00").text.count('type="datetime-local"') == 2


@pytest.mark.parametrize(
    ("address", "mistakes"),
    [
        ("/runs?limit=-1", ["limit: is nothing that this page can be asked for; it takes project, job, status"]),
        ("/runs?wroker=x&job=%ff&job=a&%fe=1", [
            "wroker: is nothing that this page can be asked for; did you mean worker?",
            "job: &#39;%FF&#39; is not UTF-8", "job: is given more than once", "%FE: is nothing",
        ]),
        ("/projects/example/runs?project=other", ["project: is nothing that this page can be asked for"]),
        ("/projects?cursor=xyz", ["cursor: &#39;xyz&#39; is not a cursor"]),
        ("/workers?cursor=xyz", ["cursor: &#39;xyz&#39; is not a cursor"]),
        ("/projects/example?cursor=xyz", ["cursor: &#39;xyz&#39; is not a cursor"]),
        ("/?surprise=1", ["surprise: is nothing that this page can be asked for; it takes refresh"]),
        ("/login?nxt=/", ["nxt: is nothing that this page can be asked for; did you mean next?"]),
        ("/projects/%ff", ["project: &#39;\ufffd&#39; is not UTF-8"]),
        ("/projects/example/runs/a%80/log?offset=%ff", ["run: &#39;a\ufffd&#39; is not UTF-8", "offset: "]),
        ("/workers/%C3?" + "a&" * 500, ["query: has more than 200 parameters"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_address_is_named(operator: Visitor, address: str, mistakes: list[str]) -> None:
    response = operator.get(address)
    # The service knows what a cursor is; what an address may ask for at all, and in which encoding, is ours.
    assert response.status_code == (422 if "cursor: &#39;" in mistakes[0] else 400)
    assert "The address of this page has mistakes." in response.text
    for mistake in mistakes:
        assert mistake in response.text


def test_a_run_that_has_ended(operator: Visitor, examples: Examples) -> None:
    run = examples.succeeded
    response = operator.get(f"/projects/example/runs/{run.identifier}")
    page = response.text
    assert "Refresh" not in response.headers
    assert '<span class="status succeeded">succeeded</span>' in page
    assert "All commands succeeded." in page
    assert "echo hello &#39;&lt;i&gt;you&lt;/i&gt;&#39;" in page
    assert '<span class="f2">hello</span> &lt;script&gt;alert(1)&lt;/script&gt;' in page
    assert "Complete and verified" in page
    assert run.log.sha256 is not None
    assert run.log.sha256 in page
    assert '<a href="https://example.org/report" rel="nofollow noopener noreferrer">' in page
    assert 'href="javascript' not in page
    assert f'href="/workers/{WORKER}"' in page
    assert f'action="/projects/example/runs/{run.identifier}/retry"' in page
    assert "/abort" not in page


def test_a_run_that_was_given_up_shows_its_late_reports(operator: Visitor, examples: Examples) -> None:
    path = f"/projects/example/runs/{examples.lost.identifier}"
    page = operator.get(path).text
    assert "Complete and verified" not in page
    assert "Not verified: the worker has not told how long the whole log is." in page
    reports = page.split("<h2>Late reports</h2>")[1]
    assert "It never changes the run." in reports
    first, second = re.findall(r"<tr>\n<th scope=\"row\">.*?</tr>", reports, re.DOTALL)
    assert "aborted</span> It had been given up." in first
    assert f'href="{path}/late-reports/1/log">19 B</a>' in first
    assert "not yet" in second
    assert "/log" not in second
    response = operator.get(f"{path}/late-reports/1/log")
    assert (response.content, response.headers["Content-Type"]) == (
        b"\x00late <b>bytes</b>\n",
        "text/plain; charset=utf-8",
    )
    saved = operator.get(f"{path}/late-reports/1/log?download=yes")
    assert f"example.{examples.lost.identifier}.1.late.log" in saved.headers["Content-Disposition"]
    for attempt in ("3", "x"):
        assert operator.get(f"{path}/late-reports/{attempt}/log").status_code == 404
    assert "Late reports" not in operator.get(f"/projects/example/runs/{examples.succeeded.identifier}").text


def test_a_run_that_is_retried_shows_its_past_attempts(operator: Visitor, examples: Examples) -> None:
    path = f"/projects/example/runs/{examples.retried.identifier}"
    page = operator.get(path).text
    assert "Attempt 2 begins at" in page
    past = page.split("<h2>Past attempts</h2>")[1]
    assert "failed</span> It &lt;b&gt;failed&lt;/b&gt;." in past
    assert f'href="{path}/log?attempt=1">25 B</a>' in past
    log = operator.get(f"{path}/log?attempt=1").text
    assert "the first &lt;b&gt;attempt&lt;/b&gt;" in log
    assert "<span>Attempt 1</span>" in log
    assert "failed</span> It &lt;b&gt;failed&lt;/b&gt;." in log
    assert f'href="{path}/log/raw?attempt=1"' in log
    assert operator.get(f"{path}/log/raw?attempt=1").content == b"the first <b>attempt</b>\n"
    saved = operator.get(f"{path}/log/raw?attempt=1&download=yes").headers["Content-Disposition"]
    assert f"example.{examples.retried.identifier}.1.log" in saved
    for attempt, status in (("3", 404), ("0", 404), ("x", 422)):
        assert operator.get(f"{path}/log?attempt={attempt}").status_code == status


def test_a_job_says_what_becomes_of_lost_runs(operator: Visitor) -> None:
    assert "<dd>runs wait for it, without end</dd>" in operator.get("/projects/example/jobs/hello").text
    assert "<dd>after 2 min, runs are retried</dd>" in operator.get("/projects/example/jobs/bare").text


def test_a_run_that_goes_on_refreshes_and_can_be_aborted(operator: Visitor, examples: Examples) -> None:
    response = operator.get(f"/projects/example/runs/{examples.running.identifier}")
    assert int(response.headers["Refresh"]) <= 5
    assert f"{examples.running.identifier}/abort" in response.text
    assert "/cancel" not in response.text
    assert "begun" in response.text


def test_a_pipeline_shows_its_elements(operator: Visitor, examples: Examples) -> None:
    page = operator.get(f"/projects/example/runs/{examples.pipeline.identifier}").text
    rows = [re.sub(r"<[^>]+>|\s+", " ", row).split() for row in re.findall(r"<tr[^>]*>(.*?)</tr>", page, re.DOTALL)]
    [first, each, last] = [row for row in rows if {"first", "each", "last"} & set(row[1:2])]
    assert (first[0], each[0], last[0]) == ("failed", "skipped", "skipped")
    assert "It &lt;b&gt;failed&lt;/b&gt;." in page
    graph, timeline = svgs(page)
    boxes = {words(box): box.get("href") for box in graph.iter(f"{SVG}a")}
    assert list(boxes) == ["first ✕ failed", "each ↷ skipped", "last ↷ skipped"]
    assert re.fullmatch("/projects/example/runs/[0-9a-z]{18}", str(boxes["first ✕ failed"]))
    assert boxes["last ↷ skipped"] == "#element-last"
    assert 'id="element-last"' in page
    [row] = timeline.iter(f"{SVG}a")
    assert (words(row), row.get("href")) == ("first ✕ failed, 1.5 s", boxes["first ✕ failed"])
    assert " ".join(last[-9:]) == "It needs each to end as succeeded, and that is skipped."[-len(" ".join(last[-9:])) :]


def test_a_graph_has_a_page_of_its_own(operator: Visitor, examples: Examples) -> None:
    path = f"/projects/example/runs/{examples.pipeline.identifier}"
    assert f'href="{path}/graph"' in operator.get(path).text
    response = operator.get(f"{path}/graph")
    assert int(response.headers["Refresh"]) <= 5
    [graph] = svgs(response.text)
    assert [link.get("href") for link in graph.iter(f"{SVG}a")][-1] == f"{path}#element-last"
    assert f'href="{path}"' in response.text
    missing = operator.get(f"/projects/example/runs/{examples.succeeded.identifier}/graph")
    assert missing.status_code == 404
    assert f"Run {examples.succeeded.identifier} of job hello has no graph." in missing.text


def test_the_job_of_a_pipeline_shows_its_graph(operator: Visitor) -> None:
    graph = svgs(operator.get("/projects/example/jobs/release").text)[0]
    boxes = {words(box): box.get("href") for box in graph.iter(f"{SVG}a")}
    address = "/projects/example/jobs/hello"
    assert boxes == {"first hello": address, "each each hello": address, "last hello": address}


def test_a_job_shows_how_its_last_runs_went(operator: Visitor, examples: Examples) -> None:
    page = operator.get("/projects/example/jobs/hello").text
    rate, durations = svgs(page)
    [shares] = re.findall(r"<p>(.*? executed runs? succeeded .*?)</p>", page)
    assert words(rate).startswith(f"Success rate {' '.join(shares.split())}")
    bars = {bar.get("href"): words(bar) for bar in durations.iter(f"{SVG}a")}
    for run, shape in (
        (examples.succeeded, "✓"),
        (examples.lost, "▲"),
        (examples.running, "▶"),
        (examples.waiting, "○"),
    ):
        assert bars[f"/projects/example/runs/{run.identifier}"].endswith(shape)
    assert svgs(operator.get("/projects/example/jobs/picky").text) == []


def test_a_run_that_waits_says_why(operator: Visitor, examples: Examples) -> None:
    page = operator.get(f"/projects/example/runs/{examples.impossible.identifier}").text
    assert "Why it waits" in page
    assert "needs operating_system = plan9, has linux" in page
    assert f"{examples.impossible.identifier}/cancel" in page


def test_lists_warn_of_runs_that_no_worker_could_take(operator: Visitor, examples: Examples) -> None:
    for path in ("/", "/runs?status=pending", "/projects/example"):
        rows = re.findall(r"<tr>(.*?)</tr>", operator.get(path).text, re.DOTALL)
        (row,) = [row for row in rows if f"/runs/{examples.impossible.identifier}" in row]
        assert "No known worker could ever take it" in row, path


def test_results_are_downloaded_as_json(operator: Visitor, examples: Examples) -> None:
    response = operator.get(f"/projects/example/runs/{examples.succeeded.identifier}/results")
    assert response.headers["Content-Type"] == "application/json"
    assert f"example.{examples.succeeded.identifier}.results.json" in response.headers["Content-Disposition"]
    assert response.json() == examples.succeeded.results


def test_a_transformer_that_fails_is_named_above_the_results(
    installation: Installation, operator: Visitor, examples: Examples
) -> None:
    async def prepare() -> Run:
        driver = RunDriver(installation)
        run = await driver.start(await driver.trigger("hello"))
        results: JsonObject = {"fragile": True, "kept": "as it was"}
        return await driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "All commands succeeded.", results)

    page = operator.get(f"/projects/example/runs/{installation.call(prepare()).identifier}").text
    assert "Transformer fragile failed" in page
    assert "ValueError: &lt;b&gt;broken&lt;/b&gt;" in page
    assert "as it was" in page
    assert "Transformer" not in operator.get(f"/projects/example/runs/{examples.succeeded.identifier}").text


def test_the_archive_is_a_zip_file(operator: Visitor, examples: Examples) -> None:
    response = operator.get(f"/projects/example/runs/{examples.succeeded.identifier}/archive")
    assert response.headers["Content-Type"] == "application/zip"
    assert response.content.startswith(b"PK")
    assert operator.get("/projects/example/runs/unknown/archive").status_code == 404


def test_workers_and_a_worker(operator: Visitor, examples: Examples) -> None:
    assert "1 of 2" in operator.get("/workers").text
    page = operator.get(f"/workers/{WORKER}").text
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "&lt;No&gt; room." in page
    now, ended = page.split("<h2>Last runs</h2>")
    assert examples.running.identifier in now
    assert examples.failed.identifier in ended


def test_pages_come_with_strict_headers(operator: Visitor, examples: Examples) -> None:
    for path in ("/", "/login", "/nothing", f"/projects/example/runs/{examples.succeeded.identifier}/log/raw"):
        headers = operator.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self';")
        assert "script" not in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_no_page_has_script_or_inline_style(operator: Visitor, examples: Examples) -> None:
    for path in _main_pages(examples):
        page = operator.get(path).text
        assert "<script" not in page
        assert not re.search(r"<[^>]*\s(style|on\w+)=", page)


def test_pages_are_small(operator: Visitor, installation: Installation, examples: Examples) -> None:
    page = operator.get("/").text
    [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page)
    sheet = operator.get(style)
    assert sheet.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert sheet.headers["Content-Type"] == "text/css; charset=utf-8"
    size = len(gzip.compress(sheet.content))
    assert size < 5 * 1024
    for path in _main_pages(examples):
        response = operator.get(path)
        assert response.headers["Content-Encoding"] == "gzip"
        assert size + len(gzip.compress(response.content)) < 14 * 1024, path
        assert not re.search(r'(src|href)="(http|//)(?!s://example.org/report)', response.text), path
    assert operator.get("/static/0000/style.css").headers["Cache-Control"] == "no-cache"
    assert operator.get("/static/0000/../../routes.py").status_code == 404
    assert operator.get("/static/0000/missing.css").status_code == 404


def _main_pages(examples: Examples) -> list[str]:
    run = f"/projects/example/runs/{examples.succeeded.identifier}"
    return [
        "/", "/projects", "/projects/example", "/projects/example/jobs/hello",
        "/projects/example/schedules/nightly", "/runs", "/projects/example/runs",
        run, f"{run}/log", f"/projects/example/runs/{examples.lost.identifier}",
        f"/projects/example/runs/{examples.pipeline.identifier}",
        f"/projects/example/runs/{examples.pipeline.identifier}/graph", "/projects/example/jobs/release",
        "/workers", f"/workers/{WORKER}", "/profile", "/login",
    ]  # fmt: skip


def test_what_does_not_exist_has_a_page_that_says_so(operator: Visitor) -> None:
    for path in (
        "/nothing", "/projects/unknown", "/projects/example/jobs/unknown", "/projects/example/runs/unknown",
        "/projects/example/runs/unknown/log", "/workers/unknown", "/projects/a%2Fb", "/projects/%00",
    ):  # fmt: skip
        response = operator.get(path)
        assert response.status_code in {404, 422}, path
        assert "<h1>" in response.text
        assert "Traceback" not in response.text
    assert 'href="/projects">Projects</a>' in operator.get("/nothing").text
    assert operator.client.put("/").status_code == 405
    assert operator.client.head("/").status_code == 200
