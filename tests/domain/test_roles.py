from __future__ import annotations

from itertools import product

import pytest

from job_orchestra.domain.roles import ROLE_PERMISSIONS, Permission, Role, is_allowed

EXPECTED = {
    Role.ADMINISTRATOR: set(Permission),
    Role.AUDITOR: {Permission.READ, Permission.READ_ADMINISTRATION},
    Role.OPERATOR: {
        Permission.READ,
        Permission.TRIGGER,
        Permission.STOP_RUN,
        Permission.PIN_RUN,
        Permission.SWITCH,
    },
    Role.VIEWER: {Permission.READ},
    Role.WORKER: {Permission.CONNECT_WORKER, Permission.READ, Permission.TRIGGER, Permission.STOP_RUN},
}
EVERY_USER = {Permission.ANYONE, Permission.OWN_ACCOUNT}


@pytest.mark.parametrize(("role", "permission"), [*product(Role, Permission)])
def test_what_a_role_may(role: Role, permission: Permission) -> None:
    assert is_allowed([role], True, permission) == (permission in EXPECTED[role] | EVERY_USER)


@pytest.mark.parametrize(("role", "permission"), [*product(Role, Permission)])
def test_a_disabled_user_keeps_the_own_account_alone(role: Role, permission: Permission) -> None:
    assert is_allowed([role], False, permission) == (permission in EVERY_USER)


@pytest.mark.parametrize("permission", Permission)
def test_a_user_without_roles_has_the_own_account_alone(permission: Permission) -> None:
    assert is_allowed([], True, permission) == (permission in EVERY_USER)


def test_roles_add_up() -> None:
    assert is_allowed([Role.VIEWER, Role.AUDITOR], True, Permission.READ_ADMINISTRATION)
    assert not is_allowed([Role.VIEWER, Role.AUDITOR], True, Permission.TRIGGER)


def test_every_role_has_its_permissions() -> None:
    assert set(ROLE_PERMISSIONS) == set(Role)
