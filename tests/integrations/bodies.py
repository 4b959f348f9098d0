"""Deliveries as the hosts of repositories write them: the fields that their documentation names, and signatures."""

from __future__ import annotations

import base64
import hmac
import json
from hashlib import sha256
from typing import Any

REVISION = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
BEFORE = "59b20b8d5c6ff8d09518454d4dd8b7b30f095ab5"
NOTHING = "0" * 40
SECRET = "It's a Secret to Everybody"
SIGNING_TOKEN = "whsec_" + base64.b64encode(b"0123456789abcdef" * 2).decode()


def github_push(ref: str = "refs/heads/main", after: str = REVISION, **fields: Any) -> dict[str, Any]:
    commit = {"id": after, "message": "Grüße", "timestamp": "2026-11-23T10:00:00+01:00", "added": [], "modified": ["a"]}
    return {
        "ref": ref,
        "before": BEFORE,
        "after": after,
        "created": False,
        "deleted": after == NOTHING,
        "forced": False,
        "base_ref": None,
        "compare": "https://github.test/ada/engine/compare/59b20b8d5c6f...6113728f27ae",
        "commits": [] if after == NOTHING else [commit],
        "head_commit": None if after == NOTHING else commit,
        "repository": {"id": 1, "full_name": "ada/engine", "clone_url": "https://github.test/ada/engine.git"},
        "pusher": {"name": "ada", "email": "example@example.test"},
        "sender": {"login": "ada", "id": 7},
        **fields,
    }


def gitea_push(ref: str = "refs/heads/main", after: str = REVISION) -> dict[str, Any]:
    commit = {"id": after, "message": "m", "url": "https://gitea.test/ada/engine/commit/1", "timestamp": "2026-11-23"}
    return {
        "ref": ref,
        "before": BEFORE,
        "after": after,
        "compare_url": "https://gitea.test/ada/engine/compare/59b20...61137",
        "commits": [commit],
        "total_commits": 1,
        "head_commit": commit,
        "repository": {"id": 140, "full_name": "ada/engine", "clone_url": "https://gitea.test/ada/engine.git"},
        "pusher": {"id": 1, "login": "ada", "username": "ada"},
        "sender": {"id": 1, "login": "ada", "username": "ada"},
    }


def gitlab_push(ref: str = "refs/heads/main", after: str = REVISION) -> dict[str, Any]:
    is_tag = ref.startswith("refs/tags/")
    return {
        "object_kind": "tag_push" if is_tag else "push",
        "event_name": "tag_push" if is_tag else "push",
        "before": NOTHING if is_tag else BEFORE,
        "after": after,
        "ref": ref,
        "checkout_sha": None if after == NOTHING else REVISION,
        "user_id": 4,
        "user_name": "Example",
        "user_username": "ada",
        "project_id": 15,
        "project": {
            "id": 15,
            "path_with_namespace": "ada/engine",
            "git_http_url": "https://gitlab.test/ada/engine.git",
        },
        "commits": [],
        "total_commits_count": 0,
    }


def content_of(body: object) -> bytes:
    return json.dumps(body).encode()


def signature(content: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), content, sha256).hexdigest()


def github_headers(
    content: bytes, event: str = "push", delivery: str = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": "292430182",
        "X-Hub-Signature-256": f"sha256={signature(content)}",
    }


def gitlab_headers(event: str = "Push Hook", token: str = SECRET) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Gitlab-Event": event,
        "X-Gitlab-Token": token,
        "X-Gitlab-Webhook-UUID": "6569eb7d-b565-42ef-9be8-d1e3e3b5b6a1",
        "X-Gitlab-Event-UUID": "13792a34-cac6-4fda-95a8-c58e00a3954e",
        "Idempotency-Key": "f5e57ebe-9fd5-4a3b-8c43-4d24d1ef38d0",
    }


def signed_gitlab_headers(content: bytes, sent_at: float, identifier: str = "msg-1") -> dict[str, str]:
    key = base64.b64decode(SIGNING_TOKEN.removeprefix("whsec_"))
    signed = f"{identifier}.{int(sent_at)}.".encode() + content
    right = base64.b64encode(hmac.new(key, signed, sha256).digest()).decode()
    return {
        **gitlab_headers(token=""),
        "webhook-id": identifier,
        "webhook-timestamp": str(int(sent_at)),
        "webhook-signature": f"v1,bm9uZQ== v1,{right}",
    }


def forgejo_headers(
    content: bytes, event: str = "push", names: tuple[str, ...] = ("Forgejo", "Gitea")
) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    for name in names:
        headers[f"X-{name}-Delivery"] = "f6266f16-1bf3-46a5-9ea4-602e06ead473"
        headers[f"X-{name}-Event"] = event
        headers[f"X-{name}-Signature"] = signature(content)
    return headers
