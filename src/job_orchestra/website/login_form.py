from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.website.kept_form import KeptForm, carried_form, is_surely_own
from job_orchestra.website.page import Page
from job_orchestra.website.visit import Visit

LOGIN = "/login"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginPage(Page):
    template: ClassVar[str] = "login.html"
    title: str = "Log in"
    user: str = ""
    next: str = ""
    mistake: str = ""
    is_password_changed: bool = False
    kept: KeptForm | None = None
    """What was sent without a session, and can be sent with the new one."""


def login_form(visit: Visit, page: LoginPage, status: int = 200) -> Response:
    response = visit.page(page, status)
    visit.site.cookies.start_visit(response, visit.form_secret)
    return response


def stale_login(visit: Visit) -> Response | None:
    """The login form anew, where what was sent is ours but not of this visit: after a restart of the browser, say."""
    form = visit.form
    if visit.request.url.path != LOGIN or not is_surely_own(visit):
        return None
    words = "This page was open for too long, or you logged in since. Please log in once more."
    kept = carried_form(form)
    return login_form(visit, LoginPage(user=form.get("user"), next=form.get("next"), mistake=words, kept=kept), 403)
