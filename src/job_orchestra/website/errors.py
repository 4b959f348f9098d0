"""Errors as pages: each says what happened and what to do. Nothing of the inside is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import PlainTextResponse, Response

from job_orchestra.domain.errors import Conflict, Forbidden, Invalid, NotFound, OrchestraError, Unavailable
from job_orchestra.protocol.http_server import MalformedAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.responses import SECURITY_HEADERS
from job_orchestra.website.visit import Visit

_RETRY_AFTER = 3
"""Seconds until a page asks again for a service that was down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    template: ClassVar[str] = "error.html"
    sentence: str
    advice: str
    back: str | None = None
    """The page from which a form was sent."""
    details: tuple[str, ...] = ()


def error_response(visit: Visit, error: OrchestraError) -> Response:
    status, page = _page_of(visit, error)
    response = visit.page(page, status)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(_RETRY_AFTER)
    return response


def unexpected_response(visit: Visit, reference: str) -> Response:
    page = ErrorPage(
        title="Something went wrong",
        sentence="This page could not be made because of a mistake in the website.",
        advice=f"The website's log has the details under the reference {reference}. Trying again may help.",
    )
    return visit.page(page, 500)


def missing_page(visit: Visit) -> Response:
    page = ErrorPage(
        title="There is no such page",
        sentence=f"Nothing is at {visit.request.url.path[:200]}.",
        advice="Perhaps the address was cut off.",
    )
    return visit.page(page, 404)


def malformed_answer() -> MalformedAnswer:
    """To what is no HTTP request, so that no browser sent it."""
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    response = PlainTextResponse("This is not a well-formed HTTP request.\n", headers=headers)
    return MalformedAnswer(response.raw_headers, bytes(response.body))


def _page_of(visit: Visit, error: OrchestraError) -> tuple[int, ErrorPage]:
    is_form = visit.request.method == "POST"
    back = page_of_form(visit.request.url.path) if is_form else None
    match error:
        case Unavailable():
            advice = (
                "Nothing was changed, or it cannot be told: look at the page again before you repeat it."
                if is_form
                else f"This page tries again every {_RETRY_AFTER} seconds."
            )
            return 503, ErrorPage(
                title="The service cannot be reached",
                sentence=error.message,
                advice=advice,
                back=back,
                refresh=None if is_form else _RETRY_AFTER,
            )
        case NotFound():
            return 404, ErrorPage(
                title="Not found",
                sentence=error.message,
                advice="It may have been deleted, or the address has a mistake.",
                back=back,
            )
        case Forbidden():
            return 403, ErrorPage(
                title="Not permitted",
                sentence=error.message,
                advice="An administrator gives roles to users. Your own account is always yours: see your profile.",
                back=back,
            )
        case Conflict():
            return 409, ErrorPage(
                title="Not possible now",
                sentence=error.message,
                advice="Its state is another one than the page showed. Look at it again.",
                back=back,
            )
        case Invalid():
            return 422, ErrorPage(
                title="That was not understood",
                sentence="What was sent has mistakes." if is_form else "The address of this page has mistakes.",
                advice="Correct them and send it again." if is_form else "Correct them, or go on from the first page.",
                back=back,
                details=tuple(str(mistake) for mistake in error.mistakes),
            )
        case _:
            return 400, ErrorPage(
                title="Not possible", sentence=error.message, advice="Go back and try again.", back=back
            )


def page_of_form(path: str) -> str:
    """Forms are sent to `<page>/<action>`; the page is where to go back to."""
    return path.rpartition("/")[0] or "/"
