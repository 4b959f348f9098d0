"""What a form sent that could not be carried out: given back to its visitor, to be sent again as it was."""

from __future__ import annotations

from dataclasses import dataclass

from job_orchestra.website import forgery
from job_orchestra.website.forms import Form
from job_orchestra.website.paths import is_local
from job_orchestra.website.visit import Visit

_SECRETS = frozenset({"password", "current", "new", "again"})
"""Fields that no page may contain."""
_MOST_FIELDS = 500
_TOKEN = "form_token"  # noqa: S105 — the name of a field
RESENT = "resent"
"""The field by which a form says that it was sent before, and perhaps was carried out."""
_ACTION = "kept_action"
_PREFIX = "kept."


@dataclass(frozen=True, slots=True)
class KeptForm:
    action: str
    """The path that it is sent to."""
    items: tuple[tuple[str, str], ...]
    """What was typed, and what is sent along with it."""
    mark: str = RESENT

    @property
    def carried(self) -> tuple[tuple[str, str], ...]:
        """Itself as fields of another form."""
        return ((_ACTION, self.action), *((_PREFIX + name, value) for name, value in self.items))


def kept_form(visit: Visit) -> KeptForm | None:
    """The visit's form; None where it has a password, or may not come from a page that we made for this visitor."""
    items = tuple((name, value) for name, value in visit.form.items if name not in {_TOKEN, RESENT})
    if visit.request.method != "POST" or len(items) > _MOST_FIELDS or _SECRETS.intersection(name for name, _ in items):
        return None
    return KeptForm(visit.request.url.path, items) if _is_own(visit) else None


def carried_form(form: Form) -> KeptForm | None:
    """What another form carries."""
    action = form.get(_ACTION)
    if not is_local(action):
        return None
    items = ((name, value) for name, value in form.items if name.startswith(_PREFIX))
    return KeptForm(action, tuple((name.removeprefix(_PREFIX), value) for name, value in items))


def _is_own(visit: Visit) -> bool:
    """By what the browser says, or else by the token, which may be of the session that has ended."""
    fetch_site = visit.request.headers.get("Sec-Fetch-Site")
    if fetch_site is not None:
        return fetch_site == "same-origin"
    secrets = (visit.form_secret, visit.site.cookies.session(visit.request))
    token = visit.form.get(_TOKEN)
    return visit.is_of_own_origin and any(secret and forgery.is_form_token(token, secret) for secret in secrets)
