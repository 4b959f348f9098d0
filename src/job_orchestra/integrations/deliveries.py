"""What a repository's host delivers to a webhook, and what each form of it has to tell. No I/O, no clock."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Protocol
from urllib.parse import parse_qs

import msgspec

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.json import JsonObject, JsonValue
from job_orchestra.domain.webhooks import Push

_LONGEST_IDENTIFIER = 100
_LONGEST_TEXT = 1000
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Delivery:
    headers: Mapping[str, str]
    """Names in lower case."""
    content: bytes
    received_at: datetime

    def payload(self) -> JsonObject:
        """Invalid if that is no JSON object."""
        content = self.content
        try:
            if self.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM:
                fields = parse_qs(content.decode("ascii", "replace"), max_num_fields=10)
                content = fields.get("payload", [""])[0].encode()
            # Half a surrogate pair is no JSON here: no answer could show it, and no database keep it.
            payload: JsonValue = msgspec.json.decode(content)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise Invalid.at("", f"the body is not JSON: {error}") from None
        if not isinstance(payload, dict):
            raise Invalid.at("", "the body is not a JSON object")
        return payload

    def named_by(self, *headers: str) -> str:
        """What the host calls it, by the first of these headers that is fit to be kept; empty if none is."""
        for header in headers:
            value = self.headers.get(header, "")
            if value and len(value) <= _LONGEST_IDENTIFIER and value.isascii() and value.isprintable():
                return value
        return ""

    @property
    def content_hash(self) -> str:
        return sha256(self.content).hexdigest()

    def is_signed(self, signature: str, secret: bytes) -> bool:
        """Whether that is the HMAC with SHA-256 of the content, in hexadecimal."""
        return is_same(signature, hmac.new(secret, self.content, sha256).hexdigest())


@dataclass(frozen=True, slots=True)
class NoPush:
    """A delivery that triggers nothing, whatever the project says."""

    reason: str


class DeliveryForm(Protocol):
    """How one kind of host signs and writes its deliveries."""

    def is_genuine(self, delivery: Delivery, secret: bytes) -> bool: ...

    def identifier(self, delivery: Delivery) -> str:
        """What the host's own pages call it; empty if they do not."""
        ...

    def key(self, delivery: Delivery) -> str:
        """The same for a delivery that is repeated; as far as the signature reaches, nobody else can change it."""
        ...

    def read(self, delivery: Delivery, payload: JsonObject) -> Push | NoPush:
        """Invalid where it is not of this form."""
        ...


def is_same(one: str, other: str) -> bool:
    """In a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())


def is_nothing(revision: str) -> bool:
    """Of the revision that a deleted branch is said to be at."""
    return not revision.strip("0")


def text_at(payload: JsonObject, *path: str, is_needed: bool = False) -> str:
    """The text there; where there is none, or an empty one, empty, or Invalid if it is needed."""
    value: JsonValue = payload
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    if value and isinstance(value, str) and len(value) <= _LONGEST_TEXT:
        return value
    if is_needed:
        raise Invalid.at(".".join(path), f"is missing, empty, no text, or longer than {_LONGEST_TEXT} characters")
    return ""
