"""Deliveries of Gitea and Forgejo: signed as a whole, told apart by their content."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.webhooks import Push
from job_orchestra.integrations.deliveries import Delivery, NoPush
from job_orchestra.integrations.github.deliveries import read_push

_NAMES = ("x-forgejo", "x-gitea")
"""Forgejo sends what Gitea does as well, under both names."""


class ForgejoDeliveries:
    def is_genuine(self, delivery: Delivery, secret: bytes) -> bool:
        return delivery.is_signed(_header(delivery, "signature"), secret)

    def identifier(self, delivery: Delivery) -> str:
        return delivery.named_by(*(f"{name}-delivery" for name in _NAMES))

    def key(self, delivery: Delivery) -> str:
        # The header with the identifier is not signed: who has once seen a delivery could send it again under another.
        return delivery.content_hash

    def read(self, delivery: Delivery, payload: JsonObject) -> Push | NoPush:
        event = _header(delivery, "event")
        if event == "push":
            return read_push(payload)
        return NoPush(f"Events of the kind {event[:100]!r} trigger nothing; send only pushes.")


def _header(delivery: Delivery, rest: str) -> str:
    """The first that is there; a wrong one is not made good by another."""
    return next((value for name in _NAMES if (value := delivery.headers.get(f"{name}-{rest}"))), "")
