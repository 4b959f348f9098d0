"""Runs sought by an expression on their page."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from urllib.parse import quote

import pytest

from job_orchestra.repositories.run_search import Budget
from tests.website.examples import Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor

_WHERE = "results.tests.failed > 0 and parameters.name contains '<i>'"


@pytest.fixture
def operator(visitors: Callable[[str | None], Visitor], examples: Examples) -> Visitor:
    return visitors("operator")


def _shown(page: str, examples: Examples) -> set[str]:
    return {name for name, run in vars(examples).items() if f"/runs/{run.identifier}" in page}


@pytest.mark.parametrize("path", ["/runs", "/projects/example/runs"])
def test_runs_are_sought_by_an_expression(operator: Visitor, examples: Examples, path: str) -> None:
    page = operator.get(f"{path}?where={quote(_WHERE)}&status=succeeded").text
    assert _shown(page, examples) == {"succeeded"}
    assert re.search(r"Looked through \d+ runs?, back to <time", page)
    assert "Look further" not in page
    [typed] = re.findall(r'<input id="where" name="where" value="([^"]*)"', page)
    assert unescape(typed) == _WHERE
    assert _shown(operator.get(f"{path}?where=results.tests.failed=0").text, examples) == set()


def test_a_mistake_is_shown_at_its_place_and_what_was_typed_is_kept(operator: Visitor) -> None:
    response = operator.get("/runs?where=results.a+%3D+%3Cb%3E+or+x&status=asleep")
    assert response.status_code == 422
    page = response.text
    assert 'value="results.a = &lt;b&gt; or x"' in page
    assert "<pre>results.a = <mark>&lt;</mark>b&gt; or x</pre>character 13: expected a value" in page
    assert 'aria-invalid="true" aria-describedby="where-mistake"' in page
    assert page.count("character 13") == 1
    assert "&#39;asleep&#39; is not one of" in page
    page = operator.get("/runs?where=results.a+%3D").text
    assert "<pre>results.a =<mark> </mark></pre>character 12: expected a value" in page
    assert operator.get("/runs?where=%ff").status_code == 400
    assert operator.get("/runs?where=" + "x" * 3000).status_code == 422


def test_one_looks_further_where_history_is_long(
    operator: Visitor, installation: Installation, examples: Examples
) -> None:
    installation.run_search.budget = Budget(runs=2)
    try:
        seen: set[str] = set()
        address, pages = f"/runs?where={quote(_WHERE)}", 0
        while address:
            page = operator.get(address).text
            seen |= _shown(page, examples)
            pages += 1
            further = re.search(r'<a href="([^"]+)" rel="next">Look further</a>', page)
            address = unescape(further[1]) if further else ""
            assert not further or "None of those match that were looked at so far." in page or seen
        assert seen == {"succeeded"}
        assert pages > 2
    finally:
        installation.run_search.budget = Budget()
