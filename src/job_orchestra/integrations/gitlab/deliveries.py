"""Deliveries of GitLab: with a secret token in a header, or signed as the Standard Webhooks specification has it."""

from __future__ import annotations

import base64
import binascii
import hmac
from hashlib import sha256

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.webhooks import Push
from job_orchestra.integrations.deliveries import Delivery, NoPush, is_nothing, is_same, text_at

_SIGNING = b"whsec_"
"""How signing tokens begin; what follows is the key in base 64."""
_VERSION = "v1,"
_MOST_SKEW = 300.0
"""Seconds that a signed delivery may be on its way, or the clocks apart."""
_IDENTIFIERS = ("webhook-id", "idempotency-key", "x-gitlab-event-uuid")
_PUSHES = frozenset({"Push Hook", "Tag Push Hook"})


class GitLabDeliveries:
    def is_genuine(self, delivery: Delivery, secret: bytes) -> bool:
        if secret.startswith(_SIGNING):
            return _is_signed(delivery, secret.removeprefix(_SIGNING))
        return is_same(delivery.headers.get("x-gitlab-token", ""), secret.decode(errors="replace"))

    def identifier(self, delivery: Delivery) -> str:
        return delivery.named_by(*_IDENTIFIERS)

    def key(self, delivery: Delivery) -> str:
        """By `webhook-id`, which is signed, or what older versions have instead; by the content before those."""
        return delivery.named_by(*_IDENTIFIERS[:2]) or delivery.content_hash

    def read(self, delivery: Delivery, payload: JsonObject) -> Push | NoPush:
        event = delivery.headers.get("x-gitlab-event", "")
        if event not in _PUSHES:
            return NoPush(f"Events of the kind {event[:100]!r} trigger nothing; send only push and tag push events.")
        after = text_at(payload, "after", is_needed=True)
        return Push(
            ref=text_at(payload, "ref", is_needed=True),
            revision=text_at(payload, "checkout_sha") or after,
            before=text_at(payload, "before"),
            repository=text_at(payload, "project", "path_with_namespace"),
            user=text_at(payload, "user_username"),
            is_deletion=is_nothing(after),
        )


def _is_signed(delivery: Delivery, encoded_key: bytes) -> bool:
    identifier, sent_at = (delivery.headers.get(name, "") for name in ("webhook-id", "webhook-timestamp"))
    if not (sent_at.isascii() and sent_at.isdigit() and len(sent_at) < 16):
        return False
    if abs(delivery.received_at.timestamp() - int(sent_at)) > _MOST_SKEW:
        return False
    try:
        key = base64.b64decode(encoded_key, validate=True)
    except binascii.Error:
        return False
    signed = f"{identifier}.{sent_at}.".encode() + delivery.content
    right = _VERSION + base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    return any(is_same(one, right) for one in delivery.headers.get("webhook-signature", "").split(" ")[:10])
