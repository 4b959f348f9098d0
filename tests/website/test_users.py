"""Users, their roles, tokens and passwords: who manages them, and who may look only."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest

from job_orchestra.domain.roles import PERMISSION_WORDS, Permission
from tests.website.examples import PASSWORD, Examples
from tests.website.installation import Installation
from tests.website.visitor import Visitor, form, forms

Visitors = Callable[[str | None], Visitor]
_NEW = {"display_name": "Eve <b>", "role-viewer": "yes", "password": "a long password", "again": "a long password"}


@pytest.fixture
def administrator(visitors: Visitors, examples: Examples) -> Visitor:
    return visitors("administrator")


@pytest.fixture
def somebody(installation: Installation, request: pytest.FixtureRequest) -> Iterator[str]:
    """A user of this test alone."""
    name = re.sub(r"\W", "", request.node.name)[-30:]
    installation.call(installation.accounts.create_user(name, password=PASSWORD))
    yield name


def test_a_user_is_made_and_can_log_in(administrator: Visitor, visitors: Visitors) -> None:
    response = administrator.send("/users", "/users/create", identifier="eve", **_NEW)
    assert (response.status_code, response.headers["Location"]) == (303, "/users/eve")
    page = administrator.get("/users/eve").text
    assert "Eve &lt;b&gt;" in page
    assert 'name="role-viewer" value="yes" checked' in page
    assert 'href="/users/eve">eve</a>' in administrator.get("/users").text
    eve = visitors(None)
    assert eve.log_in("eve", "a long password").status_code == 303
    assert eve.get("/runs").status_code == 200
    assert eve.get("/users").status_code == 403


def test_a_form_comes_back_with_what_was_typed_and_what_is_wrong(administrator: Visitor) -> None:
    typed = {**_NEW, "identifier": "x y", "password": "short", "again": "short"}
    response = administrator.send("/users", "/users/create", **typed)
    assert response.status_code == 422
    back = form(response.text, "/users/create").fields
    assert {name: back[name] for name in ("identifier", "display_name", "role-viewer", "password", "again")} == {
        "identifier": "x y", "display_name": "Eve <b>", "role-viewer": "yes", "password": "", "again": "",
    }  # fmt: skip
    assert re.search(r'id="identifier"[^>]* aria-invalid="true" aria-describedby="identifier-note"', response.text)
    assert "no user&#39;s name" in response.text
    assert "has 5 characters; it needs 8" in response.text
    different = administrator.send("/users", "/users/create", identifier="mallory", password="a long password")
    assert "is not the same as the password above" in different.text
    taken = administrator.send("/users", "/users/create", identifier="viewer")
    assert taken.status_code == 409
    assert 'role="alert">' in taken.text
    assert form(taken.text, "/users/create").fields["identifier"] == "viewer"
    wrong = {"identifier": "x y", "display_name": "n" * 300, "password": "short", "again": "other"}
    text = administrator.send("/users", "/users/create", **wrong).text
    for name in wrong:
        assert re.search(rf'id="{name}-note"><span class="mistake">', text), name
    assert text.count(" autofocus") == 1


def test_roles_and_name_are_changed(administrator: Visitor, somebody: str, installation: Installation) -> None:
    page = f"/users/{somebody}"
    changes = {"display_name": "Some Body", "role-operator": "yes", "role-auditor": "yes"}
    assert administrator.send(page, f"{page}/update", **changes).status_code == 303
    user = installation.call(installation.accounts.get_user(somebody))
    assert (user.display_name, {role.value for role in user.roles}) == ("Some Body", {"operator", "auditor"})
    wrong = administrator.send(page, f"{page}/update", **{"display_name": "x" * 201, "role-viewer": "yes"})
    assert wrong.status_code == 422
    back = form(wrong.text, f"{page}/update").fields
    assert (back["display_name"], back["role-viewer"]) == ("x" * 201, "yes")
    assert "takes at most 200 printable characters" in wrong.text
    # A box that is not ticked is a role taken away.
    fields = form(administrator.get(page).text, f"{page}/update").fields
    del fields["role-auditor"]
    assert administrator.post(f"{page}/update", fields).status_code == 303
    assert [role.value for role in installation.call(installation.accounts.get_user(somebody)).roles] == ["operator"]


def test_the_only_administrator_stays_one(administrator: Visitor) -> None:
    page = "/users/administrator"
    for action in (f"{page}/disable", f"{page}/update"):
        fields = form(administrator.get(page).text, action).fields
        response = administrator.post(action, {name: fields[name] for name in fields if not name.startswith("role-")})
        assert response.status_code == 409
        assert "is the only enabled administrator" in response.text


def test_a_token_is_shown_once_and_deleted(administrator: Visitor, somebody: str, installation: Installation) -> None:
    page = f"/users/{somebody}"
    made = administrator.send(page, f"{page}/create-token", description="For <i>tests</i>", days="7")
    assert made.status_code == 201
    secret = re.search(r'<code class="secret">([0-9a-f]{64})</code>', made.text)
    assert secret
    installation.call(installation.accounts.authenticate(secret[1], somebody))
    again = administrator.get(page).text
    assert secret[1] not in again
    assert "For &lt;i&gt;tests&lt;/i&gt;" in again
    assert administrator.send(page, f"{page}/delete-token").status_code == 303
    assert "tests" not in administrator.get(page).text
    wrong = administrator.send(page, f"{page}/create-token", description="x" * 201)
    assert wrong.status_code == 422
    assert form(wrong.text, f"{page}/create-token").fields["description"] == "x" * 201


def test_a_password_is_set(administrator: Visitor, somebody: str, visitors: Visitors) -> None:
    page = f"/users/{somebody}"
    for new, again, mistake in (("short", "short", "it needs 8"), ("long enough", "other", "is not the same")):
        response = administrator.send(page, f"{page}/password", new=new, again=again)
        assert response.status_code == 422
        assert mistake in response.text
        assert new not in response.text
    done = administrator.send(page, f"{page}/password", new="long enough", again="long enough")
    assert done.status_code == 303
    assert "The password is set." in administrator.get(done.headers["Location"]).text
    assert "The password is set." not in administrator.get(page).text
    assert visitors(None).log_in(somebody, "long enough").status_code == 303


def test_a_user_is_disabled_and_deleted(administrator: Visitor, somebody: str) -> None:
    page = f"/users/{somebody}"
    enabled = administrator.get(page).text
    assert f'action="{page}/delete"' not in enabled
    assert "Only a user that is disabled can be deleted." in enabled
    assert administrator.send(page, f"{page}/disable").status_code == 303
    disabled = administrator.get(page).text
    assert "This user is disabled" in disabled
    assert administrator.send(page, f"{page}/enable").status_code == 303
    administrator.send(page, f"{page}/disable")
    assert administrator.send(page, f"{page}/delete").headers["Location"] == "/users"
    assert administrator.get(page).status_code == 404


def test_who_owns_a_worker_is_not_deleted(administrator: Visitor) -> None:
    page = "/users/worker"
    administrator.send(page, f"{page}/disable")
    response = administrator.send(page, f"{page}/delete")
    assert response.status_code == 409
    assert "owns worker" in response.text
    assert administrator.send(page, f"{page}/enable").status_code == 303


def test_an_auditor_looks_and_cannot_change(visitors: Visitors, examples: Examples) -> None:
    auditor = visitors("auditor")
    for page in ("/users", "/users/viewer", "/roles", "/audit", "/administration"):
        response = auditor.get(page)
        assert response.status_code == 200
        assert {one.action for one in forms(response.text) if one.method == "post"} == {"/logout"}, page
    token = form(auditor.get("/users").text, "/logout").fields["form_token"]
    fields = {"form_token": token, "identifier": "sneaky"}
    for action in ("/users/create", "/users/viewer/update", "/users/viewer/create-token", "/users/viewer/password"):
        assert auditor.post(action, fields).status_code == 403


@pytest.mark.parametrize("user", ["operator", "viewer", "worker", "auditor", "administrator"])
def test_the_navigation_has_what_one_may_see(visitors: Visitors, examples: Examples, user: str) -> None:
    page = visitors(user).get("/").text
    for entry in ("/users", "/audit", "/administration"):
        assert (f'<a href="{entry}"' in page) == (user in {"auditor", "administrator"})


def test_what_roles_may_is_said_in_words(administrator: Visitor) -> None:
    page = administrator.get("/roles").text
    assert set(PERMISSION_WORDS) == set(Permission) - {Permission.ANYONE}
    [row] = [row for row in page.split("<tr>") if PERMISSION_WORDS[Permission.STOP_RUN] in row]
    assert re.findall("<td>(.*?)</td>", row) == ["yes", "–", "yes", "–", "yes"]
