from __future__ import annotations

import pytest

from tests.services import DATABASES


@pytest.fixture(params=[*DATABASES, "memory"])
def storage_url(request: pytest.FixtureRequest) -> str:
    """A database of this test alone, on everything that implements the port."""
    if request.param == "memory":
        return f"memory:{request.node.name}"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
