"""Jobs whose runs trigger others that are aborted with them, and what becomes of these."""

from __future__ import annotations

from pathlib import Path

from job_orchestra.client.calls import runs
from job_orchestra.client.synchronous import Client
from job_orchestra.protocol.resources.runs import RunSummaryAnswer

PROJECT = "example"
PROJECTS = """
import sys
from job_orchestra import Job, Project

def parent(identifier, how, **more):
    return Job(identifier, commands=[[sys.executable, "PROGRAM", how]], token=True, workspace="run", **more)

projects = [Project("example", jobs=[
    parent("waits", "waits"),
    parent("takes-long", "waits", timeout=8),
    parent("writes", "writes", log_limit=10_000),
    Job("endless", commands=[["sleep", "1000"]], workspace="run"),
    Job("nowhere", commands=[["true"]], properties={"operating_system": "plan9"}),
])]
""".replace("PROGRAM", str(Path(__file__).with_name("bound_parent.py")))


def children_of(client: Client, run: str) -> list[RunSummaryAnswer]:
    call = runs.list_all(PROJECT, source="run", source_identifier=run, order_by="created_at")
    return client.send(call).items


def are_there(client: Client, run: str) -> bool:
    """Whether it has triggered all, and the first of them is being executed."""
    return b"all are there" in b"".join(client.log(PROJECT, run))


def check_what_became_of(children: list[RunSummaryAnswer], parent: str) -> None:
    """All but the one that is not bound to it have come to an end with it."""
    endless, bound, free, by_command = children
    sentences = [one.reason.sentence if one.reason else "" for one in (endless, bound, by_command)]
    assert [(one.job, one.status) for one in (endless, bound, by_command)] == [
        ("endless", "aborted"), ("nowhere", "cancelled"), ("nowhere", "cancelled")
    ]  # fmt: skip
    assert all(f"by run {parent}" in sentence for sentence in sentences), sentences
    assert (free.job, free.status) == ("nowhere", "pending")
