from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import me
from job_orchestra.domain.account_rules import password_mistakes
from job_orchestra.domain.checking import nearest
from job_orchestra.domain.errors import Invalid, Mistake, Unauthenticated
from job_orchestra.domain.users import TokenKind
from job_orchestra.protocol.resources.accounts import MeAnswer, NewTokenAnswer, TokenAnswer
from job_orchestra.website.lifetimes import LIFETIMES, USUAL, read_lifetime
from job_orchestra.website.mistakes import by_field
from job_orchestra.website.page import Page
from job_orchestra.website.responses import redirect
from job_orchestra.website.visit import Visit
from job_orchestra.website.zones import zone_named, zone_names

_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePage(Page):
    template: ClassVar[str] = "profile.html"
    section: ClassVar[str] = "/profile"
    me: MeAnswer
    tokens: tuple[TokenAnswer, ...]
    has_more_tokens: bool
    sessions: tuple[TokenAnswer, ...]
    lifetimes: dict[str, str] = field(default_factory=lambda: LIFETIMES)
    new_token: NewTokenAnswer | None = None
    """Just made; its secret is shown on this page and never again."""
    description: str = ""
    days: str = USUAL
    zone: str = ""
    """As typed, or else the one in which dates are shown."""
    form: str = ""
    """The one that was sent, and comes back with its mistakes: `token`, `password` or `zone`."""
    mistakes: dict[str, str] = field(default_factory=dict[str, str])

    def mistakes_of(self, form: str) -> dict[str, str]:
        """Several forms are on the page."""
        return self.mistakes if form == self.form else {}


async def show(visit: Visit) -> Response:
    return visit.page(await _profile(visit))


async def create_token(visit: Visit) -> Response:
    description, days = visit.form.get("description").strip(), visit.form.get("days")
    try:
        token = await visit.send(me.create_token(description, read_lifetime(days)))
    except Invalid as error:
        mistakes = by_field(error, ("description", "days"))
        page = await _profile(visit, form="token", description=description, days=days, mistakes=mistakes)
        return visit.page(page, 422)
    return visit.page(await _profile(visit, new_token=token), 201)


async def delete_token(visit: Visit) -> Response:
    await visit.send(me.delete_token(visit.value("token")))
    return redirect("/profile")


async def set_zone(visit: Visit) -> Response:
    """Of this browser: the same person reads dates elsewhere when travelling."""
    name = visit.form.get("zone").strip()
    try:
        zone = zone_named(name)
    except ValueError as error:
        near = nearest(name.replace(" ", "_").title(), sorted(zone_names()))
        mistakes = {"zone": f"{name or 'Nothing'!r} {error}{near}."}
        return visit.page(await _profile(visit, form="zone", zone=name, mistakes=mistakes), 422)
    response = redirect("/profile")
    visit.site.cookies.set_zone(response, zone.name)
    return response


async def set_password(visit: Visit) -> Response:
    """All sessions end with it, this one included: the visitor logs in with the new password."""
    current, new = visit.form.get("current"), visit.form.get("new")
    try:
        flaws = list(password_mistakes("new", new))
        if new != visit.form.get("again"):
            flaws.append(Mistake("again", "is not the same as the new one"))
        if flaws:
            raise Invalid(flaws)
        await visit.send(me.set_password(current, new))
    except Invalid as error:
        mistakes = by_field(error, ("current", "new", "again"))
        return visit.page(await _profile(visit, form="password", mistakes=mistakes), 422)
    response = redirect("/login?changed=password")
    visit.site.cookies.end_session(response)
    return response


async def _profile(
    visit: Visit,
    *,
    new_token: NewTokenAnswer | None = None,
    description: str = "",
    days: str = USUAL,
    zone: str | None = None,
    form: str = "",
    mistakes: dict[str, str] | None = None,
) -> ProfilePage:
    if visit.me is None:
        raise Unauthenticated("Please log in.")
    answer = await visit.send(me.tokens(limit=_MOST))
    found = sorted(answer.items, key=lambda token: token.created_at, reverse=True)
    return ProfilePage(
        title="Profile",
        me=visit.me,
        tokens=tuple(token for token in found if token.kind == TokenKind.PERSONAL),
        has_more_tokens=answer.next is not None,
        sessions=tuple(token for token in found if token.kind == TokenKind.SESSION),
        new_token=new_token,
        description=description,
        days=days if days in LIFETIMES else USUAL,
        zone=visit.zone.name if zone is None else zone,
        form=form,
        mistakes=mistakes or {},
    )
