from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.website.kept_form import KeptForm
from job_orchestra.website.page import Page
from job_orchestra.website.visit import Visit


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
