"""Every page and form of the website, with who may use it. A page that is not in this table does not exist."""

from __future__ import annotations

from job_orchestra.domain.roles import Permission
from job_orchestra.website.dispatch import Handler, PageRoute
from job_orchestra.website.pages import (
    administration,
    audit,
    definition,
    home,
    jobs,
    log,
    login,
    pipeline,
    profile,
    project_status,
    projects,
    run,
    runs,
    schedules,
    users,
    workers,
)

_PROJECT = "/projects/{project}"
_JOB = f"{_PROJECT}/jobs/{{job}}"
_SCHEDULE = f"{_PROJECT}/schedules/{{schedule}}"
_RUN = f"{_PROJECT}/runs/{{run}}"
_WORKER = "/workers/{worker}"
_USER = "/users/{user}"
_AUDIT = Permission.READ_ADMINISTRATION
_MANAGE = Permission.MANAGE_USERS


_RUN_FILTERS = tuple(name for name in runs.FILTERS if name != "project")


def _get(path: str, handler: Handler, *query: str, permission: Permission = Permission.READ) -> PageRoute:
    return PageRoute("GET", path, handler, permission, query)


def _post(path: str, handler: Handler, permission: Permission) -> PageRoute:
    return PageRoute("POST", path, handler, permission)


ROUTES = (
    _get("/login", login.show, "next", "changed", permission=Permission.ANYONE),
    _post("/login", login.log_in, Permission.ANYONE),
    _post("/logout", login.log_out, Permission.OWN_ACCOUNT),
    _get("/", home.show),
    _get("/projects", projects.show_all, "cursor"),
    _get(_PROJECT, projects.show, "cursor"),
    _get(f"{_PROJECT}/status", project_status.show, "branch", "cursor"),
    _get(_SCHEDULE, schedules.show, "cursor"),
    _post(f"{_SCHEDULE}/enable", schedules.enable, Permission.SWITCH),
    _post(f"{_SCHEDULE}/disable", schedules.disable, Permission.SWITCH),
    _get(_JOB, jobs.show),
    _post(f"{_JOB}/trigger", jobs.trigger, Permission.TRIGGER),
    _post(f"{_JOB}/enable", jobs.enable, Permission.SWITCH),
    _post(f"{_JOB}/disable", jobs.disable, Permission.SWITCH),
    _get("/runs", runs.show_all, "project", *_RUN_FILTERS, "cursor"),
    _get(f"{_PROJECT}/runs", runs.show_all, *_RUN_FILTERS, "cursor"),
    _get(_RUN, run.show),
    _get(f"{_RUN}/definition", definition.show),
    _get(f"{_RUN}/graph", pipeline.show),
    _get(f"{_RUN}/log", log.show, "attempt", "offset", "byte", "line", "go"),
    _get(f"{_RUN}/log/search", log.search, "attempt", "text", "case", "offset"),
    _get(f"{_RUN}/log/raw", log.raw, "attempt", "download"),
    _get(f"{_RUN}/late-reports/{{attempt}}/log", log.late_raw, "download"),
    _get(f"{_RUN}/results", run.results),
    _get(f"{_RUN}/archive", run.archive),
    _post(f"{_RUN}/cancel", run.cancel, Permission.STOP_RUN),
    _post(f"{_RUN}/abort", run.abort, Permission.STOP_RUN),
    _post(f"{_RUN}/pin", run.pin, Permission.PIN_RUN),
    _post(f"{_RUN}/unpin", run.unpin, Permission.PIN_RUN),
    _post(f"{_RUN}/retry", run.retry, Permission.TRIGGER),
    _get("/workers", workers.show_all, "cursor"),
    _get(_WORKER, workers.show),
    _post(f"{_WORKER}/enable", workers.enable, Permission.SWITCH),
    _post(f"{_WORKER}/disable", workers.disable, Permission.SWITCH),
    _post(f"{_WORKER}/drain", workers.drain, Permission.SWITCH),
    _post(f"{_WORKER}/disconnect", workers.disconnect, Permission.SWITCH),
    _post(f"{_WORKER}/delete", workers.delete, Permission.DELETE_WORKER),
    _get("/users", users.show_all, "cursor", permission=_AUDIT),
    _post("/users/create", users.create, _MANAGE),
    _get("/roles", users.show_roles, permission=_AUDIT),
    _get(_USER, users.show, "changed", permission=_AUDIT),
    _post(f"{_USER}/update", users.update, _MANAGE),
    _post(f"{_USER}/enable", users.enable, _MANAGE),
    _post(f"{_USER}/disable", users.disable, _MANAGE),
    _post(f"{_USER}/password", users.set_password, _MANAGE),
    _post(f"{_USER}/delete", users.delete, _MANAGE),
    _post(f"{_USER}/create-token", users.create_token, _MANAGE),
    _post(f"{_USER}/delete-token", users.delete_token, _MANAGE),
    _get("/audit", audit.show, *audit.FILTERS, "cursor", permission=_AUDIT),
    _get("/administration", administration.show, permission=_AUDIT),
    _get("/profile", profile.show, permission=Permission.OWN_ACCOUNT),
    _post("/profile/password", profile.set_password, Permission.OWN_ACCOUNT),
    _post("/profile/zone", profile.set_zone, Permission.OWN_ACCOUNT),
    _post("/profile/tokens", profile.create_token, Permission.OWN_ACCOUNT),
    _post("/profile/tokens/{token}/delete", profile.delete_token, Permission.OWN_ACCOUNT),
)
