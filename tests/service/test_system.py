from __future__ import annotations

import re
from typing import Any

from job_orchestra.domain.roles import Role
from job_orchestra.service.routes import ROUTES
from tests.service.serving import Play, Served


def test_version_and_health(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        assert (await served.anonymous.get("/")).json()["name"] == "Job Orchestra"
        assert (await served.anonymous.get("/health")).json() == {"status": "alive", "waiting_for": []}
        assert (await served.anonymous.get("/ready")).json() == {"status": "ready", "waiting_for": []}

    play_on_sqlite(scenario)


def test_routes_tell_what_the_caller_may(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        async def allowed(client: Any) -> set[str]:
            routes = (await client.get("/routes")).json()
            assert len(routes) == len(ROUTES)
            return {f"{route['method']} {route['path']}" for route in routes if route["is_allowed"]}

        nobody = await allowed(served.anonymous)
        viewer = await allowed(await served.user(Role.VIEWER))
        everything = await allowed(await served.user(Role.ADMINISTRATOR))
        assert nobody < viewer < everything
        assert len(everything) == len(ROUTES)
        assert "GET /projects" in viewer - nobody
        assert "POST /users" in everything - viewer

    play_on_sqlite(scenario)


def test_the_openapi_document_covers_every_route_and_refers_only_to_what_it_has(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        response = await served.anonymous.get("/openapi.json")
        document = response.json()
        described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
        assert described == {(route.method, route.path) for route in ROUTES}
        names = set(re.findall(r'"#/components/schemas/([^"]+)"', response.text))
        assert names == set(document["components"]["schemas"])
        operations = [operation for methods in document["paths"].values() for operation in methods.values()]
        assert len({operation["operationId"] for operation in operations}) == len(operations)
        trigger = document["paths"]["/projects/{project}/jobs/{job}/trigger"]["post"]
        assert [one["name"] for one in trigger["parameters"]] == ["project", "job", "Idempotency-Key"]
        assert trigger["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/TriggerBody")
        assert document["paths"]["/health"]["get"]["security"] == []

    play_on_sqlite(scenario)


def test_the_documentation_is_a_page_without_scripts(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        response = await served.anonymous.get("/docs")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert "<script" not in response.text
        assert "http" not in re.sub(r"HTTP|<!DOCTYPE html>", "", response.text)
        for route in ROUTES:
            assert f"<h2>{route.method} {route.path}</h2>" in response.text

    play_on_sqlite(scenario)


def test_answers_are_not_kept_by_caches(play_on_sqlite: Play) -> None:
    async def scenario(served: Served) -> None:
        client = await served.user(Role.VIEWER)
        for path in ("/projects", "/nope"):
            headers = (await client.get(path)).headers
            assert headers["cache-control"] == "no-store"
            assert headers["x-content-type-options"] == "nosniff"

    play_on_sqlite(scenario)
