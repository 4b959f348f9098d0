"""From a request to its handler: who asks, may they, is the form ours. And from any error to a page."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from job_orchestra.client.calls import me as me_calls
from job_orchestra.client.credentials import Credentials
from job_orchestra.domain.errors import Forbidden, OrchestraError, Unauthenticated
from job_orchestra.domain.roles import Permission
from job_orchestra.website import forgery
from job_orchestra.website.addresses import check_address
from job_orchestra.website.errors import (
    error_response,
    missing_page,
    page_of_form,
    unexpected_response,
    wrong_method_response,
)
from job_orchestra.website.forms import read_form
from job_orchestra.website.kept_form import kept_form
from job_orchestra.website.login_form import LoginPage, login_form, stale_login
from job_orchestra.website.paths import with_query
from job_orchestra.website.refusals import FormForged
from job_orchestra.website.responses import SecurityHeaders, redirect
from job_orchestra.website.sessions import is_due_for_renewal, new_visit
from job_orchestra.website.visit import Site, Visit

_logger = logging.getLogger(__name__)

Handler = Callable[[Visit], Awaitable[Response]]

STATIC = "/static/{digest}/{name:path}"
_REFRESH = "refresh"
_LONGEST_RETURN = 2000
"""Characters of an address to which a login leads back; behind a longer one, it leads to the first page."""


@dataclass(frozen=True, slots=True)
class PageRoute:
    method: str
    path: str
    handler: Handler
    permission: Permission
    query: tuple[str, ...] | None = None
    """Names that its address may have behind the question mark; None: any, each as often as one likes."""

    @property
    def known_query(self) -> tuple[str, ...] | None:
        """With that by which any page that refreshes itself is told to pause."""
        return None if self.query is None else tuple(dict.fromkeys((*self.query, _REFRESH)))


def website(site: Site) -> ASGIApp:
    """The ASGI application of these pages."""
    table = [Route(route.path, _endpoint(site, route), methods=[route.method]) for route in site.parts.routes]
    table.append(Route(STATIC, site.parts.static_files.serve, methods=["GET"]))

    async def no_such_page(request: Request, _: Exception) -> Response:
        """Where no route takes the address, or none this method of it."""
        visit = await _stranger(site, request)
        try:
            with suppress(OrchestraError):  # who it is matters for the head of the page alone
                visit = await _recognised(visit, Permission.OWN_ACCOUNT)
            methods = sorted({method for one in table if _is_at(one, request) for method in one.methods or ()})
            if not methods:
                return missing_page(visit)
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": ", ".join([*methods, "OPTIONS"])})
            return wrong_method_response(visit, methods)
        except Exception:
            return _unexpected(visit)

    application = Starlette(routes=table, exception_handlers={HTTPException: no_such_page})
    application.router.redirect_slashes = False  # it would trust the Host header, and know no TLS before it
    return SecurityHeaders(application)


def _is_at(route: Route, request: Request) -> bool:
    return route.matches(request.scope)[0] is not Match.NONE


def _endpoint(site: Site, route: PageRoute) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        visit = await _stranger(site, request)
        try:
            try:
                visit = await _with_form(visit)
                visit = await _recognised(visit, route.permission)
                _check_permission(visit, route.permission)
                check_address(request, route.known_query)
                _check_form(visit)
                response = await route.handler(visit)
                await _renew(visit, response)
            except Unauthenticated:
                response = _to_login(visit)
            except FormForged as error:
                response = stale_login(visit) or error_response(_with_session(visit), error)
            except OrchestraError as error:
                response = error_response(_with_session(visit), error)
        except Exception:  # whatever is wrong in one page, the visitor gets an answer, and the log gets the details
            response = _unexpected(visit)
        if request.method == "HEAD" and isinstance(response, StreamingResponse):
            return Response(status_code=response.status_code, media_type=response.media_type)
        return response

    return endpoint


async def _stranger(site: Site, request: Request) -> Visit:
    """The visit of somebody of whom nothing is known yet but a secret that makes the login form theirs."""
    secret = site.cookies.visit(request) or new_visit()
    return Visit(site, request, site.client, secret, announcement=await site.parts.announcement.text())


async def _recognised(visit: Visit, permission: Permission) -> Visit:
    """With what the service says of the visitor; Unauthenticated without a session that is valid."""
    if permission is Permission.ANYONE:
        return visit
    session = visit.site.cookies.session(visit.request)
    if session is None:
        raise Unauthenticated("Please log in.")
    client = visit.site.client.acting_as(Credentials(session))
    me = await client.send(me_calls.get())
    return replace(visit, client=client, form_secret=session, me=me)


def _with_session(visit: Visit) -> Visit:
    """For what goes wrong before the service says who it is: forms are good for the session that there may be."""
    session = None if visit.me else visit.site.cookies.session(visit.request)
    return visit if session is None else replace(visit, form_secret=session)


def _check_permission(visit: Visit, permission: Permission) -> None:
    if permission is Permission.ANYONE or visit.may(permission):
        return
    if visit.me is None:
        raise Unauthenticated("Please log in.")
    user = visit.me.user
    # The service is not asked then, and its audit trail knows nothing of it. Addresses may hold escapes for a terminal.
    _logger.warning("User %s was refused %s %r", user.identifier, visit.request.method, visit.request.url.path)
    if not user.is_enabled:
        raise Forbidden(f"The user {user.identifier} is disabled, and may do nothing but look after the own account.")
    raise Forbidden(f"The user {user.identifier} has no role that permits this ({permission}).")


async def _with_form(visit: Visit) -> Visit:
    """With the form that was sent, whoever sent it: before anything can go wrong that it is to outlive."""
    request = visit.request
    if request.method != "POST":
        return visit
    return replace(visit, form=await read_form(request.headers.get("Content-Type", ""), request.stream()))


def _check_form(visit: Visit) -> None:
    """FormForged if it does not come from a page that we made for this visitor."""
    if visit.request.method != "POST":
        return
    if not visit.is_of_own_origin:
        origin, own = visit.request.headers.get("Origin") or "another site", ", ".join(sorted(visit.own_origins))
        raise FormForged(f"This form was sent from {origin}, but this website is at {own}.")
    if not forgery.is_form_token(visit.form.get("form_token"), visit.form_secret):
        raise FormForged("This form is not from a page of this session.")


async def _renew(visit: Visit, response: Response) -> None:
    """Activity prolongs the session, at most once a day."""
    me, site = visit.me, visit.site
    if me is None or visit.request.method != "GET" or not is_due_for_renewal(me.token, site.clock.now()):
        return
    try:
        await visit.send(me_calls.refresh())
    except OrchestraError as error:
        # The page is there and is shown; the next one tries again.
        _logger.warning("The session of %s could not be prolonged: %s", me.user.identifier, error)
        return
    site.cookies.start_session(response, visit.form_secret)


def _to_login(visit: Visit) -> Response:
    """To the login page, and from there back to where the visitor wanted to go, or on with what was sent."""
    kept, url = kept_form(visit), visit.request.url
    cookies = visit.site.cookies
    wanted = page_of_form(url.path) if visit.request.method == "POST" else url.path + (url.query and f"?{url.query}")
    following = "" if wanted == "/" or len(wanted) > _LONGEST_RETURN else wanted
    if kept is not None and kept.shown:
        stranger = replace(visit, me=None, form_secret=cookies.visit(visit.request) or new_visit())
        response = login_form(stranger, LoginPage(next=following, kept=kept), 403)
    else:
        response = redirect(with_query("/login", next=following))
    # Forms that other sites send come without the cookie: they shall not end the session that there is.
    if cookies.has_session(visit.request):
        cookies.end_session(response)
    return response


def _unexpected(visit: Visit) -> Response:
    reference = secrets.token_hex(4)
    _logger.exception("Mistake %s in %s %r", reference, visit.request.method, visit.request.url.path)
    try:
        return unexpected_response(visit, reference)
    except Exception:  # a template that users overrode may be what is broken
        _logger.exception("The page for mistake %s could not be made, either", reference)
        return PlainTextResponse(f"This page could not be made. Reference in the website's log: {reference}\n", 500)
