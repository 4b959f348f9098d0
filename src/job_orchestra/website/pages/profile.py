from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.calls import me
from job_orchestra.domain.account_rules import password_mistakes
from job_orchestra.domain.checking import nearest
from job_orchestra.domain.errors import Invalid, Mistake, Unauthenticated
from job_orchestra.domain.users import TokenKind
from job_orchestra.protocol.resources.accounts import MeAnswer, NewTokenAnswer, TokenAnswer
from job_orchestra.website.page import Page
from job_orchestra.website.responses import redirect
from job_orchestra.website.visit import Visit
from job_orchestra.website.zones import zone_named, zone_names

_MOST = 100
_DAY = 24 * 3600.0
LIFETIMES = {"7": "a week", "30": "30 days", "90": "90 days", "365": "a year", "": "for ever"}
"""Days, and how they are written in the form."""
_DAYS = "90"
_LABELS = {
    "description": "The description",
    "days": "The time for which it is valid",
    "current": "The current password",
    "new": "The new password",
    "again": "The second new password",
}
"""Of the fields that mistakes are told at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfilePage(Page):
    template: ClassVar[str] = "profile.html"
    section: ClassVar[str] = "/profile"
    me: MeAnswer
    tokens: tuple[TokenAnswer, ...]
    sessions: tuple[TokenAnswer, ...]
    lifetimes: dict[str, str] = field(default_factory=lambda: LIFETIMES)
    new_token: NewTokenAnswer | None = None
    """Just made; its secret is shown on this page and never again."""
    description: str = ""
    days: str = _DAYS
    mistakes: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is wrong with a field of the form that was sent, by its name; empty: with the form as a whole."""
    is_password_refused: bool = False
    """Whether they are those of the form for the password."""
    zone: str = ""
    """As typed, where it is none."""
    zone_mistake: str = ""


async def show(visit: Visit) -> Response:
    return visit.page(await _profile(visit))


async def create_token(visit: Visit) -> Response:
    description, days = visit.form.get("description").strip(), visit.form.get("days")
    try:
        if days not in LIFETIMES:
            raise Invalid.at("days", f"must be one of {', '.join(filter(None, LIFETIMES))} or empty")
        token = await visit.send(me.create_token(description, float(days) * _DAY if days else None))
    except Invalid as error:
        return visit.page(await _profile(visit, description=description, days=days, mistakes=_by_field(error)), 422)
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
        return visit.page(await _profile(visit, zone=name, zone_mistake=f"{name or 'Nothing'!r} {error}{near}."), 422)
    response = redirect("/profile")
    visit.site.cookies.set_zone(response, zone.name)
    return response


async def set_password(visit: Visit) -> Response:
    """All sessions end with it, this one included: the visitor logs in with the new password."""
    current, new = visit.form.get("current"), visit.form.get("new")
    try:
        mistakes = list(password_mistakes("new", new))
        if new != visit.form.get("again"):
            mistakes.append(Mistake("again", "is not the same as the new one"))
        if mistakes:
            raise Invalid(mistakes)
        await visit.send(me.set_password(current, new))
    except Invalid as error:
        return visit.page(await _profile(visit, mistakes=_by_field(error), is_password_refused=True), 422)
    response = redirect("/login?changed=password")
    visit.site.cookies.end_session(response)
    return response


async def _profile(
    visit: Visit,
    *,
    new_token: NewTokenAnswer | None = None,
    description: str = "",
    days: str = _DAYS,
    mistakes: Mapping[str, str] | None = None,
    is_password_refused: bool = False,
    zone: str = "",
    zone_mistake: str = "",
) -> ProfilePage:
    if visit.me is None:
        raise Unauthenticated("Please log in.")
    found = (await visit.send(me.tokens(limit=_MOST))).items
    return ProfilePage(
        title="Profile",
        me=visit.me,
        tokens=tuple(token for token in found if token.kind == TokenKind.PERSONAL),
        sessions=tuple(token for token in found if token.kind == TokenKind.SESSION),
        new_token=new_token,
        description=description,
        days=days if days in LIFETIMES else _DAYS,
        mistakes=mistakes or {},
        is_password_refused=is_password_refused,
        zone=zone if zone_mistake else visit.zone.name,
        zone_mistake=zone_mistake,
    )


def _by_field(error: Invalid) -> Mapping[str, str]:
    told = {one.place: f"{_LABELS[one.place]} {one.message}." for one in error.mistakes if one.place in _LABELS}
    rest = "; ".join(str(one) for one in error.mistakes if one.place not in _LABELS)
    return {**told, "": rest} if rest else told
