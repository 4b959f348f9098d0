"""The log page: live while the run goes on, constant in size however long the log is."""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from html import unescape

import httpx2
import pytest

from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.website.log_window import STEP
from tests.website.examples import Examples, RunDriver
from tests.website.installation import Installation
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


def _log(run: Run) -> str:
    return f"/projects/example/runs/{run.identifier}/log"


def _shown(page: str) -> str:
    """The text of the log as a browser shows it: without the newline that follows the opening tag."""
    found = re.search(r'<pre class="log">\n(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    return unescape(re.sub("<[^>]*>", "", found[1]))


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_lines_appear_as_they_are_written(
    encoding: str, viewer: Visitor, installation: Installation, driver: RunDriver
) -> None:
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run), **{"Accept-Encoding": encoding}) as page:
        page.wait_for('<pre class="log">')
        run = installation.call(driver.write(run, b"first line\n"))
        page.wait_for("first line\n")
        run = installation.call(driver.write(run, b"\x1b[31mred without a new"))
        page.wait_for('<span class="f1">red without a new</span>')
        run = installation.call(driver.write(run, b"line\n"))
        page.wait_for('<span class="f1">line\n</span>')
        assert "</html>" not in page.text
        installation.call(driver.end(run, RunStatus.FAILED, ReasonCode.COMMAND_FAILED, "It <did> not work.", {}))
        text = page.wait_for_end()
    assert "It &lt;did&gt; not work." in text
    assert text.rstrip().endswith("</html>")
    assert _shown(text) == "first line\nred without a newline\n"


def test_a_run_that_waits_has_an_open_page_too(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(driver.trigger("hello"))
    with opened(viewer, _log(run)) as page:
        page.wait_for('<pre class="log">')
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
        page.wait_for('<pre class="log">')
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
    assert "All commands succeeded." in page


def test_pages_of_a_long_log_are_small_and_join(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lines = [f"{index} {'x' * chance.randrange(200)}\n" for index in range(25_000)]
    content = "".join(lines)
    run = installation.call(_begun(driver))
    run = installation.call(driver.write(run, content.encode()))
    run = installation.call(driver.end(run, RunStatus.SUCCEEDED, ReasonCode.COMPLETED, "Done.", {}))

    page = viewer.get(_log(run)).text
    assert content.endswith(_shown(page))
    assert len(page) < 2 * STEP
    assert "Done." in page
    address, shown = f"{_log(run)}?offset=0", ""
    while True:
        page = viewer.get(address).text
        assert len(page) < 2 * STEP
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
    assert '<pre class="log">\n<span class="f1">red' in viewer.get(f"{_log(run)}?offset={STEP}").text


def test_an_offset_that_is_none_is_refused(viewer: Visitor, examples: Examples) -> None:
    for offset in ("-1", "x", "1.5", "9" * 100, "²"):
        response = viewer.get(f"{_log(examples.succeeded)}?offset={offset}")
        assert response.status_code == 422
        assert "offset" in response.text


def test_a_page_that_is_full_leads_to_a_new_one(viewer: Visitor, installation: Installation, driver: RunDriver) -> None:
    run = installation.call(_begun(driver))
    with opened(viewer, _log(run)) as page:
        page.wait_for('<pre class="log">')
        for _ in range(3):
            run = installation.call(driver.write(run, b"much\n" * (1 << 18)))
        text = page.wait_for_end()
    assert f'<meta http-equiv="refresh" content="0; url={_log(run)}">' in text
    assert len(text) < 6 * (1 << 20)
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
