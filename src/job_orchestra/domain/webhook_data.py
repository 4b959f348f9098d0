"""Webhooks in plain form, as a projects file has them and as they are stored with their project."""

from __future__ import annotations

from job_orchestra.domain.checking import Reader, check_duplicates
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.webhooks import WebhookProvider, WebhookSettings, WebhookTrigger, flaw_of_template

_REQUIRED = ("identifier", "provider", "triggers")
_SECRETS = ("secret_environment", "secret_file")


def webhook_to_data(webhook: WebhookSettings) -> JsonObject:
    return {
        "identifier": webhook.identifier,
        "provider": webhook.provider.value,
        "secret_environment": webhook.secret_environment,
        "secret_file": webhook.secret_file,
        "triggers": [
            {
                "job": trigger.job,
                "branches": list(trigger.branches),
                "tags": list(trigger.tags),
                "parameters": trigger.parameters,
            }
            for trigger in webhook.triggers
        ],
    }


def read_webhooks(reader: Reader) -> tuple[WebhookSettings, ...]:
    """That jobs and their parameters exist is looked at by `references`."""
    readers = reader.items("a list of webhooks")
    webhooks = tuple(_read_webhook(item) for item in readers)
    check_duplicates(((one.identifier, item) for one, item in zip(webhooks, readers, strict=True)), "webhook")
    return webhooks


def _read_webhook(reader: Reader) -> WebhookSettings:
    table = reader.table(_REQUIRED, _SECRETS, "a webhook")
    triggers = table.items("triggers", "a list of triggers")
    if "triggers" in table and not triggers and reader.value:
        reader.wrong("has no triggers, so nothing could come of it")
    webhook = WebhookSettings(
        identifier=table.read("identifier", Reader.name, ""),
        provider=table.read("provider", _provider, WebhookProvider.GITHUB),
        triggers=tuple(_read_trigger(item) for item in triggers),
        secret_environment=table.read("secret_environment", _text_or_none, None),
        secret_file=table.read("secret_file", _text_or_none, None),
    )
    if (webhook.secret_environment is None) == (webhook.secret_file is None):
        reader.wrong("needs one of secret_environment and secret_file, which name where its secret is")
    return webhook


def _read_trigger(reader: Reader) -> WebhookTrigger:
    reader.mistakes.remember(reader.place)
    table = reader.table(("job",), ("branches", "tags", "parameters"), "a trigger")
    trigger = WebhookTrigger(
        job=table.read("job", Reader.name, ""),
        branches=tuple(item.text() for item in table.items("branches", "a list of patterns such as 'release/*'")),
        tags=tuple(item.text() for item in table.items("tags", "a list of patterns such as 'v*'")),
        parameters=table.read("parameters", _read_parameters, {}),
    )
    if not any(table.read(name, lambda patterns: patterns.value, None) for name in ("branches", "tags")):
        reader.wrong("names neither branches nor tags; ['*'] is all of them")
    return trigger


def _read_parameters(reader: Reader) -> JsonObject:
    parameters = reader.json_object()
    for name, value in parameters.items():
        if isinstance(value, str) and (flaw := flaw_of_template(value)):
            reader.mistakes.add(reader.place.field(name), flaw)
    return parameters


def _provider(reader: Reader) -> WebhookProvider:
    return reader.choice(WebhookProvider)


def _text_or_none(reader: Reader) -> str | None:
    if reader.value is None:
        return None
    if reader.value == "":
        reader.wrong("is empty")
    return reader.text()
