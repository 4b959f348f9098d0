"""What a form sent that could not be carried out: given back to its visitor, to be sent again as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from job_orchestra.website import forgery
from job_orchestra.website.forms import LARGEST, MOST_FIELDS, Form
from job_orchestra.website.paths import is_local
from job_orchestra.website.visit import Visit

SECRETS: Mapping[str, str] = MappingProxyType(
    {"password": "Password", "current": "Current password", "new": "New password", "again": "Password again"}
)
"""Fields whose values no page may contain, and their labels: they are typed anew."""
RESENT = "resent"
"""The field by which a form says that it was sent before, and perhaps was carried out."""
_TOKEN = "form_token"  # noqa: S105 — the name of a field
_UNSEEN = frozenset({"key"})
"""Fields that nobody typed."""
_ACTION, _CARRIED_SECRETS, _PREFIX = "kept_action", "kept_secrets", "kept."
_ROOM, _FIELDS = 1 << 13, 10
"""What a form that carries another one has of its own, in bytes and in fields."""


@dataclass(frozen=True, slots=True)
class KeptForm:
    action: str
    """The path that it is sent to."""
    items: tuple[tuple[str, str], ...]
    """What was typed, and what is sent along with it."""
    secrets: tuple[str, ...] = ()
    """Names of fields that have to be typed anew."""
    mark: str = RESENT

    @property
    def shown(self) -> tuple[tuple[str, str], ...]:
        """What was typed, by what the fields are called on the page."""
        return tuple(
            (name.removeprefix("parameter-"), value) for name, value in self.items if value and name not in _UNSEEN
        )

    @property
    def labels(self) -> tuple[tuple[str, str], ...]:
        """Of the secrets, by their names."""
        return tuple((name, SECRETS[name]) for name in self.secrets)

    @property
    def carried(self) -> tuple[tuple[str, str], ...]:
        """Itself as fields of another form."""
        kept = ((_PREFIX + name, value) for name, value in self.items)
        return ((_ACTION, self.action), (_CARRIED_SECRETS, ",".join(self.secrets)), *kept)


def kept_form(visit: Visit) -> KeptForm | None:
    """The visit's form; None if it may not come from a page of ours, or is too large for another one to carry it."""
    if visit.request.method != "POST" or not _is_own(visit):
        return None
    items = tuple(item for item in visit.form.items if item[0] not in {_TOKEN, RESENT, *SECRETS})
    secrets = tuple(name for name in SECRETS if visit.form.get(name))
    if secrets and not items:
        return None  # nothing was typed that would not have to be typed anew
    kept = KeptForm(visit.request.url.path, items, secrets)
    is_small = len(kept.carried) + _FIELDS <= MOST_FIELDS and len(urlencode(kept.carried)) + _ROOM <= LARGEST
    return kept if is_small else None


def carried_form(form: Form) -> KeptForm | None:
    """What another form carries."""
    action = form.get(_ACTION)
    if not is_local(action):
        return None
    items = ((name, value) for name, value in form.items if name.startswith(_PREFIX))
    secrets = tuple(name for name in form.get(_CARRIED_SECRETS).split(",") if name in SECRETS)
    return KeptForm(action, tuple((name.removeprefix(_PREFIX), value) for name, value in items), secrets)


def is_surely_own(visit: Visit) -> bool:
    """Whether the browser says that what was sent is from a page of ours; one that says nothing is not believed."""
    headers = visit.request.headers
    fetch_site = headers.get("Sec-Fetch-Site")
    return fetch_site == "same-origin" if fetch_site is not None else headers.get("Origin") in visit.own_origins


def _is_own(visit: Visit) -> bool:
    """By what the browser says, or else by the token, which may be of the session that has ended."""
    if "Sec-Fetch-Site" in visit.request.headers or "Origin" in visit.request.headers:
        return is_surely_own(visit)
    secrets = (visit.form_secret, visit.site.cookies.session(visit.request))
    token = visit.form.get(_TOKEN)
    return any(secret and forgery.is_form_token(token, secret) for secret in secrets)
