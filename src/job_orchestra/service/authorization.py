"""The one place where a request is authenticated and authorised."""

from __future__ import annotations

from job_orchestra.domain.errors import Forbidden, Unauthenticated
from job_orchestra.domain.roles import Permission, is_allowed
from job_orchestra.domain.users import TokenKind
from job_orchestra.protocol.authorization import read_authorization
from job_orchestra.repositories.accounts import Accounts, Identity
from job_orchestra.service.route import Route

_OF_RUNS: frozenset[Permission] = frozenset({Permission.READ, Permission.TRIGGER, Permission.STOP_RUN})


async def identify(accounts: Accounts, route: Route, authorization: str | None) -> Identity | None:
    """Who asks, None where that does not matter; Unauthenticated for who is nobody."""
    if route.permission is Permission.ANYONE and not (route.is_caller_told and authorization):
        return None
    credentials = read_authorization(authorization)
    identity = await accounts.authenticate(credentials.secret, credentials.user)
    if identity.token.kind is TokenKind.CONTROL:
        raise Unauthenticated("A control token opens a connection to a master, nothing else.")
    return identity


def authorize(identity: Identity | None, route: Route, project: str | None = None) -> None:
    """Forbidden for who may not. `project` is that of the address."""
    if route.permission is Permission.ANYONE:
        return
    if identity is None:
        raise Unauthenticated("This needs a token.")
    if identity.run is not None:
        if project == identity.run.project and route.permission in _OF_RUNS:
            return
        raise Forbidden(
            f"The token of run {identity.run.run} is for reading, triggering and stopping runs of its project "
            f"{identity.run.project}, and for nothing else."
        )
    require(identity, route.permission)


def require(identity: Identity, permission: Permission) -> None:
    """Forbidden for who may not, whatever the address."""
    if not may(identity, permission):
        state = "lacks the permission" if identity.user.is_enabled else "is disabled and lacks the permission"
        raise Forbidden(f"User {identity.user.identifier!r} {state} {permission.value!r}, which this needs.")


def may_use(identity: Identity | None, route: Route) -> bool:
    """Whether it may use the route with some path; a run has those of its own project."""
    if identity is not None and identity.run is not None and "project" not in route.path_parameters:
        return route.permission is Permission.ANYONE
    return may(identity, route.permission)


def may(identity: Identity | None, permission: Permission) -> bool:
    if identity is None:
        return permission is Permission.ANYONE
    if identity.run is not None:
        return permission in {*_OF_RUNS, Permission.ANYONE}
    return is_allowed(identity.user.roles, identity.user.is_enabled, permission)
