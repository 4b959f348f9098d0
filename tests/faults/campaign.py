"""A storm from its seed to its figures: the installation, the callers, the faults, the audit."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from job_orchestra.client.asynchronous import AsyncClient
from tests.faults.audit import Audit
from tests.faults.callers import Callers
from tests.faults.databases import Database
from tests.faults.deeds import choose_deeds
from tests.faults.findings import Findings
from tests.faults.ledger import Ledger
from tests.faults.lines import choose_lines
from tests.faults.patience import PatientClient
from tests.faults.plan import plan_faults
from tests.faults.site import Site
from tests.faults.storm import Storm


@dataclass(frozen=True, slots=True)
class Scale:
    seed: int
    runs: int
    faults: int
    lines: int
    """Pipelines beside the runs that are triggered by themselves."""
    longest_pause: float
    """Seconds for which a victim is stopped at the longest."""


@dataclass(frozen=True, slots=True)
class Figures:
    findings: tuple[str, ...]
    ends: Counter[str]
    """Runs by status and reason."""
    faults: Counter[str]
    starts: int
    """Of commands."""
    retries: int
    """Attempts that had started and were given up."""
    log_bytes: int
    repetitions: int
    """Requests that found no service, and were sent again."""
    seconds: float

    def __str__(self) -> str:
        lines = [
            f"{sum(self.ends.values())} runs, {self.starts} commands, {self.retries} retries, "
            f"{self.log_bytes:,} bytes of logs, {sum(self.faults.values())} faults, "
            f"{self.repetitions} requests repeated, {self.seconds:.0f} s",
            *(f"  {count:5} {end}" for end, count in sorted(self.ends.items())),
            *(f"  {count:5} {fault}" for fault, count in sorted(self.faults.items())),
            f"{len(self.findings)} findings",
            *(f"  {finding}" for finding in self.findings),
        ]
        return "\n".join(lines)


async def carry_out(scale: Scale, directory: Path, database: Database, say: Callable[[str], None]) -> Figures:
    """Everything that was started is ended when it returns; `say` hears of each fault and finding."""
    began = time.monotonic()
    chance = random.Random(scale.seed)
    deeds = choose_deeds(chance, scale.seed, scale.runs)
    lines = choose_lines(scale.seed, scale.lines)
    faults = plan_faults(chance, scale.faults, scale.runs, database.victim, scale.longest_pause)
    findings = Findings(say)
    site = Site(directory, database, findings)
    ledger = Ledger(site.tally)
    storm = Storm(site, ledger, findings, say)
    try:
        await site.start()
        async with AsyncClient(site.service_url, site.credentials) as impatient:
            client = PatientClient(impatient, chance)
            callers = Callers(client, ledger, chance, findings)
            audit = Audit(site, client, ledger, callers, findings)
            async with asyncio.TaskGroup() as group:
                group.create_task(callers.call_all(deeds, lines))
                group.create_task(storm.blow(faults))
            await audit.hold()
    finally:
        await site.end()
        ledger.close()
    return Figures(
        findings=tuple(findings.sentences),
        ends=audit.ends,
        faults=storm.committed,
        starts=audit.starts,
        retries=audit.retries,
        log_bytes=audit.log_bytes,
        repetitions=client.repetitions,
        seconds=time.monotonic() - began,
    )
