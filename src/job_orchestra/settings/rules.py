"""What a value has to be beyond its type. A rule answers with what is wrong, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

from job_orchestra.domain.checking import MOST_SECONDS, Reader, read_all
from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.identifiers import NAME, NAME_RULE
from job_orchestra.domain.placement import WEIGHT
from job_orchestra.domain.queries.parsing import parse_result_key
from job_orchestra.domain.queries.scanning import ExpressionMistake
from job_orchestra.domain.retention_data import MOST_COUNT, MOST_DAYS
from job_orchestra.domain.workers import MOST_EXECUTORS

RULE = "rule"

_MOST_KEYS = 20
_LONGEST_TITLE = 60
_LONGEST_SERVICE = 60
_LONGEST_KEY = 300
Rule = Callable[[object], str | None]


def ruled(rule: Rule) -> Mapping[str, Rule]:
    """For the `metadata` of a field."""
    return {RULE: rule}


def port(value: object) -> str | None:
    return (
        None if isinstance(value, int) and 0 <= value <= 65535 else "a port is a number from 0 (any free one) to 65535"
    )


def executors(value: object) -> str | None:
    is_right = isinstance(value, int) and 1 <= value <= MOST_EXECUTORS
    return None if is_right else f"it has to be from 1 to {MOST_EXECUTORS}"


def seconds(value: object) -> str | None:
    is_right = isinstance(value, int) and 1 <= value <= MOST_SECONDS
    return None if is_right else f"it has to be from 1 to {MOST_SECONDS}, which are ten years"


def days(value: object) -> str | None:
    return _from_one_to(MOST_DAYS, value)


def count(value: object) -> str | None:
    return _from_one_to(MOST_COUNT, value)


def _from_one_to(most: int, value: object) -> str | None:
    is_right = isinstance(value, int) and 1 <= value <= most
    return None if is_right else f"it has to be from 1 to {most}; leave it out to keep runs for ever"


def properties(value: object) -> str | None:
    """Of a worker, which masters have to be able to store."""
    try:
        found = read_all(value, Reader.json_object)
    except Invalid as error:
        mistake = error.mistakes[0]
        return f"{mistake.place}: {mistake.message}" if mistake.place else mistake.message
    weight = found.get(WEIGHT, 1)
    is_weight = isinstance(weight, (int, float)) and not isinstance(weight, bool) and weight > 0
    return None if is_weight else f"{WEIGHT}: it has to be a number above 0"


def name(value: object) -> str | None:
    return None if isinstance(value, str) and NAME.fullmatch(value) else f"it has to be {NAME_RULE}"


def not_empty(value: object) -> str | None:
    return None if value else "it must not be empty"


def title(value: object) -> str | None:
    is_right = isinstance(value, str) and value.strip() and value.isprintable() and len(value) <= _LONGEST_TITLE
    return None if is_right else f"it has to be a line of 1 to {_LONGEST_TITLE} characters"


def service_addresses(value: object) -> str | None:
    """Names of external services, each with the address that is looked at."""
    if not isinstance(value, dict):
        return "it has to be a table"
    for name, url in cast("dict[str, object]", value).items():
        if not name.strip() or not name.isprintable() or len(name) > _LONGEST_SERVICE:
            return f"{name!r} is no name of 1 to {_LONGEST_SERVICE} characters"
        if not url or http_url(url):
            return f"{name}: it has to be an address like https://tracker.example.org/health"
    return None


def http_url(value: object) -> str | None:
    return _url(value, ("http", "https"), "http://127.0.0.1:5902")


def master_url(value: object) -> str | None:
    return _url(value, ("ws", "wss"), "ws://127.0.0.1:5901")


def master_urls(value: object) -> str | None:
    if not isinstance(value, tuple):
        return "it has to be a list"
    return next((wrong for url in cast("tuple[object, ...]", value) if (wrong := master_url(url))), None)


def result_keys(value: object) -> str | None:
    if not isinstance(value, tuple):
        return "it has to be a list"
    keys = cast("tuple[str, ...]", value)
    if len(keys) > _MOST_KEYS:
        return f"at most {_MOST_KEYS} keys can be indexed"
    return next((f"{key!r}: {wrong}" for key in keys if (wrong := _result_key(key))), None)


def _result_key(key: str) -> str | None:
    try:
        path = parse_result_key(key)
    except ExpressionMistake as mistake:
        return str(mistake)
    return None if len(path.key) <= _LONGEST_KEY else f"a key has at most {_LONGEST_KEY} characters"


def module_attribute(value: object) -> str | None:
    if not isinstance(value, str):
        return "it has to be text"
    module, separator, attribute = value.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if separator and all(part.isidentifier() for part in names):
        return None
    return "it has to be 'module:name', as in 'projects:projects'"


def _url(value: object, schemes: tuple[str, ...], example: str) -> str | None:
    wrong = f"it has to be an address like {example}"
    if value == "":
        return None  # Not given: there is a default.
    if not isinstance(value, str):
        return wrong
    try:
        parts = urlsplit(value)
        is_right = parts.scheme in schemes and bool(parts.hostname) and (parts.port is None or parts.port >= 0)
    except ValueError:
        return wrong
    return None if is_right else wrong
