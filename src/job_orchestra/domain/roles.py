"""Roles as data, and the one function that authorises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum


class Permission(StrEnum):
    ANYONE = "anyone"
    """No authentication at all: version, health, login."""
    OWN_ACCOUNT = "own_account"
    """Every user, disabled ones included: own account, password and tokens."""
    READ = "read"
    """Projects, jobs, runs, schedules, workers."""
    READ_ADMINISTRATION = "read_administration"
    """Users, other people's tokens, audit."""
    TRIGGER = "trigger"
    STOP_RUN = "stop_run"
    """Cancel and abort."""
    PIN_RUN = "pin_run"
    """Keep a run for ever, or no longer."""
    SWITCH = "switch"
    """Enable, disable, drain and disconnect jobs, schedules, workers."""
    DELETE_WORKER = "delete_worker"
    MANAGE_USERS = "manage_users"
    CONNECT_WORKER = "connect_worker"


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    OPERATOR = "operator"
    VIEWER = "viewer"
    WORKER = "worker"


_EVERY_USER = frozenset({Permission.ANYONE, Permission.OWN_ACCOUNT})

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(Permission),
    Role.AUDITOR: frozenset({Permission.READ, Permission.READ_ADMINISTRATION}),
    Role.OPERATOR: frozenset(
        {Permission.READ, Permission.TRIGGER, Permission.STOP_RUN, Permission.PIN_RUN, Permission.SWITCH}
    ),
    Role.VIEWER: frozenset({Permission.READ}),
    Role.WORKER: frozenset({Permission.CONNECT_WORKER, Permission.READ, Permission.TRIGGER, Permission.STOP_RUN}),
}


PERMISSION_WORDS: Mapping[Permission, str] = {
    Permission.OWN_ACCOUNT: "look after the own account: password and tokens",
    Permission.READ: "see projects, jobs, runs, schedules and workers",
    Permission.READ_ADMINISTRATION: "see users, their tokens, the audit trail and the administration",
    Permission.TRIGGER: "trigger jobs, and repeat runs",
    Permission.STOP_RUN: "cancel and abort runs",
    Permission.PIN_RUN: "keep runs for ever",
    Permission.SWITCH: "enable and disable jobs, schedules and workers; drain and disconnect workers",
    Permission.DELETE_WORKER: "delete workers",
    Permission.MANAGE_USERS: "create, change, disable and delete users and their tokens",
    Permission.CONNECT_WORKER: "connect a worker to the master",
}
"""For people: who has the permission may …"""


def is_allowed(roles: Iterable[Role], is_enabled: bool, permission: Permission) -> bool:
    """Whether a user with these roles may; a disabled user keeps only what every user has."""
    if permission in _EVERY_USER:
        return True
    return is_enabled and any(permission in ROLE_PERMISSIONS[role] for role in roles)
