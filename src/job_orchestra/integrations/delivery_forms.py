"""Which form a delivery has, by the provider that the project names."""

from __future__ import annotations

from collections.abc import Mapping

from job_orchestra.domain.webhooks import WebhookProvider
from job_orchestra.integrations.deliveries import DeliveryForm
from job_orchestra.integrations.forgejo.deliveries import ForgejoDeliveries
from job_orchestra.integrations.github.deliveries import GitHubDeliveries
from job_orchestra.integrations.gitlab.deliveries import GitLabDeliveries

DELIVERY_FORMS: Mapping[WebhookProvider, DeliveryForm] = {
    WebhookProvider.GITHUB: GitHubDeliveries(),
    WebhookProvider.GITLAB: GitLabDeliveries(),
    WebhookProvider.GITEA: ForgejoDeliveries(),
    WebhookProvider.FORGEJO: ForgejoDeliveries(),
}
