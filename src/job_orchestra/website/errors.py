"""Errors as pages: each says what happened and what to do. Nothing of the inside is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from starlette.responses import PlainTextResponse, Response

from job_orchestra.domain.errors import Conflict, Forbidden, Invalid, NotFound, OrchestraError, Unavailable
from job_orchestra.protocol.http_server import MalformedAnswer
from job_orchestra.website.kept_form import KeptForm, kept_form
from job_orchestra.website.page import Page
from job_orchestra.website.refusals import AddressInvalid, AddressTooLong, FormForged, FormTooLarge
from job_orchestra.website.responses import SECURITY_HEADERS
from job_orchestra.website.visit import Visit

_RETRY_AFTER = 3
"""Seconds until a page asks again for a service that was down."""
_UNSURE = "Nothing was changed, or it cannot be told: look at the page again before you repeat it."
_SHOWN = 200
"""Characters of an address that is nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorPage(Page):
    template: ClassVar[str] = "error.html"
    sentence: str
    advice: str
    back: str | None = None
    """The page from which a form was sent."""
    details: tuple[str, ...] = ()
    """What is wrong with each field."""
    kept: KeptForm | None = None
    """What was sent, where it is worth sending again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How an error is told; `form` is said in place of `page` where a form was sent."""

    status: int
    title: str
    sentence: str | None = None
    """None: the error's own."""
    form_sentence: str | None = None
    page: str
    form: str | None = None
    kept: str | None = None
    """Said in place of `form` where the form comes back, because it may be accepted the next time."""
    is_passing: bool = False
    """Whether the page may be there in a moment: it then asks again by itself."""


_KINDS: Sequence[tuple[type[OrchestraError], _Kind]] = (
    (Unavailable, _Kind(
        status=503,
        title="The service cannot be reached",
        page=f"This page tries again every {_RETRY_AFTER} seconds.",
        form=_UNSURE,
        kept=_UNSURE,
        is_passing=True,
    )),
    (NotFound, _Kind(
        status=404,
        title="Not found",
        page="It may have been deleted, or the address has a mistake.",
    )),
    (FormForged, _Kind(
        status=403,
        title="The form was not accepted",
        page="Nothing was changed. Open the page again, and send the form from there.",
        kept="Nothing was changed. Send the form again from here, or open its page again.",
    )),
    (Forbidden, _Kind(
        status=403,
        title="Not permitted",
        page="An administrator gives roles to users. Your own account is always yours: see your profile.",
    )),
    (Conflict, _Kind(
        status=409,
        title="Not possible now",
        page="Its state is another one than the page showed. Look at it again.",
    )),
    (FormTooLarge, _Kind(
        status=413,
        title="Too much was sent",
        page="Nothing was changed. Send less: what is large belongs in a file that a run can read.",
    )),
    (AddressTooLong, _Kind(
        status=414,
        title="The address is too long",
        page="Go on from the first page, or ask for less at once.",
    )),
    (AddressInvalid, _Kind(
        status=400,
        title="That was not understood",
        sentence="The address of this page has mistakes.",
        page="Correct them, or go on from the first page.",
        form="Open the page again, and send the form from there.",
    )),
    (Invalid, _Kind(
        status=422,
        title="That was not understood",
        sentence="The address of this page has mistakes.",
        form_sentence="What was sent has mistakes.",
        page="Correct them, or go on from the first page.",
        form="Nothing was changed. Go back, correct them and send it again.",
    )),
    (OrchestraError, _Kind(status=400, title="Not possible", page="Go back and try again.")),
)  # fmt: skip


def error_response(visit: Visit, error: OrchestraError) -> Response:
    kind = next(kind for of, kind in _KINDS if isinstance(error, of))
    is_form = visit.request.method == "POST"
    is_asking_again = kind.is_passing and not is_form
    kept = kept_form(visit) if kind.kept is not None else None
    advice = (kept and kind.kept) or (is_form and kind.form) or kind.page
    if is_asking_again and visit.is_refresh_paused:
        advice = "Open it again in a moment."
    page = ErrorPage(
        title=kind.title,
        sentence=(is_form and kind.form_sentence) or kind.sentence or error.message,
        advice=advice,
        back=page_of_form(visit.request.url.path) if is_form else None,
        details=tuple(str(mistake) for mistake in error.mistakes)
        if kind.sentence and isinstance(error, Invalid)
        else (),
        kept=kept,
        refresh=_RETRY_AFTER if is_asking_again else None,
    )
    response = visit.page(page, kind.status)
    if kind.is_passing:
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
        sentence=f"Nothing is at {visit.request.url.path[:_SHOWN]}.",
        advice="Perhaps the address was cut off.",
    )
    return visit.page(page, 404)


def wrong_method_response(visit: Visit, methods: Sequence[str]) -> Response:
    """To a request that the address does not take, such as the reload of what a form was sent to."""
    path = visit.request.url.path
    page = ErrorPage(
        title="Not this way",
        sentence=f"{path[:_SHOWN]} does not take {visit.request.method[:_SHOWN]}; it takes {', '.join(methods)}.",
        advice="This address is where a form is sent to. Open the page with the form, and send it from there."
        if "GET" not in methods
        else "Open the page, and use its links and forms.",
        back=page_of_form(path) if "GET" not in methods else path,
    )
    response = visit.page(page, 405)
    response.headers["Allow"] = ", ".join(methods)
    return response


def malformed_answer() -> MalformedAnswer:
    """To what is no HTTP request, so that no browser sent it."""
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    response = PlainTextResponse("This is not a well-formed HTTP request.\n", headers=headers)
    return MalformedAnswer(response.raw_headers, bytes(response.body))


def page_of_form(path: str) -> str:
    """Forms are sent to `<page>/<action>`; the page is where to go back to."""
    return path.rpartition("/")[0] or "/"
