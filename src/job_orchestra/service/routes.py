"""The one table of the HTTP API. Whatever describes or checks routes is made from it."""

from __future__ import annotations

import http

from job_orchestra.domain.json import JsonObject
from job_orchestra.domain.roles import Permission
from job_orchestra.protocol.resources.accounts import (
    LoginBody,
    MeAnswer,
    NewTokenAnswer,
    NewTokenBody,
    NewUserBody,
    PasswordBody,
    TokenAnswer,
    UserAnswer,
    UserChangesBody,
)
from job_orchestra.protocol.resources.administration import AdministrationAnswer, AuditEntryAnswer, MeasuresAnswer
from job_orchestra.protocol.resources.answers import HealthAnswer, Page, RouteAnswer, VersionAnswer
from job_orchestra.protocol.resources.logs import LogPlacesAnswer, LogSearchAnswer
from job_orchestra.protocol.resources.projects import (
    DeliveryAnswer,
    JobAnswer,
    ProjectAnswer,
    ScheduleAnswer,
    SchedulePreviewAnswer,
    TickAnswer,
)
from job_orchestra.protocol.resources.repositories import (
    BranchesAnswer,
    ProjectStatusAnswer,
    RepositoryAnswer,
    RevisionsAnswer,
)
from job_orchestra.protocol.resources.runs import (
    ElementsAnswer,
    EventAnswer,
    RunAnswer,
    RunPageAnswer,
    TriggerBody,
    WhyAnswer,
)
from job_orchestra.protocol.resources.workers import WorkerAnswer
from job_orchestra.service.handlers import (
    administration,
    archives,
    jobs,
    logs,
    me,
    pipelines,
    projects,
    repositories,
    runs,
    schedules,
    system,
    users,
    webhooks,
    workers,
)
from job_orchestra.service.parameters import (
    ATTEMPT,
    AUDIT_FILTERS,
    BRANCH_CURSOR,
    FOLLOW,
    HIT_LIMIT,
    HOURS,
    IDEMPOTENCY_KEY,
    IF_RANGE,
    IGNORE_CASE,
    KEEP_SUCCEEDED,
    LIMIT,
    LINE,
    LOSE_RUNS,
    OFFSET,
    ORDER_BY,
    PAGE,
    PROJECT,
    RANGE,
    REVISIONS,
    RUN_FILTERS,
    SEARCH_FROM,
    SOUGHT,
    STEP,
    STORED,
    TICK_LIMIT,
    TICK_ORDER_BY,
    UNTIL,
    WHILE,
)
from job_orchestra.service.route import Route

_ANYONE = Permission.ANYONE
_OWN = Permission.OWN_ACCOUNT
_READ = Permission.READ
_SWITCH = Permission.SWITCH
_MANAGE = Permission.MANAGE_USERS
_AUDIT = Permission.READ_ADMINISTRATION

_PROJECT = "/projects/{project}"
_JOB = _PROJECT + "/jobs/{job}"
_RUN = _PROJECT + "/runs/{run}"
_LATE_REPORT = _RUN + "/late-reports/{attempt}"
_SCHEDULE = _PROJECT + "/schedules/{schedule}"
_WORKER = "/workers/{worker}"
_USER = "/users/{user}"

# fmt: off
_SYSTEM = (
    Route(method="GET", path="/", permission=_ANYONE, handler=system.version,
          summary="Name and version of the service.", answer=VersionAnswer),
    Route(method="GET", path="/health", permission=_ANYONE, handler=system.health,
          summary="Whether the service is alive.", answer=HealthAnswer),
    Route(method="GET", path="/ready", permission=_ANYONE, handler=system.ready,
          summary="Whether the service can serve; status 503 while it waits for its database.",
          answer=HealthAnswer),
    Route(method="GET", path="/routes", permission=_ANYONE, handler=system.routes,
          summary="Every route, and whether the caller may use it.", answer=list[RouteAnswer],
          is_caller_told=True),
    Route(method="GET", path="/openapi.json", permission=_ANYONE, handler=system.openapi,
          summary="This API as an OpenAPI document.", answer=JsonObject),
    Route(method="GET", path="/docs", permission=_ANYONE, handler=system.documentation,
          summary="This API as a page.", media_type="text/html"),
)

_ME = (
    Route(method="POST", path="/me/login", action="account.login",
          permission=_ANYONE, handler=me.login,
          summary="Starts a session of a week with user and password; the secret is its token.",
          body=LoginBody, answer=NewTokenAnswer),
    Route(method="POST", path="/me/logout", action="account.logout",
          permission=_OWN, handler=me.logout,
          summary="Ends the session: its token is deleted.", status=http.HTTPStatus.NO_CONTENT),
    Route(method="POST", path="/me/refresh", action="account.refresh",
          permission=_OWN, handler=me.refresh,
          summary="Prolongs the session to a week from now, at most once a day.", answer=TokenAnswer),
    Route(method="POST", path="/me/password", action="account.password",
          permission=_OWN, handler=me.set_password,
          summary="Changes one's password and ends one's sessions.",
          body=PasswordBody, status=http.HTTPStatus.NO_CONTENT),
    Route(method="GET", path="/me", permission=_OWN, handler=me.show,
          summary="The caller, its token, and what it may do.", answer=MeAnswer),
    Route(method="GET", path="/me/tokens", permission=_OWN, handler=me.list_tokens,
          summary="One's tokens, without their secrets.", query=PAGE, answer=Page[TokenAnswer]),
    Route(method="POST", path="/me/tokens", action="token.create",
          permission=_OWN, handler=me.create_token,
          summary="A new token; its secret is shown this once.",
          body=NewTokenBody, answer=NewTokenAnswer, status=http.HTTPStatus.CREATED),
    Route(method="DELETE", path="/me/tokens/{token}", action="token.delete",
          permission=_OWN, handler=me.delete_token,
          summary="Deletes one of one's tokens.", status=http.HTTPStatus.NO_CONTENT),
)

_PROJECTS = (
    Route(method="GET", path="/projects", permission=_READ, handler=projects.list_all,
          summary="All projects.", query=(ORDER_BY, *PAGE), answer=Page[ProjectAnswer]),
    Route(method="GET", path=_PROJECT, permission=_READ, handler=projects.show,
          summary="One project.", answer=ProjectAnswer),
    Route(method="GET", path=_PROJECT + "/jobs", permission=_READ, handler=jobs.list_all,
          summary="The project's jobs.", query=(ORDER_BY, *PAGE), answer=Page[JobAnswer]),
    Route(method="GET", path=_JOB, permission=_READ, handler=jobs.show,
          summary="One job, with its definition and parameters.", answer=JobAnswer),
    Route(method="POST", path=_JOB + "/trigger", action="job.trigger",
          permission=Permission.TRIGGER, handler=jobs.trigger,
          summary="A new run of the job (201), or that of an earlier trigger with the same key (200).",
          body=TriggerBody, headers=(IDEMPOTENCY_KEY,), answer=RunAnswer,
          status=http.HTTPStatus.CREATED),
    Route(method="POST", path=_JOB + "/enable", action="job.enable",
          permission=_SWITCH, handler=jobs.enable,
          summary="Runs of the job may start.", answer=JobAnswer),
    Route(method="POST", path=_JOB + "/disable", action="job.disable",
          permission=_SWITCH, handler=jobs.disable,
          summary="No run of the job starts; what runs goes on, what is triggered waits.", answer=JobAnswer),
    Route(method="GET", path=_PROJECT + "/schedules", permission=_READ, handler=schedules.list_all,
          summary="The project's schedules, each with its last and its next tick.", query=(ORDER_BY, *PAGE),
          answer=Page[ScheduleAnswer]),
    Route(method="GET", path=_SCHEDULE, permission=_READ, handler=schedules.show,
          summary="One schedule, with its last and its next tick, and what is wrong with it, if anything.",
          answer=ScheduleAnswer),
    Route(method="GET", path=_SCHEDULE + "/preview", permission=_READ, handler=schedules.preview,
          summary="When the schedule ticks next, enabled or not.", query=(TICK_LIMIT,),
          answer=SchedulePreviewAnswer),
    Route(method="GET", path=_SCHEDULE + "/ticks", permission=_READ, handler=schedules.list_ticks,
          summary="What became of the schedule's ticks, newest first.", query=(TICK_ORDER_BY, *PAGE),
          answer=Page[TickAnswer]),
    Route(method="POST", path=_SCHEDULE + "/enable", action="schedule.enable",
          permission=_SWITCH, handler=schedules.enable,
          summary="The schedule triggers its job.", answer=ScheduleAnswer),
    Route(method="POST", path=_SCHEDULE + "/disable", action="schedule.disable",
          permission=_SWITCH, handler=schedules.disable,
          summary="The schedule triggers nothing.", answer=ScheduleAnswer),
)

_REPOSITORIES = (
    Route(method="GET", path=_PROJECT + "/repository", permission=_READ, handler=repositories.show,
          summary="Where the project's sources are, and whether the service can look at them.",
          answer=RepositoryAnswer),
    Route(method="GET", path=_PROJECT + "/branches", permission=_READ, handler=repositories.branches,
          summary="The branches of the project's repository, as the service knows them.",
          query=(LIMIT, BRANCH_CURSOR), answer=BranchesAnswer),
    Route(method="GET", path=_PROJECT + "/revisions", permission=_READ, handler=repositories.revisions,
          summary="The revisions of a branch, newest first, as the service knows them.", query=REVISIONS,
          answer=RevisionsAnswer),
    Route(method="GET", path=_PROJECT + "/status", permission=_READ, handler=repositories.status,
          summary="The revisions of a branch, newest first, each with the last run of each job for it.",
          query=REVISIONS, answer=ProjectStatusAnswer),
)

_WEBHOOKS = (
    Route(method="POST", path=_PROJECT + "/webhooks/{webhook}", action="webhook.deliver",
          permission=_ANYONE, handler=webhooks.deliver,
          summary="What a host of repositories tells of a push, signed with the webhook's secret: new runs (201), "
          "those of the same delivery before (200), or why there are none (202). At most 8 MiB.",
          takes_anything=True, answer=DeliveryAnswer, status=http.HTTPStatus.CREATED),
)

_RUNS = (
    Route(method="GET", path="/runs", permission=_READ, handler=runs.list_everywhere,
          summary="Runs of all projects.", query=(PROJECT, *RUN_FILTERS), answer=RunPageAnswer),
    Route(method="GET", path=_PROJECT + "/runs", permission=_READ, handler=runs.list_all,
          summary="Runs of the project.", query=RUN_FILTERS, answer=RunPageAnswer),
    Route(method="GET", path=_RUN, permission=_READ, handler=runs.show,
          summary="One run.", answer=RunAnswer),
    Route(method="GET", path=_RUN + "/why", permission=_READ, handler=runs.why,
          summary="Why the run waits, worker by worker; where it runs; or why it ended.", answer=WhyAnswer),
    Route(method="GET", path=_RUN + "/log", permission=_READ, handler=logs.log,
          summary="The bytes of the log, or of a range of them; live until the run ends, if it is followed.",
          query=(FOLLOW, ATTEMPT), headers=(RANGE, IF_RANGE), media_type="text/plain"),
    Route(method="GET", path=_RUN + "/log/places", permission=_READ, handler=logs.places,
          summary="Which line a byte of the log is in, or where a line begins, when that was stored, and in which "
          "style text goes on there.",
          query=(OFFSET, LINE, UNTIL, ATTEMPT), answer=LogPlacesAnswer),
    Route(method="GET", path=_RUN + "/log/search", permission=_READ, handler=logs.search,
          summary="Lines of the log with a text in them. Each answer comes soon, however large the log is; `next` goes "
          "on.",
          query=(SOUGHT, IGNORE_CASE, SEARCH_FROM, HIT_LIMIT, ATTEMPT), answer=LogSearchAnswer),
    Route(method="GET", path=_RUN + "/wait", permission=_READ, handler=runs.wait,
          summary="The run, as soon as it has another status or attempt than the given ones, or after 20 seconds.",
          query=(WHILE, ATTEMPT), answer=RunAnswer),
    Route(method="GET", path=_RUN + "/results", permission=_READ, handler=runs.results,
          summary="The results so far.", query=(STORED,), answer=JsonObject),
    Route(method="GET", path=_RUN + "/events", permission=_READ, handler=runs.events,
          summary="What happened in the run, of all its attempts, in order.", query=PAGE,
          answer=Page[EventAnswer]),
    Route(method="GET", path=_RUN + "/elements", permission=_READ, handler=pipelines.elements,
          summary="The elements of a pipeline, each with its status, its runs, and what it waits for or why it was "
          "skipped.", answer=ElementsAnswer),
    Route(method="GET", path=_LATE_REPORT + "/log", permission=_READ, handler=logs.late_log,
          summary="The bytes of the log of an attempt that was given up, as its worker sent them afterwards.",
          headers=(RANGE, IF_RANGE), media_type="text/plain"),
    Route(method="GET", path=_LATE_REPORT + "/events", permission=_READ, handler=runs.late_events,
          summary="What happened in an attempt that was given up, as its worker told afterwards.", query=PAGE,
          answer=Page[EventAnswer]),
    Route(method="GET", path=_RUN + "/archive", permission=_READ, handler=archives.download,
          summary="The run with results, events, log and late reports as a zip file.", media_type="application/zip"),
    Route(method="POST", path=_RUN + "/cancel", action="run.cancel",
          permission=Permission.STOP_RUN, handler=runs.cancel,
          summary="Asks that the run, which has not started, never does.", answer=RunAnswer),
    Route(method="POST", path=_RUN + "/abort", action="run.abort",
          permission=Permission.STOP_RUN, handler=runs.abort,
          summary="Asks that the run stops, whether it has started or not.", answer=RunAnswer),
    Route(method="POST", path=_RUN + "/pin", action="run.pin",
          permission=Permission.PIN_RUN, handler=runs.pin,
          summary="The run is kept for ever, whatever its retention.", answer=RunAnswer),
    Route(method="POST", path=_RUN + "/unpin", action="run.unpin",
          permission=Permission.PIN_RUN, handler=runs.unpin,
          summary="The run is kept as its retention says.", answer=RunAnswer),
    Route(method="POST", path=_RUN + "/retry", action="run.retry",
          permission=Permission.TRIGGER, handler=runs.retry,
          summary="A new run with the same parameters, of the job as it is configured now (201), or that of an earlier "
          "call with the same key (200).",
          query=(KEEP_SUCCEEDED,), headers=(IDEMPOTENCY_KEY,), answer=RunAnswer,
          status=http.HTTPStatus.CREATED),
)

_WORKERS = (
    Route(method="GET", path="/workers", permission=_READ, handler=workers.list_all,
          summary="All workers.", query=(ORDER_BY, *PAGE), answer=Page[WorkerAnswer]),
    Route(method="GET", path=_WORKER, permission=_READ, handler=workers.show,
          summary="One worker.", answer=WorkerAnswer),
    Route(method="POST", path=_WORKER + "/enable", action="worker.enable",
          permission=_SWITCH, handler=workers.enable,
          summary="The worker may take runs; ends draining, too.", answer=WorkerAnswer),
    Route(method="POST", path=_WORKER + "/disable", action="worker.disable",
          permission=_SWITCH, handler=workers.disable,
          summary="The worker takes no new runs; what runs goes on.", answer=WorkerAnswer),
    Route(method="POST", path=_WORKER + "/drain", action="worker.drain",
          permission=_SWITCH, handler=workers.drain,
          summary="The worker takes no new runs until it is enabled again.", answer=WorkerAnswer),
    Route(method="POST", path=_WORKER + "/disconnect", action="worker.disconnect",
          permission=_SWITCH, handler=workers.disconnect,
          summary="Asks the master to close the worker's connection.", answer=WorkerAnswer),
    Route(method="DELETE", path=_WORKER, action="worker.delete",
          permission=Permission.DELETE_WORKER, handler=workers.delete,
          summary="Deletes a worker that is disabled, disconnected and, unless told otherwise, has no active run.",
          query=(LOSE_RUNS,), status=http.HTTPStatus.NO_CONTENT),
)

_USERS = (
    Route(method="GET", path="/users", permission=_AUDIT, handler=users.list_all,
          summary="All users.", query=(ORDER_BY, *PAGE), answer=Page[UserAnswer]),
    Route(method="POST", path="/users", action="user.create",
          permission=_MANAGE, handler=users.create,
          summary="A new user; without a password it has tokens only.",
          body=NewUserBody, answer=UserAnswer, status=http.HTTPStatus.CREATED),
    Route(method="GET", path=_USER, permission=_AUDIT, handler=users.show,
          summary="One user.", answer=UserAnswer),
    Route(method="PATCH", path=_USER, action="user.update",
          permission=_MANAGE, handler=users.update,
          summary="Changes display name or roles; what is left out stays. The only enabled administrator stays one.",
          body=UserChangesBody, answer=UserAnswer),
    Route(method="POST", path=_USER + "/enable", action="user.enable",
          permission=_MANAGE, handler=users.enable,
          summary="The user may what its roles allow.", answer=UserAnswer),
    Route(method="POST", path=_USER + "/disable", action="user.disable",
          permission=_MANAGE, handler=users.disable,
          summary="The user keeps only its own account; not for the only enabled administrator.",
          answer=UserAnswer),
    Route(method="POST", path=_USER + "/password", action="user.password",
          permission=_MANAGE, handler=users.set_password,
          summary="Sets the user's password and ends its sessions.",
          body=PasswordBody, status=http.HTTPStatus.NO_CONTENT),
    Route(method="DELETE", path=_USER, action="user.delete",
          permission=_MANAGE, handler=users.delete,
          summary="Deletes a user that is disabled and owns no worker, with its tokens.",
          status=http.HTTPStatus.NO_CONTENT),
    Route(method="GET", path=_USER + "/tokens", permission=_AUDIT, handler=users.list_tokens,
          summary="The user's tokens, without their secrets.", query=PAGE, answer=Page[TokenAnswer]),
    Route(method="POST", path=_USER + "/tokens", action="token.create",
          permission=_MANAGE, handler=users.create_token,
          summary="A new token for the user; its secret is shown this once.",
          body=NewTokenBody, answer=NewTokenAnswer, status=http.HTTPStatus.CREATED),
    Route(method="DELETE", path=_USER + "/tokens/{token}", action="token.delete",
          permission=_MANAGE, handler=users.delete_token,
          summary="Deletes one of the user's tokens.", status=http.HTTPStatus.NO_CONTENT),
)

_ADMINISTRATION = (
    Route(method="GET", path="/audit", permission=_AUDIT, handler=administration.audit,
          summary="Who did what, and when, newest first.", query=AUDIT_FILTERS,
          answer=Page[AuditEntryAnswer]),
    Route(method="GET", path="/administration", permission=_AUDIT, handler=administration.show,
          summary="The installation: versions, database, masters, logs, configuration, settings without secrets.",
          answer=AdministrationAnswer),
    Route(method="GET", path="/measures", permission=_READ, handler=administration.measures,
          summary="How much there was to do, by time: runs that wait and run, workers, and their executors in use.",
          query=(HOURS, STEP), answer=MeasuresAnswer),
)
# fmt: on

ROUTES = (*_SYSTEM, *_ME, *_PROJECTS, *_REPOSITORIES, *_WEBHOOKS, *_RUNS, *_WORKERS, *_USERS, *_ADMINISTRATION)
