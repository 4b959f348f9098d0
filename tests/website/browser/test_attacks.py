"""Hostile text in everything that pages show: it is shown as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page

from job_orchestra.domain.configuration import parse_projects
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.reasons import ReasonCode
from job_orchestra.domain.roles import Role
from job_orchestra.domain.runs import Run
from job_orchestra.domain.statuses import RunStatus
from job_orchestra.domain.triggering import request_of
from job_orchestra.domain.workers import Refusal, WorkerDescription
from tests.connecting import connect_worker
from tests.git_source import GitSource
from tests.website.browser.attacks import LOG, RESULTS, TEXTS
from tests.website.browser.tour import open_page
from tests.website.crawling import crawl
from tests.website.examples import PASSWORD, REFUSAL, WORKER, RunDriver
from tests.website.installation import Installation
from tests.website.visitor import Visitor

_ALL = " ".join(TEXTS)
_FIND_FOREIGN = """
() => {
    const allowed = new Set((
        "html head meta title link body a header nav main footer section div span p h1 h2 h3 small strong code pre "
        + "mark time ul ol li dl dt dd table caption thead tbody tr th td form input select option textarea button "
        + "label fieldset legend details summary br svg desc path rect circle text tspan g").split(" "));
    const found = [];
    for (const element of document.querySelectorAll("*")) {
        if (!allowed.has(element.localName)) found.push(`an element ${element.localName}`);
        for (const {name, value} of element.attributes) {
            if (name.startsWith("on") || name === "style" || name === "srcdoc") found.push(`an attribute ${name}`);
            const leads = ["href", "src", "action", "formaction", "xlink:href"].includes(name);
            if (leads && !/^(https?:\\/\\/example\\.org|\\/(?!\\/)|#|\\?|$)/.test(value) && element.rel !== "icon")
                found.push(`${name}=${value}`);
        }
        if (element.localName === "meta" && element.httpEquiv) found.push("a meta element");
    }
    if (window.attacked) found.push("a script was executed");
    return found;
}
"""


async def _prepare(installation: Installation, repository: Path) -> Run:
    """One of everything, each with hostile text wherever text is free."""
    await installation.accounts.create_user("victim", (Role.ADMINISTRATOR,), display_name=_ALL[:200], password=PASSWORD)
    identity_text = _ALL[:400]
    job: JsonObject = {
        "identifier": "hello",
        "display_name": identity_text[:200],
        "description": _ALL,
        "commands": [["echo", *(text.replace("{", "{{").replace("}", "}}") for text in TEXTS)]],
        "parameters": [
            {"identifier": "name", "default": _ALL, "description": _ALL},
            {"identifier": "choice", "default": TEXTS[0], "choices": list(TEXTS)},
        ],
        "properties": {"tags": {"one_of": list(TEXTS)}},
    }
    pipeline: JsonObject = {
        "identifier": "release",
        "elements": [
            {"identifier": "each", "job": "hello", "for_each": list(TEXTS)},
            {"identifier": "last", "job": "hello", "after": ["each"], "when": f"parameters.x = {TEXTS[0]!r}"},
        ],
        "parameters": [{"identifier": "x", "default": TEXTS[0]}],
    }
    schedule: JsonObject = {
        "identifier": "nightly",
        "job": "hello",
        "expression": "0 3 * * *",
        "description": _ALL,
        "parameters": {"name": _ALL},
    }
    project: JsonObject = {
        "identifier": "example",
        "display_name": identity_text[:200],
        "description": _ALL,
        "jobs": [job, pipeline],
        "schedules": [schedule],
        "repository": str(repository),
        "services": {TEXTS[0]: "https://example.org/"},
    }
    await installation.projects.apply(parse_projects([project]))
    driver = RunDriver(installation)
    properties: JsonObject = {"tags": list(TEXTS), "operating_system": TEXTS[0], "architecture": TEXTS[1]}
    description = WorkerDescription(
        TEXTS[0][:60],
        executor_limit=2,
        properties=properties,
        refusal=Refusal(REFUSAL.run, _ALL[:300], REFUSAL.date),
        display_name=identity_text[:100],
    )
    await connect_worker(installation.workers, WORKER, "victim", "1" * 32, description, 0.0, "master")
    run = await driver.start(await driver.trigger("hello", {"name": _ALL, "choice": TEXTS[3]}))
    run = await driver.command(run, "echo", *TEXTS, exit_code=1)
    run = await driver.write(run, LOG)
    ended = await driver.end(run, RunStatus.FAILED, ReasonCode.COMMAND_FAILED, _ALL[:500], RESULTS)
    await driver.write(await driver.start(await driver.trigger("hello")), LOG)
    await driver.trigger("hello", {"name": TEXTS[1]})
    parent = await driver.begin(await driver.trigger("release"))
    assert request_of(await installation.jobs.get("example", "release"), {}) == parent.request
    return ended


def test_hostile_text_is_text(
    make_installation: Callable[[], Installation], browsing: Callable[..., Page], tmp_path: Path
) -> None:
    installation = make_installation()
    source = GitSource(tmp_path / "source")
    for text in TEXTS:
        source.commit(text)
    run = installation.call(_prepare(installation, source.path))
    visitor = Visitor(installation.url)
    visitor.log_in("victim")
    visitor.send("/profile", "/profile/tokens", description=_ALL[:200])
    page = browsing(installation.url, "victim", java_script=True, is_expected=_is_expected)
    typed = [f"/runs?where={quote(text)}&job={quote(text)}&since={quote(text)}" for text in TEXTS]
    paths = [*crawl(visitor), *typed, *(f"/{quote(text, safe='')}" for text in TEXTS)]
    paths += [f"/projects/{quote(text, safe='')}/runs/{quote(text, safe='')}" for text in TEXTS]
    paths += [f"/login?next={quote(text)}" for text in TEXTS]
    found: list[str] = []
    for path in paths:
        open_page(page, installation.url, path)
        found += [f"{path}: {one}" for one in page.evaluate(_FIND_FOREIGN)]
    assert not found, "\n".join(found[:20])
    here = f"/projects/example/runs/{run.identifier}"
    assert TEXTS[0] in visitor.get(f"{here}/log/raw").text
    for name in ("log/raw", "results"):
        response = visitor.get(f"{here}/{name}")
        assert response.headers["Content-Type"].startswith(("text/plain", "application/json"))
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
        open_as_page = page.goto(f"{installation.url}{here}/{name}") if name == "log/raw" else None
        assert open_as_page is None or page.evaluate("window.attacked") is None
    visitor.close()


def _is_expected(complaint: str) -> bool:
    """A page that tells of a mistake has a status that says so."""
    return "status of 404" in complaint or "status of 422" in complaint or "status of 400" in complaint
