"""The log page: live while the run goes on, constant in size however long the log is."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import httpx2
import pytest

from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.protocol.resources.logs import LogSearchAnswer
from job_orchestra.service import logs as service_logs
from job_orchestra.service.handlers import logs
from job_orchestra.service.log_search import LogQuestion
from job_orchestra.service.parts import ServiceParts
from job_orchestra.service.routes import ROUTES
from job_orchestra.storage.log_port import LogKey
from job_orchestra.website.log_window import STEP
from job_orchestra.website.pages import log
from tests.website.examples import PASSWORD, Examples, RunDriver, prepare
from tests.website.installation import Installation
from tests.website.shown_log import OPENING, Shown, read_shown
from tests.website.visitor import Visitor

Visitors = Callable[[str | None], Visitor]

_DEADLINE = 20.0


class OpenPage:
    """A page whose answer is still coming in, read by a thread."""

    def __init__(self, response: httpx2.Response) -> None:
        self.text = ""
        self._response = response
        self._changed = threading.Condition()
        self._is_over = False
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        try:
            for part in self._response.iter_text():
                with self._changed:
                    self.text += part
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._is_over = True
                self._changed.notify_all()

    def wait_for(self, part: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: part in self.text or self._is_over, _DEADLINE), self.text
            assert part in self.text

    def wait_for_end(self) -> str:
        self._thread.join(_DEADLINE)
        assert self._is_over
        return self.text


@contextmanager
def opened(visitor: Visitor, path: str, **headers: str) -> Generator[OpenPage]:
    with visitor.client.stream("GET", path, headers=headers) as response:
        assert response.status_code == 200
        yield OpenPage(response)


@pytest.fixture
def viewer(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors("viewer")


@pytest.fixture
def driver(installation: Installation) -> RunDriver:
    return RunDriver(installation)


async def _begun(driver: RunDriver) -> Run:
    return await driver.start(await driver.trigger("hello"))


def test_a_page_on_which_nothing_happens_says_so_now_and_then(
    viewer: Visitor, installation: Installation, driver: RunDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a sign of life, proxies would cut it off."""
    monkeypatch.setattr(log, "BETWEEN_BEATS", 0.05)
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run)) as page:
        page.wait_for("<!----><!---->")
        installation.call(driver.end(run, RunStatus.ABORTED, ReasonCode.ABORT_REQUESTED, "Enough.", {}))
        assert "Enough." in page.wait_for_end()


def test_what_cannot_be_sought_comes_back_with_its_mistake(viewer: Visitor, examples: Examples) -> None:
    response = viewer.get(f"{_log(examples.succeeded)}/search", params={"text": "ü" * 150})
    assert response.status_code == 422
    assert "is to have 1 to 200 bytes" in response.text
    assert f'aria-invalid="true" aria-describedby="text-note" autofocus value="{"ü" * 150}"' in response.text
    assert "No line" not in response.text


@pytest.mark.parametrize("end", ["disable", "delete", "log out"])
def test_a_page_of_somebody_who_may_not_read_any_more_ends(
    end: str, visitors: Visitors, installation: Installation, driver: RunDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = installation.accounts
    name = f"leaver-{end.replace(' ', '-')}"
    installation.call(accounts.create_user(name, (Role.VIEWER,), password=PASSWORD))
    visitor, other = visitors(name), Visitor(installation.url)
    other.client.cookies.update(visitor.client.cookies)
    run = installation.call(_begun(driver))
    with opened(visitor, _log(run)) as page:
        page.wait_for(OPENING)
        run = installation.call(driver.write(run, b"followed\n"))
        page.wait_for("followed")
        if end == "log out":
            other.send("/profile", "/logout")
        else:
            installation.call(accounts.set_user_enabled(name, False))
            if end == "delete":
                installation.call(accounts.delete_user(name))
        # Not before: whoever is deleted has been disabled first, and a look in between would tell of that.
        monkeypatch.setattr(service_logs, "BETWEEN_CHECKS", 0.0)
        run = installation.call(driver.write(run, b"not to be read\n"))
        text = page.wait_for_end()
    other.close()
    installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
    assert ("lacks the permission" if end == "disable" else "unknown or has expired") in text
    assert "not to be read" not in text


def test_a_log_that_is_not_all_there_is_told_of(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, b"all of it\n" * 1000))
    run = installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "It ended.", {}))
    page = f"/projects/example/runs/{run.identifier}"
    assert "Complete and verified" in viewer.get(page).text
    [file] = installation.log_directory.rglob(f"{run.identifier}.1.log")
    for size in (5000, 0):
        with file.open("r+b") as opened_file:
            opened_file.truncate(size)
        text = viewer.get(page).text
        assert "Complete and verified" not in text
        assert "Not all of the 10000 bytes that the run ended with are stored any more" in text
        assert f"those from {size} on are not stored any more" in viewer.get(_log(run)).text


def _log(run: Run) -> str:
    return f"/projects/example/runs/{run.identifier}/log"


def _read_log(page: str) -> Shown:
    found = re.search(re.escape(OPENING) + r"\n(.*?)</pre>", page, re.DOTALL)
    assert found is not None
    return read_shown(found[1])


def _shown(page: str) -> str:
    """The text of the log as a browser shows it: without the newline that follows the opening tag."""
    return _read_log(page).text


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_lines_appear_as_they_are_written(
    encoding: str, viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run), **{"Accept-Encoding": encoding}) as page:
        page.wait_for(OPENING)
        run = installation.call(driver.write(run, b"first line\n"))
        page.wait_for("first line\n")
        run = installation.call(driver.write(run, b"\x1b[31mred without a new"))
        page.wait_for('<span class="f1">red without a new</span>')
        run = installation.call(driver.write(run, b"line\n"))
        page.wait_for('<span class="f1">line</span>')
        assert "</html>" not in page.text
        installation.call(driver.end(run, RunStatus.FAILED, ReasonCode.COMMAND_FAILED, "It <did> not work.", {}))
        text = page.wait_for_end()
    assert "It &lt;did&gt; not work." in text
    assert text.rstrip().endswith("</html>")
    assert _shown(text) == "first line\nred without a newline\n"


def test_a_run_that_waits_has_an_open_page_too(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(driver.trigger("hello"))
    with opened(viewer, _log(run)) as page:
        page.wait_for(OPENING)
        run = installation.call(driver.start(run))
        run = installation.call(driver.write(run, b"at last\n"))
        page.wait_for("at last")
        installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
        page.wait_for_end()


@pytest.mark.parametrize("is_refused", [False, True])
def test_the_page_of_an_attempt_ends_with_it_and_leads_to_the_next(
    is_refused: bool, viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    run = installation.call(driver.trigger("hello"))
    with opened(viewer, _log(run)) as page:
        page.wait_for(OPENING)
        if is_refused:
            run = installation.call(driver.put_back(installation.call(driver.assign(run))))
            ending = "Attempt 1 is over."
        else:
            run = installation.call(driver.write(installation.call(driver.start(run)), b"the first\n"))
            failure = (RunStatus.FAILED, ReasonCode.COMMAND_FAILED, "It <did> not work.")
            run = installation.call(driver.retry(run, *failure))
            ending = "Attempt 1 failed: It &lt;did&gt; not work."
        text = page.wait_for_end()
    assert f"<p>{ending} The next one follows. " in text
    assert f'<meta http-equiv="refresh" content="0; url={_log(run)}">' in text
    assert _shown(text) == ("" if is_refused else "the first\n")


def test_the_log_of_an_ended_run(viewer: Visitor, examples: Examples) -> None:
    page = viewer.get(_log(examples.succeeded)).text
    assert '<span class="f2">hello</span> &lt;script&gt;alert(1)&lt;/script&gt;\n</pre>' in page
    assert _read_log(page).numbers == [1]
    assert "All commands succeeded." in page


def test_pages_of_a_long_log_are_small_and_join(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lines = [f"{index} {'x' * chance.randrange(400)}\n" for index in range(1, 8_000)]
    content = "".join(lines)
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, content.encode()))
    run = installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))

    page = viewer.get(_log(run)).text
    assert content.endswith(_shown(page))
    assert len(page) < 3 * STEP
    assert "Done." in page
    address, shown = f"{_log(run)}?offset=0", ""
    while True:
        page = viewer.get(address).text
        assert len(page) < 3 * STEP
        shown += _shown(page)
        following = re.search(r'<a href="([^"]+)" rel="next">Later</a>', page)
        if following is None:
            break
        address = unescape(following[1])
    assert shown == content
    assert "Done." in page
    assert f'href="{_log(run)}?offset=0">First</a>' in page
    # An offset beyond the end shows the end.
    assert content.endswith(_shown(viewer.get(f"{_log(run)}?offset=999999999999").text))


def test_colours_hold_across_pages(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, b"x" * (STEP - 20) + b"\n\x1b[31m" + b"red\n" * STEP + b"\x1b[0m"))
    run = installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
    assert _read_log(viewer.get(f"{_log(run)}?offset={STEP}").text).pieces[0] == ("red", "f1")


def test_an_offset_that_is_none_is_refused(viewer: Visitor, examples: Examples) -> None:
    for offset in ("-1", "x", "1.5", "9" * 100, "²"):
        response = viewer.get(f"{_log(examples.succeeded)}?offset={offset}")
        assert response.status_code == 422
        assert "offset" in response.text


def test_a_page_that_is_full_leads_to_a_new_one(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run)) as page:
        page.wait_for(OPENING)
        for _ in range(3):
            run = installation.call(driver.write(run, (b"much" * 50 + b"\n") * (1 << 13)))
        text = page.wait_for_end()
    assert f'<meta http-equiv="refresh" content="0; url={_log(run)}">' in text
    assert len(text) < 8 * (1 << 20)
    installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))


def test_a_long_line_that_is_overwritten_fills_a_page(
    viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    """Each of its states is all of it."""
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, b"x" * 1_000_000))
    with opened(viewer, _log(run)) as page:
        page.wait_for("x</span>")
        for state in range(1, 6):
            run = installation.call(driver.write(run, b"\r%d" % state))
            page.wait_for(f'<span class="n">{state}x')
        text = page.wait_for_end()
    assert f'<meta http-equiv="refresh" content="0; url={_log(run)}">' in text
    assert text.count('<span class="n">') == 5
    installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))


def test_the_raw_log_is_the_stored_bytes(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    content = bytes(range(256)) * 10_000 + b"\x1b[31m<script>alert(1)</script>"
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, content))
    run = installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
    response = viewer.get(f"{_log(run)}/raw")
    assert response.content == content
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert "Content-Disposition" not in response.headers
    response = viewer.get(f"{_log(run)}/raw?download=yes")
    assert response.headers["Content-Disposition"] == f'attachment; filename="example.{run.identifier}.log"'


def test_nobody_is_left_behind_when_browsers_go(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(_begun(driver))
    before = installation.count_tasks()
    for _ in range(5):
        with viewer.client.stream("GET", _log(run)) as response:
            next(response.iter_bytes())
    deadline = time.monotonic() + _DEADLINE
    while installation.count_tasks() > before:
        assert time.monotonic() < deadline
    installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))


def _ended(installation: Installation, driver: RunDriver, content: bytes) -> Run:
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, content))
    return installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))


def test_each_line_has_an_address(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lines = [f"{number} {'x' * chance.choice((1, 50, 3000))}" for number in range(1, 3001)]
    run = _ended(installation, driver, ("\x1b[32m" + "\n".join(lines)).encode())
    for number in [1, 3000, *chance.sample(range(1, 3001), 12)]:
        page = viewer.get(f"{_log(run)}?line={number}").text
        assert f'<a id="L{number}" href="?line={number}#L{number}" tabindex="-1">{number}</a>' in page
        shown = _read_log(page)
        assert {name for text, name in shown.pieces if text.strip()} == {"f2"}
        assert shown.numbers == [*range(shown.numbers[0], shown.numbers[-1] + 1)]
        assert shown.text.splitlines() == lines[shown.numbers[0] - 1 : shown.numbers[-1]]
    assert _read_log(viewer.get(f"{_log(run)}?line=99999").text).numbers[-1] == 3000
    answer = viewer.get(f"{_log(run)}?go=17")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{_log(run)}?line=17#L17")
    for wrong in ("line=0", "line=x", "go=-3", "byte=x"):
        assert viewer.get(f"{_log(run)}?{wrong}").status_code == 422


def test_lines_of_a_past_attempt_have_addresses_of_their_own(viewer: Visitor, examples: Examples) -> None:
    page = viewer.get(f"{_log(examples.retried)}?attempt=1").text
    assert '<input type="hidden" name="attempt" value="1">' in page
    for number in _read_log(page).numbers:
        assert f'<a id="L{number}" href="?attempt=1&amp;line={number}#L{number}"' in page


def test_a_search_leads_to_lines(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    padding = b"padding\n" * 100_000
    content = b"A <b>needle</b>\n" + padding + b"x" * 2_000_000 + b"NEEDLE" + b"x" * 100_000 + b"\n" + padding
    run = _ended(installation, driver, content)
    page = viewer.get(f"{_log(run)}/search?text=needle").text
    assert "A &lt;b&gt;<mark>needle</mark>&lt;/b&gt;" in page
    addresses = [unescape(one) for one in re.findall(r'<a href="([^"]*byte=[^"]*)">', page)]
    assert addresses == [f"{_log(run)}?byte=5#L1", f"{_log(run)}?byte={content.index(b'NEEDLE')}#L100002"]
    for address, text in zip(addresses, ("A <b>needle</b>", "NEEDLE"), strict=True):
        shown = _read_log(viewer.get(address.partition("#")[0]).text)
        assert text in shown.text
        assert int(address.partition("#L")[2]) in shown.numbers
    exact = viewer.get(f"{_log(run)}/search?text=needle&case=yes").text
    assert re.findall("<mark>(.*?)</mark>", exact) == ["needle"]
    assert "No line has it." in viewer.get(f"{_log(run)}/search?text=%3Cscript%3E").text
    many = viewer.get(f"{_log(run)}/search?text=padding").text
    assert many.count("<mark>padding</mark>") == 100
    following = re.search(r'href="([^"]+)" rel="next"', many)
    assert following is not None
    assert "<mark>padding</mark>" in viewer.get(unescape(following[1])).text
    assert viewer.get(f"{_log(run)}/search?text={'x' * 300}").status_code == 422


def test_a_search_that_does_not_get_on_is_not_repeated(
    viewer: Visitor, installation: Installation, driver: RunDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _ended(installation, driver, b"line\n" * 10)
    asked: list[int] = []

    async def searched(parts: ServiceParts, key: LogKey, question: LogQuestion) -> LogSearchAnswer:
        asked.append(question.offset)
        return LogSearchAnswer([], max(question.offset, 20))

    monkeypatch.setattr(logs, "search_log", searched)
    page = viewer.get(f"{_log(run)}/search?text=line").text
    assert asked == [0, 20]
    assert "offset=20" in page


def test_a_progress_bar_is_shown_as_its_last_state(
    viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run)) as page:
        page.wait_for(OPENING)
        run = installation.call(driver.write(run, b"loading 10%"))
        page.wait_for("<span>loading 10%</span>")
        run = installation.call(driver.write(run, b"\rloading 50%"))
        page.wait_for('<span class="n">loading 50%</span>')
        run = installation.call(driver.write(run, b"\r\x1b[Kloaded\nnext"))
        page.wait_for('<span class="n">loaded</span></span>\n')
        installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
        text = page.wait_for_end()
    assert _shown(text) == "loaded\nnext\n"
    assert _shown(viewer.get(_log(run)).text) == "loaded\nnext\n"
    assert "loading" not in viewer.get(_log(run)).text


def test_the_status_at_the_top_changes_while_the_page_is_open(
    viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    """Also of a run that writes nothing."""
    run = installation.call(driver.trigger("hello"))
    with opened(viewer, _log(run)) as page:
        page.wait_for(OPENING)
        assert '<span class="status pending">pending</span>' in page.text
        run = installation.call(driver.start(run))
        page.wait_for('<span class="now status running" role="status">running</span>')
        installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
        text = page.wait_for_end()
    assert text.count('class="now') == 2
    assert '<span class="now status succeeded" role="status">succeeded</span>' in text
    assert 'class="now' not in viewer.get(_log(run)).text


def test_lines_tell_when_they_were_stored(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run)) as page:
        page.wait_for(OPENING)
        run = installation.call(driver.write(run, b"one\n"))
        page.wait_for("one\n")
        run = installation.call(driver.write(run, b"two\n"))
        installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
        text = page.wait_for_end()
    assert re.search(r'>1</a><time datetime="[^"]+">\d\d:\d\d:\d\d</time>one', text)


def test_where_lines_cannot_be_counted_the_page_says_so(
    viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    run = _ended(installation, driver, b"\x1b[31mred\n" + b"line\n" * 1_200_000)
    (index,) = installation.log_directory.rglob(f"{run.identifier}.1.log.index")
    index.unlink()
    index.mkdir()
    page = viewer.get(_log(run)).text
    assert "are being counted" in page
    assert _read_log(page).numbers == []
    assert _shown(page).endswith("line\nline\n")
    page = viewer.get(f"{_log(run)}?line=1000000").text
    assert "Ask again soon" in page
    assert "at byte 6000" in viewer.get(f"{_log(run)}/search?text=ine&offset=6000").text


def test_a_service_of_before_has_logs_without_numbers(tmp_path: Path) -> None:
    """One that knows neither places in logs nor waiting for runs, as while an installation is upgraded."""
    unknown = ("/log/places", "/wait")
    installation = Installation(tmp_path, [route for route in ROUTES if not route.path.endswith(unknown)])
    try:
        installation.call(prepare(installation))
        visitor, driver = Visitor(installation.url), RunDriver(installation)
        assert visitor.log_in("viewer").status_code == 303
        run = installation.call(driver.trigger("hello"))
        with opened(visitor, _log(run)) as page:
            page.wait_for(OPENING)
            run = installation.call(driver.start(run))
            run = installation.call(driver.write(run, b"one\n\x1b[31mtwo\n"))
            page.wait_for("two")
            installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))
            text = page.wait_for_end()
        assert _shown(text) == "one\ntwo\n"
        assert "Done." in text
        for query in ("", "?line=2", "?offset=0"):
            shown = _read_log(visitor.get(f"{_log(run)}{query}").text)
            assert shown.pieces == [("one\n", ""), ("two", "f1"), ("\n", "")]
            assert shown.numbers == []
        assert visitor.get(f"{_log(run)}0").status_code == 404
        visitor.close()
    finally:
        installation.close()
