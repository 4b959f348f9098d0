from __future__ import annotations

from job_orchestra.client.call import Call
from job_orchestra.protocol.resources.answers import HealthAnswer, RouteAnswer, VersionAnswer


def version() -> Call[VersionAnswer]:
    return Call("GET", "/", VersionAnswer)


def health() -> Call[HealthAnswer]:
    return Call("GET", "/health", HealthAnswer)


def ready() -> Call[HealthAnswer]:
    """Unavailable while the service cannot serve; the message says what it waits for."""
    return Call("GET", "/ready", HealthAnswer)


def routes() -> Call[list[RouteAnswer]]:
    return Call("GET", "/routes", list[RouteAnswer])
