"""What both clients do alike."""

from __future__ import annotations

from urllib.parse import urlsplit

from job_orchestra.domain.errors import Invalid, Unavailable
from job_orchestra.protocol.causes import cause_of
from job_orchestra.version import __version__

HEADERS = {"User-Agent": f"job-orchestra/{__version__}", "Accept-Encoding": "identity"}
CONNECT_TIMEOUT = 5.0
ANSWER_TIMEOUT = 30.0
FOLLOW_TIMEOUT = 60.0
"""A log that says nothing for so long is asked for again, lest a half-open connection is waited on for ever."""
PATIENCE = 300.0
"""Seconds for which a follower bears a service that is away."""


def checked_url(url: str) -> str:
    """Without a slash at the end; Invalid unless it is http:// or https:// with a host."""
    try:
        parts = urlsplit(url)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_address = False
    if not is_address or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid.at("service URL", f"{url!r} is no address such as http://127.0.0.1:5902.")
    return url.rstrip("/")


def needs_tls(url: str) -> bool:
    """Reading the certificates takes longer than most requests, so they are read only where needed."""
    return url.startswith("https:")


def unreachable(url: str, error: BaseException) -> Unavailable:
    return Unavailable(f"The service at {url} cannot be reached: {cause_of(error)}.")


def too_slow(url: str) -> Unavailable:
    return Unavailable(f"The service at {url} does not answer in time.")


def broken(url: str, error: BaseException) -> Unavailable:
    return Unavailable(f"The connection to the service at {url} broke: {cause_of(error)}.")


def log_range(start: int | None, end: int | None) -> dict[str, str]:
    """The Range header of bytes `start` up to but without `end`."""
    if start is None and end is None:
        return {}
    return {"Range": f"bytes={start or 0}-{'' if end is None else end - 1}"}
