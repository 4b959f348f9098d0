from __future__ import annotations

import http

from job_orchestra.domain.errors import NotFound
from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.runs import RunRequest, Source, SourceKind
from job_orchestra.domain.triggering import request_of
from job_orchestra.domain.webhooks import Push, WebhookSettings, parameters_of, triggered_by
from job_orchestra.fail_points import FailPoint, reach
from job_orchestra.integrations.deliveries import Delivery, DeliveryForm
from job_orchestra.integrations.delivery_forms import DELIVERY_FORMS
from job_orchestra.protocol.control import RunTriggered
from job_orchestra.protocol.resources.projects import DeliveredRunAnswer, DeliveryAnswer
from job_orchestra.service.call import Answered, Call
from job_orchestra.service.parts import ServiceParts


async def deliver(parts: ServiceParts, call: Call) -> Answered:
    """201 with new runs, 200 with those of an earlier delivery of the same, 202 with the reason why there are none."""
    project, name = call.path["project"], call.path["webhook"]
    delivery = Delivery(call.headers, call.content, parts.clock.now())
    webhook = await _authentic(parts, project, name, delivery)
    form = DELIVERY_FORMS[webhook.provider]
    payload = delivery.payload()
    push = form.read(delivery, payload)
    if not isinstance(push, Push):
        return _none(push.reason)
    if push.is_deletion:
        return _none(f"{push.ref} was deleted, which triggers nothing.")
    parts.repository_watch.expect_news(project)
    requests = await _requests(parts, project, webhook, push, payload)
    if not requests:
        return _none(f"No trigger of webhook {project}/{name} is for {push.ref}.")
    return await _triggered(parts, webhook, form, delivery, requests)


async def _authentic(parts: ServiceParts, project: str, name: str, delivery: Delivery) -> WebhookSettings:
    """The webhook whose secret the delivery knows. Whoever does not know it learns nothing of what there is."""
    unknown = NotFound.saying(f"There is no webhook {project}/{name} with the secret that this was sent with.")
    try:
        found = await parts.projects.get(project)
    except NotFound:
        raise unknown from None
    webhooks = found.settings.webhooks if found.is_active else ()
    webhook = next((one for one in webhooks if one.identifier == name), None)
    if webhook is None:
        raise unknown
    secret = await parts.webhook_secrets.find(project, webhook)
    if secret is None or not DELIVERY_FORMS[webhook.provider].is_genuine(delivery, secret):
        raise unknown
    return webhook


async def _requests(
    parts: ServiceParts, project: str, webhook: WebhookSettings, push: Push, payload: JsonObject
) -> list[RunRequest]:
    """Of all jobs, before any of them is triggered: a mistake in one makes no run of another."""
    requests: list[RunRequest] = []
    for trigger in triggered_by(webhook, push):
        job = await parts.jobs.get(project, trigger.job)
        requests.append(request_of(job, parameters_of(trigger, push, payload)))
    return requests


async def _triggered(
    parts: ServiceParts, webhook: WebhookSettings, form: DeliveryForm, delivery: Delivery, requests: list[RunRequest]
) -> Answered:
    """A delivery that is repeated, because its answer was lost or it was made of a few runs only, completes them."""
    delivered = form.identifier(delivery) or delivery.content_hash[:16]
    source = Source(SourceKind.WEBHOOK, f"{webhook.identifier}/{delivered}")
    # A user's key is ASCII, so nobody can give this one before.
    key = f"webhook {webhook.identifier} · {form.key(delivery)}"
    runs: list[DeliveredRunAnswer] = []
    for request in requests:
        done = await parts.runs.trigger(request, source, key)
        reach(FailPoint.SERVICE_TRIGGER_COMMITTED)
        parts.masters.tell(RunTriggered(done.run.identifier))
        runs.append(DeliveredRunAnswer(request.project, request.job, done.run.identifier, done.is_new))
    new = sum(run.is_new for run in runs)
    message = f"Triggered {new} of {len(runs)} runs" if new else "This delivery has come before; its runs"
    status = http.HTTPStatus.CREATED if new else http.HTTPStatus.OK
    return Answered(DeliveryAnswer(f"{message}: {', '.join(run.identifier for run in runs)}.", runs), status)


def _none(reason: str) -> Answered:
    return Answered(DeliveryAnswer(reason), http.HTTPStatus.ACCEPTED)
