from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from starlette.responses import Response

from job_orchestra.client.call import Call
from job_orchestra.client.calls import users
from job_orchestra.domain.account_rules import identifier_mistakes, password_mistakes, text_mistakes
from job_orchestra.domain.errors import Conflict, Invalid, Mistake, OrchestraError
from job_orchestra.domain.roles import PERMISSION_WORDS, ROLE_PERMISSIONS, Role, is_allowed
from job_orchestra.protocol.resources.accounts import (
    NewTokenAnswer,
    NewUserBody,
    TokenAnswer,
    UserAnswer,
    UserChangesBody,
)
from job_orchestra.website.dispatch import Handler
from job_orchestra.website.forms import Form
from job_orchestra.website.lifetimes import LIFETIMES, USUAL, read_lifetime
from job_orchestra.website.mistakes import by_field
from job_orchestra.website.page import Page
from job_orchestra.website.paths import user_path, with_query
from job_orchestra.website.responses import redirect
from job_orchestra.website.visit import Visit

_MOST = 100
_ROLES = tuple(role.value for role in Role)
_FIELDS = ("identifier", "display_name", "roles", "password", "again", "new", "description", "days")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a form, but for passwords."""

    identifier: str = ""
    display_name: str = ""
    roles: tuple[str, ...] = ()
    description: str = ""
    days: str = USUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersPage(Page):
    template: ClassVar[str] = "users.html"
    section: ClassVar[str] = "/users"
    users: tuple[UserAnswer, ...]
    next: str | None
    roles: tuple[str, ...] = _ROLES
    typed: Typed = Typed()
    mistakes: dict[str, str] = field(default_factory=dict[str, str])
    """By field of the form for a new user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPage(Page):
    template: ClassVar[str] = "user.html"
    section: ClassVar[str] = "/users"
    user: UserAnswer
    tokens: tuple[TokenAnswer, ...]
    has_more_tokens: bool
    typed: Typed
    roles: tuple[str, ...] = _ROLES
    lifetimes: dict[str, str] = field(default_factory=lambda: LIFETIMES)
    new_token: NewTokenAnswer | None = None
    """Just made; its secret is shown on this page and never again."""
    form: str = ""
    """The one that was sent, and comes back with its mistakes."""
    mistakes: dict[str, str] = field(default_factory=dict[str, str])
    is_password_set: bool = False

    def mistakes_of(self, form: str) -> dict[str, str]:
        """Several forms are on the page."""
        return self.mistakes if form == self.form else {}


@dataclass(frozen=True, slots=True)
class PermissionRow:
    words: str
    holders: tuple[bool, ...]
    """By role, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesPage(Page):
    template: ClassVar[str] = "roles.html"
    section: ClassVar[str] = "/users"
    roles: tuple[str, ...]
    permissions: tuple[PermissionRow, ...]


async def show_all(visit: Visit) -> Response:
    return visit.page(await _users(visit))


async def show(visit: Visit) -> Response:
    return visit.page(await _user(visit))


async def show_roles(visit: Visit) -> Response:
    rows = tuple(
        PermissionRow(words, tuple(is_allowed((role,), True, permission) for role in ROLE_PERMISSIONS))
        for permission, words in PERMISSION_WORDS.items()
    )
    return visit.page(RolesPage(title="Roles", roles=tuple(role.value for role in ROLE_PERMISSIONS), permissions=rows))


async def create(visit: Visit) -> Response:
    form = visit.form
    typed = Typed(form.get("identifier").strip(), form.get("display_name").strip(), _roles(form))
    password = form.get("password")
    try:
        _check_again(
            password,
            *identifier_mistakes("identifier", typed.identifier),
            *text_mistakes("display_name", typed.display_name),
            *password_mistakes("password", password or None),
            again=form.get("again"),
        )
        body = NewUserBody(typed.identifier, typed.display_name, list(typed.roles), password or None)
        made = await visit.send(users.create(body))
    except (Invalid, Conflict) as error:
        return visit.page(await _users(visit, typed, by_field(error, _FIELDS)), _status(error))
    return redirect(user_path(made.identifier))


async def update(visit: Visit) -> Response:
    form = visit.form
    typed = Typed(display_name=form.get("display_name").strip(), roles=_roles(form))
    try:
        await visit.send(users.update(visit.value("user"), UserChangesBody(typed.display_name, list(typed.roles))))
    except (Invalid, Conflict) as error:
        return await _refused(visit, "update", error, typed)
    return redirect(user_path(visit.value("user")))


async def set_password(visit: Visit) -> Response:
    new = visit.form.get("new")
    try:
        _check_again(new, *password_mistakes("new", new), again=visit.form.get("again"))
        await visit.send(users.set_password(visit.value("user"), new))
    except Invalid as error:
        return await _refused(visit, "password", error)
    return redirect(with_query(user_path(visit.value("user")), changed="password"))


async def create_token(visit: Visit) -> Response:
    typed = Typed(description=visit.form.get("description").strip(), days=visit.form.get("days"))
    try:
        lifetime = read_lifetime(typed.days)
        token = await visit.send(users.create_token(visit.value("user"), typed.description, lifetime))
    except Invalid as error:
        return await _refused(visit, "token", error, typed)
    return visit.page(await _user(visit, new_token=token), 201)


async def delete_token(visit: Visit) -> Response:
    await visit.send(users.delete_token(visit.value("user"), visit.form.get("token")))
    return redirect(user_path(visit.value("user")))


async def delete(visit: Visit) -> Response:
    try:
        await visit.send(users.delete(visit.value("user")))
    except Conflict as error:
        return await _refused(visit, "delete", error)
    return redirect("/users")


def _switch(call: Callable[[str], Call[UserAnswer]]) -> Handler:
    async def handler(visit: Visit) -> Response:
        try:
            await visit.send(call(visit.value("user")))
        except Conflict as error:
            return await _refused(visit, "switch", error)
        return redirect(user_path(visit.value("user")))

    return handler


enable = _switch(users.enable)
disable = _switch(users.disable)


async def _users(visit: Visit, typed: Typed = Typed(), mistakes: dict[str, str] | None = None) -> UsersPage:
    found = await visit.send(users.list_all(limit=_MOST, cursor=visit.query("cursor") or None))
    return UsersPage(title="Users", users=tuple(found.items), next=found.next, typed=typed, mistakes=mistakes or {})


async def _user(
    visit: Visit,
    *,
    form: str = "",
    typed: Typed | None = None,
    mistakes: dict[str, str] | None = None,
    new_token: NewTokenAnswer | None = None,
) -> UserPage:
    identifier = visit.value("user")
    user, tokens = await asyncio.gather(
        visit.send(users.get(identifier)), visit.send(users.tokens(identifier, limit=_MOST))
    )
    stored = Typed(display_name=user.display_name, roles=tuple(user.roles))
    if typed is not None and form != "update":
        stored = Typed(stored.identifier, stored.display_name, stored.roles, typed.description, typed.days)
    return UserPage(
        title=user.display_name or user.identifier,
        user=user,
        tokens=tuple(tokens.items),
        has_more_tokens=tokens.next is not None,
        typed=typed if typed is not None and form == "update" else stored,
        new_token=new_token,
        form=form,
        mistakes=mistakes or {},
        is_password_set=visit.query("changed") == "password",
    )


async def _refused(visit: Visit, form: str, error: Invalid | Conflict, typed: Typed | None = None) -> Response:
    page = await _user(visit, form=form, typed=typed, mistakes=by_field(error, _FIELDS))
    return visit.page(page, _status(error))


def _check_again(password: str, *mistakes: Mistake, again: str) -> None:
    """Invalid with these mistakes, too, if the password was typed differently: the service cannot tell that."""
    if password != again:
        raise Invalid([*mistakes, Mistake("again", "is not the same as the password above")])


def _roles(form: Form) -> tuple[str, ...]:
    return tuple(role for role in _ROLES if form.get(f"role-{role}") == "yes")


def _status(error: OrchestraError) -> int:
    return 409 if isinstance(error, Conflict) else 422
