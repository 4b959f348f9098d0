from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import me
from job_orchestra.domain.errors import Invalid, Unauthenticated, Unavailable
from job_orchestra.website.page import Page
from job_orchestra.website.paths import is_local
from job_orchestra.website.responses import redirect
from job_orchestra.website.visit import Visit

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage(Page):
    template: ClassVar[str] = "login.html"
    user: str = ""
    next: str = ""
    mistake: str = ""
    is_password_changed: bool = False


async def show(visit: Visit) -> Response:
    is_changed = visit.query("changed") == "password"
    return _form(visit, LoginPage(title="Log in", next=visit.query("next"), is_password_changed=is_changed))


async def log_in(visit: Visit) -> Response:
    form = visit.form
    user, following = form.get("user").strip(), form.get("next")
    try:
        session = await visit.send(me.login(user, form.get("password")))
    except (Unauthenticated, Invalid) as error:
        return _form(visit, LoginPage(title="Log in", user=user, next=following, mistake=error.message), status=403)
    except Unavailable as error:
        # What is the matter may name files and hosts, and nobody knows who asks.
        _logger.warning("Nobody can log in: %s", error)
        words = "Nobody can log in now: the service cannot be reached, or waits itself. Try again soon."
        return _form(visit, LoginPage(title="Log in", user=user, next=following, mistake=words), status=503)
    response = redirect(following if is_local(following) else "/")
    visit.site.cookies.start_session(response, session.secret)
    return response


async def log_out(visit: Visit) -> Response:
    """Ends the session in the service, too: a copy of the cookie is worth nothing afterwards."""
    await visit.send(me.logout())
    response = redirect("/login")
    visit.site.cookies.end_session(response)
    return response


def _form(visit: Visit, page: LoginPage, status: int = 200) -> Response:
    response = visit.page(page, status)
    visit.site.cookies.start_visit(response, visit.form_secret)
    return response
