"""Deliveries of GitHub: signed as a whole, told apart by their content."""

from __future__ import annotations

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.webhooks import Push
from job_orchestra.integrations.deliveries import Delivery, NoPush, is_nothing, text_at

_SIGNATURE = "x-hub-signature-256"
_PREFIX = "sha256="


class GitHubDeliveries:
    def is_genuine(self, delivery: Delivery, secret: bytes) -> bool:
        signature = delivery.headers.get(_SIGNATURE, "")
        return signature.startswith(_PREFIX) and delivery.is_signed(signature.removeprefix(_PREFIX), secret)

    def identifier(self, delivery: Delivery) -> str:
        return delivery.named_by("x-github-delivery")

    def key(self, delivery: Delivery) -> str:
        # The header with the identifier is not signed: who has once seen a delivery could send it again under another.
        return delivery.content_hash

    def read(self, delivery: Delivery, payload: JsonObject) -> Push | NoPush:
        match event := delivery.headers.get("x-github-event", ""):
            case "push":
                return read_push(payload)
            case "ping":
                return NoPush("The webhook works: the signature of GitHub's ping is right.")
            case _:
                return NoPush(f"Events of the kind {event[:100]!r} trigger nothing; send only pushes.")


def read_push(payload: JsonObject) -> Push:
    """Of the form that GitHub, Gitea and Forgejo have in common; Invalid where it is not."""
    after = text_at(payload, "after", is_needed=True)
    return Push(
        ref=text_at(payload, "ref", is_needed=True),
        # Of a tag that is an object of its own, `after` is that object.
        revision=text_at(payload, "head_commit", "id") or after,
        before=text_at(payload, "before"),
        repository=text_at(payload, "repository", "full_name"),
        user=text_at(payload, "sender", "login"),
        is_deletion=payload.get("deleted") is True or is_nothing(after),
    )
