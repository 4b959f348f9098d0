"""What may be given to the command `git`: addresses, branches and revisions that it takes for nothing else."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

SCHEMES = ("https", "http", "ssh", "git", "file")
PROTOCOLS = ":".join(SCHEMES)
"""For GIT_ALLOW_PROTOCOL: without those by which an address names a program."""
FULL_REVISION = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")

_LONGEST_URL = 1000
_LONGEST_NAME = 250
_SHORT = re.compile(r"(?:[^@/:\s]+@)?[^@/:\s]+:(?!:)\S+")
"""`git@host:path`."""
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NOT_IN_NAMES = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)")
_KEPT = re.compile(
    r"GIT_(SSH|SSH_COMMAND|SSH_VARIANT|SSL_\w+|PROXY_\w+|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM)|EXEC_PATH|TRACE\w*)"
)


def flaw_of_url(url: str) -> str:
    """What keeps git from being given this as the place of a repository; empty if nothing does."""
    if not url:
        return "is empty"
    if len(url) > _LONGEST_URL or not url.isprintable():
        return f"has to have at most {_LONGEST_URL} printable characters"
    if url.startswith("-"):
        return "begins with a dash, which git takes for an option"
    scheme = _SCHEME.match(url)
    if scheme is None:
        # A name of a helper and two colons make git start a program.
        return "names a program of git's as its transport" if "::" in url.partition("/")[0] else ""
    if scheme[1].lower() not in SCHEMES:
        return f"has the scheme {scheme[1]}; possible are {', '.join(SCHEMES)}"
    return _flaw_of_address(url)


def _flaw_of_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"is no address: {error}"
    if parts.scheme != "file" and (not host or host.startswith("-") or port == 0):
        return "names no host"
    if parts.password is not None:
        return "has a password in it, which belongs where token_environment or token_file say"
    return "" if parts.path.strip("/") else "names no repository behind its host"


def is_path(url: str) -> bool:
    """Whether it is a place on this host: no address, and no `host:path`."""
    return _SCHEME.match(url) is None and (url.startswith(("/", "./", "../")) or _SHORT.fullmatch(url) is None)


def flaw_of_name(name: str) -> str:
    """What keeps this from being a branch or tag, by git's own rules; empty if nothing does."""
    if not name:
        return "is empty"
    if name.startswith("-"):
        return "begins with a dash, which git takes for an option"
    if len(name) > _LONGEST_NAME or _NOT_IN_NAMES.search(name) or name.startswith((".", "/")):
        return "is no name of a branch or tag"
    return "is no name of a branch or tag" if name.endswith((".", "/")) or name == "@" else ""


def git_environment(environment: Mapping[str, str], url: str = "", token: str | None = None) -> dict[str, str]:
    """In which git asks nobody for anything, knows no other repository than it is told, and has the token for `url`.

    A token is no part of the arguments, which everybody on the host can read.
    """
    own = {name: value for name, value in environment.items() if not name.startswith("GIT_") or _KEPT.fullmatch(name)}
    own |= {
        "GIT_ALLOW_PROTOCOL": PROTOCOLS,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "",
    }
    settings = {"core.hooksPath": "/dev/null", "gc.autoDetach": "false", "maintenance.autoDetach": "false"}
    if token:
        settings[f"http.{_origin(url)}/.extraHeader"] = f"Authorization: Basic {_basic(url, token)}"
    own["GIT_CONFIG_COUNT"] = str(len(settings))
    for number, (name, value) in enumerate(settings.items()):
        own[f"GIT_CONFIG_KEY_{number}"] = name
        own[f"GIT_CONFIG_VALUE_{number}"] = value
    return own


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _basic(url: str, token: str) -> str:
    """Hosts take any user beside a token; one of them wants this name for some kinds."""
    user = urlsplit(url).username or "x-access-token"
    return base64.b64encode(f"{user}:{token}".encode()).decode()
