from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.website.examples import Examples, prepare
from tests.website.installation import Installation
from tests.website.visitor import Visitor


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("installation"))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def make_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Installation]]:
    """Installations of a test alone, which it may change."""
    with ExitStack() as stack:

        def make() -> Installation:
            made = Installation(tmp_path_factory.mktemp("installation"))
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture(scope="module")
def examples(installation: Installation) -> Examples:
    return installation.call(prepare(installation))


@pytest.fixture
def visitors(installation: Installation, examples: Examples) -> Iterator[Callable[[str | None], Visitor]]:
    """Visitors logged in as a user, or strangers."""
    made: list[Visitor] = []

    def make(user: str | None) -> Visitor:
        visitor = Visitor(installation.url)
        made.append(visitor)
        if user is not None:
            assert visitor.log_in(user).status_code == 303
        return visitor

    try:
        yield make
    finally:
        for visitor in made:
            visitor.close()
