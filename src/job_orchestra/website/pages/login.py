from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import me
from job_orchestra.client.credentials import Credentials
from job_orchestra.domain.errors import Invalid, OrchestraError, Unauthenticated, Unavailable
from job_orchestra.website.kept_form import KeptForm, carried_form
from job_orchestra.website.login_form import LoginPage, login_form
from job_orchestra.website.page import Page
from job_orchestra.website.paths import is_local
from job_orchestra.website.responses import redirect
from job_orchestra.website.sessions import new_visit
from job_orchestra.website.visit import Visit

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumptionPage(Page):
    """After the login of somebody whose session had ended before a form was sent."""

    template: ClassVar[str] = "resumption.html"
    kept: KeptForm
    following: str


async def show(visit: Visit) -> Response:
    is_changed = visit.query("changed") == "password"
    return login_form(visit, LoginPage(next=visit.query("next"), is_password_changed=is_changed))


async def log_in(visit: Visit) -> Response:
    form, kept = visit.form, carried_form(visit.form)
    page = LoginPage(user=form.get("user").strip(), next=form.get("next"), kept=kept)
    try:
        session = await visit.send(me.login(page.user, form.get("password")))
    except (Unauthenticated, Invalid) as error:
        return login_form(visit, replace(page, mistake=error.message), 403)
    except Unavailable as error:
        # What is the matter may name files and hosts, and nobody knows who asks.
        _logger.warning("Nobody can log in: %s", error)
        words = "Nobody can log in now: the service cannot be reached, or waits itself. Try again soon."
        return login_form(visit, replace(page, mistake=words), 503)
    following = page.next if is_local(page.next) else "/"
    response = redirect(following) if kept is None else await _resumption(visit, session.secret, kept, following)
    visit.site.cookies.start_session(response, session.secret)
    # The form is used up: whoever comes back to this page after logging out cannot log in by sending it again.
    visit.site.cookies.start_visit(response, new_visit())
    return response


async def _resumption(visit: Visit, session: str, kept: KeptForm, following: str) -> Response:
    client = visit.site.client.acting_as(Credentials(session))
    visit = replace(visit, client=client, form_secret=session)
    with suppress(OrchestraError):  # who it is matters for the head of the page alone
        found = await client.send(me.get())
        visit = replace(visit, me=found)
    return visit.page(ResumptionPage(title="Logged in", kept=kept, following=following))


async def log_out(visit: Visit) -> Response:
    """Ends the session in the service, too: a copy of the cookie is worth nothing afterwards."""
    await visit.send(me.logout())
    response = redirect("/login")
    visit.site.cookies.end_session(response)
    return response
