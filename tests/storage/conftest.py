from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.services import DATABASES, SQL_DATABASES


@pytest.fixture(params=[*DATABASES, "mongodb_node", "memory"])
def storage_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone, on everything that implements the port."""
    return _url(request)


@pytest.fixture(params=[*SQL_DATABASES, "memory"])
def transactional_url(request: pytest.FixtureRequest) -> str:
    """Likewise, where a batch is carried out whole or not at all."""
    return _url(request)


@pytest.fixture(params=[*DATABASES, "mongodb_node"])
def new_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes URLs of databases that do not exist yet, on everything that keeps them."""
    made: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    return made


@pytest.fixture(params=SQL_DATABASES)
def sql_url(request: pytest.FixtureRequest) -> str:
    """Likewise, where there are tables to look into."""
    return _url(request)


@pytest.fixture(params=SQL_DATABASES)
def new_sql_url(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Makes URLs of such databases that do not exist yet."""
    made: Callable[[], str] = request.getfixturevalue(f"new_{request.param}_url")
    return made


def _url(request: pytest.FixtureRequest) -> str:
    if request.param == "memory":
        return f"memory:{request.node.name}"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
