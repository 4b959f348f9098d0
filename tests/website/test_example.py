"""The example of a website that is one's own, as it stands in `examples/website`, before a real service."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from job_orchestra.cli.installation_check import check_installation
from job_orchestra.composition.loading import load_composition
from job_orchestra.composition.website import WebsiteComposition
from job_orchestra.settings.reading import load_settings
from tests.website.examples import WORKER, Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "website"


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a copy: what an installation makes beside its settings does not belong into the repository."""
    copy = tmp_path_factory.mktemp("example") / "website"
    shutil.copytree(EXAMPLE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy / "orchestra.toml"


@contextmanager
def _imports_forgotten(directory: Path) -> Generator[None]:
    """What is imported from there is nobody else's."""
    path, modules = list(sys.path), set(sys.modules)
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - modules:
            if str(getattr(sys.modules[name], "__file__", "")).startswith(str(directory)):
                del sys.modules[name]


@pytest.fixture(scope="module")
def visitor(settings_file: Path, installation: Installation, examples: Examples) -> Iterator[Visitor]:
    """Of the example's website, which has the service of the test; nobody is logged in."""
    service = f"http://127.0.0.1:{installation.service.port}"
    environment = {
        "ORCHESTRA_WEBSITE_PORT": "0",
        "ORCHESTRA_WEBSITE_SERVICE_URL": service,
        "ORCHESTRA_WEBSITE_EXTERNAL_SERVICES": json.dumps({"HTTP API": f"{service}/health"}),
    }
    with _imports_forgotten(settings_file.parent):
        composition = load_composition("website", WebsiteComposition, load_settings(settings_file, environment))
        running = installation.loop.start(composition.application)
        made = Visitor(composition.application.url)
        try:
            yield made
        finally:
            made.close()
            installation.call(running.stop())


@pytest.fixture
def operator(visitor: Visitor) -> Visitor:
    if visitor.session is None:
        assert visitor.log_in("operator").status_code == 303
    return visitor


def test_its_configuration_is_in_order(settings_file: Path) -> None:
    with _imports_forgotten(settings_file.parent):
        assert check_installation(settings_file, {}) == "orchestra.toml is in order: 1 project, 1 job, 0 schedules."


def test_every_page_has_title_logo_announcement_and_footer(operator: Visitor, examples: Examples) -> None:
    run = f"/projects/example/runs/{examples.succeeded.identifier}"
    for path in ("/", "/latest", "/runs", run, f"{run}/log", "/workers", "/nothing"):
        page = operator.get(path).text
        assert " · Example builds</title>" in page, path
        assert re.search(r'<a class="brand" href="/"><img src="/static/\w+/logo.svg" alt=""> Example builds</a>', page)
        assert '<aside class="announcement" aria-label="Announcement">The machines get new disks' in page
        if path not in {f"{run}/log", "/nothing"}:
            assert re.search(r"<footer>\nTimes are .*These builds are looked after by .*</footer>", page, re.DOTALL), (
                path
            )


def test_its_page_is_in_the_navigation_and_shows_what_the_client_fetched(operator: Visitor, examples: Examples) -> None:
    assert '<a href="/latest">Latest</a>' in operator.get("/").text
    page = operator.get("/latest").text
    assert '<a href="/latest" aria-current="page">Latest</a>' in page
    assert examples.succeeded.identifier in page
    assert examples.failed.identifier not in page
    assert operator.get("/latest?surprise=1").status_code == 400
    assert operator.get("/latest?refresh=off").status_code == 200


def test_one_block_of_our_template_is_another(operator: Visitor) -> None:
    page = operator.get(f"/workers/{WORKER}").text
    assert "<dt>Version</dt><dd>1.2.3</dd>" in page  # ours
    assert "It uses 50 % of what it may." in page
    assert "<h2>Last runs</h2>" in page


def test_its_pages_stay_within_the_budget(operator: Visitor, examples: Examples) -> None:
    def size(path: str) -> int:
        return len(gzip.compress(operator.get(path).content))

    page = operator.get("/").text
    addresses = re.findall(r'<link rel="stylesheet" href="([^"]+)">|<img src="([^"]+)"', page)
    parts = [first or second for first, second in addresses]
    assert [part.rpartition("/")[2] for part in parts] == ["style.css", "logo.svg"]
    for part in parts:
        assert operator.get(part).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    fixed = sum(size(part) for part in parts)
    run = f"/projects/example/runs/{examples.lost.identifier}"
    for path in ("/", "/latest", "/runs", run, f"/workers/{WORKER}", "/projects/example/jobs/hello"):
        assert fixed + size(path) < 14 * 1024, path
