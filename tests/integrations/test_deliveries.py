from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from job_orchestra.domain.errors import Invalid
from job_orchestra.domain.webhooks import Push, WebhookProvider
from job_orchestra.integrations.deliveries import Delivery, NoPush
from job_orchestra.integrations.delivery_forms import DELIVERY_FORMS
from tests.integrations import bodies
from tests.integrations.bodies import BEFORE, NOTHING, REVISION, SECRET, SIGNING_TOKEN, content_of

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
BRANCH = Push("refs/heads/main", REVISION, BEFORE, "ada/engine", "ada")


def delivery(content: bytes, headers: dict[str, str]) -> Delivery:
    return Delivery({name.lower(): value for name, value in headers.items()}, content, NOW)


def github(body: object, **headers: str) -> Delivery:
    content = content_of(body)
    return delivery(content, bodies.github_headers(content, **headers))


def read(provider: WebhookProvider, one: Delivery) -> Push | NoPush:
    return DELIVERY_FORMS[provider].read(one, one.payload())


def test_pushes_of_all_providers_say_the_same() -> None:
    gitea = content_of(bodies.gitea_push())
    for provider, one in (
        (WebhookProvider.GITHUB, github(bodies.github_push())),
        (WebhookProvider.GITLAB, delivery(content_of(bodies.gitlab_push()), bodies.gitlab_headers())),
        (WebhookProvider.GITEA, delivery(gitea, bodies.forgejo_headers(gitea, names=("Gitea",)))),
        (WebhookProvider.FORGEJO, delivery(gitea, bodies.forgejo_headers(gitea))),
    ):
        assert DELIVERY_FORMS[provider].is_genuine(one, SECRET.encode()), provider
        assert read(provider, one) == BRANCH, provider


def test_tags_and_what_was_deleted() -> None:
    tag = github(bodies.github_push("refs/tags/v1", after=NOTHING.replace("0", "1"), head_commit={"id": REVISION}))
    found = read(WebhookProvider.GITHUB, tag)
    assert isinstance(found, Push)
    assert (found.tag, found.branch, found.revision) == ("v1", "", REVISION)
    for provider, one in (
        (WebhookProvider.GITHUB, github(bodies.github_push(after=NOTHING))),
        (
            WebhookProvider.GITLAB,
            delivery(content_of(bodies.gitlab_push("refs/tags/v1", NOTHING)), bodies.gitlab_headers("Tag Push Hook")),
        ),
    ):
        deletion = read(provider, one)
        assert isinstance(deletion, Push)
        assert deletion.is_deletion


def test_a_payload_in_a_form_is_a_payload() -> None:
    content = urlencode({"payload": content_of(bodies.github_push()).decode()}).encode()
    one = delivery(content, {**bodies.github_headers(content), "Content-Type": "application/x-www-form-urlencoded"})
    assert DELIVERY_FORMS[WebhookProvider.GITHUB].is_genuine(one, SECRET.encode())
    assert read(WebhookProvider.GITHUB, one) == BRANCH


def test_a_form_of_many_fields_is_no_payload() -> None:
    content = urlencode([("payload", "{}")] * 11).encode()
    one = delivery(content, {**bodies.github_headers(content), "Content-Type": "application/x-www-form-urlencoded"})
    with pytest.raises(Invalid, match="the body is not JSON"):
        one.payload()


@pytest.mark.parametrize("field", ["ref", "after", "\\ud800"])
def test_half_a_surrogate_pair_is_no_text_of_a_payload(field: str) -> None:
    content = b'{"%s": "refs/heads/\\ud800"}' % field.encode()
    with pytest.raises(Invalid, match="the body is not JSON: "):
        delivery(content, bodies.github_headers(content)).payload()
    pair = b'{"ref": "refs/heads/\\ud83d\\ude00"}'
    assert delivery(pair, bodies.github_headers(pair)).payload() == {"ref": "refs/heads/\U0001f600"}


@pytest.mark.parametrize(
    ("provider", "headers"),
    [
        (WebhookProvider.GITHUB, {}),
        (WebhookProvider.GITHUB, {"X-Hub-Signature-256": "sha256="}),
        (WebhookProvider.GITHUB, {"X-Hub-Signature-256": bodies.signature(b"{}")}),
        (WebhookProvider.GITHUB, {"X-Hub-Signature-256": f"sha256={bodies.signature(b'{}', 'other')}"}),
        (WebhookProvider.GITHUB, {"X-Hub-Signature-256": "sha256=" + "é" * 64}),
        (WebhookProvider.GITLAB, {}),
        (WebhookProvider.GITLAB, {"X-Gitlab-Token": SECRET.lower()}),
        (WebhookProvider.FORGEJO, {}),
        # A wrong one under the first name is not made good by another.
        (WebhookProvider.FORGEJO, {"X-Forgejo-Signature": "0" * 64, "X-Gitea-Signature": bodies.signature(b"{}")}),
    ],
)
def test_what_is_not_signed_is_not_genuine(provider: WebhookProvider, headers: dict[str, str]) -> None:
    assert not DELIVERY_FORMS[provider].is_genuine(delivery(b"{}", headers), SECRET.encode())


def test_signing_tokens_of_gitlab() -> None:
    form, content = DELIVERY_FORMS[WebhookProvider.GITLAB], content_of(bodies.gitlab_push())
    secret = SIGNING_TOKEN.encode()
    right = bodies.signed_gitlab_headers(content, NOW.timestamp())
    assert form.is_genuine(delivery(content, right), secret)
    assert form.key(delivery(content, right)) == "msg-1"
    late = bodies.signed_gitlab_headers(content, NOW.timestamp() - 301)
    for headers, body, key in (
        (late, content, secret),
        (right, content + b" ", secret),
        ({**right, "webhook-id": "msg-2"}, content, secret),
        ({**right, "webhook-timestamp": "²"}, content, secret),
        (right, content, b"whsec_no base 64"),
        # Who knows the secret token of old has not signed.
        (bodies.gitlab_headers(token=SIGNING_TOKEN), content, secret),
    ):
        assert not form.is_genuine(delivery(body, headers), key)


def test_what_is_repeated_has_the_same_key_whatever_is_not_signed() -> None:
    form = DELIVERY_FORMS[WebhookProvider.GITHUB]
    one, other = (github(bodies.github_push(), delivery=name) for name in ("a", "b"))
    assert (form.key(one), form.identifier(one), form.identifier(other)) == (form.key(other), "a", "b")
    assert form.key(one) != form.key(github(bodies.github_push(forced=True)))
    gitlab = DELIVERY_FORMS[WebhookProvider.GITLAB]
    nameless = delivery(b"{}", {"Idempotency-Key": "x" * 101})
    assert (gitlab.key(nameless), gitlab.identifier(nameless)) == (nameless.content_hash, "")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"NaN"])
def test_what_is_no_object_is_refused(content: bytes) -> None:
    with pytest.raises(Invalid, match="the body is not"):
        delivery(content, {}).payload()


@pytest.mark.parametrize("fields", [{"ref": None}, {"after": 3}, {"ref": ""}, {"after": ""}, {"ref": "x" * 1001}])
def test_a_push_without_what_it_is_about_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(Invalid, match="is missing, empty, no text, or longer than 1000 characters"):
        read(WebhookProvider.GITHUB, github({**bodies.github_push(), **fields}))


def test_other_events_say_that_they_trigger_nothing() -> None:
    ping = read(WebhookProvider.GITHUB, github({"zen": "Keep it logically awesome."}, event="ping"))
    assert ping == NoPush("The webhook works: the signature of GitHub's ping is right.")
    issue = read(WebhookProvider.GITHUB, github({"action": "opened"}, event="issues"))
    assert issue == NoPush("Events of the kind 'issues' trigger nothing; send only pushes.")
    for provider in (WebhookProvider.GITLAB, WebhookProvider.GITEA):
        assert isinstance(read(provider, delivery(b"{}", {})), NoPush)
