"""How runs are walked through that filters let through: along indexes, so that a page costs the same in any history.

An index that ends with the identifier has the runs with given values in its other columns in the order of the list.
Which one it is, is decided here: left to itself, a database may take one that has everything else in between, or sort.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from job_orchestra.domain.runs import Run, SourceKind
from job_orchestra.domain.statuses import ACTIVE, RunStatus
from job_orchestra.repositories.conditions import equal, find_one
from job_orchestra.repositories.paging import Listed, decode_cursor, page_of
from job_orchestra.repositories.rows.columns import text
from job_orchestra.repositories.rows.runs import run_from_row
from job_orchestra.repositories.run_filters import RunFilter, dates_of, one_of, values_of
from job_orchestra.storage.port import Condition, Count, Find, Operator, Order, Row, Storage
from job_orchestra.storage.schema import RUNS

_AT_ONCE = 1000
_MOST_BRANCHES = 20

_PREFIXES = ((), *(index.columns[:-1] for index in RUNS.indexes if index.columns[-1] == "identifier"))
_ALL_VALUES: Mapping[str, Sequence[str]] = {"status": tuple(RunStatus), "source_kind": tuple(SourceKind)}


@dataclass(frozen=True, slots=True)
class RunPath:
    branches: tuple[tuple[Condition, ...], ...]
    """Each is one range of an index, in the order of identifiers; no run is on two of them."""
    rest: tuple[Condition, ...] = ()
    """What no index serves beside these: it has to be looked at run by run."""

    @property
    def is_everything(self) -> bool:
        return self.branches == ((),)

    @property
    def along_indexes(self) -> RunPath:
        """Without the rest: all that may have to be looked at, in pages whose cost no history changes."""
        return RunPath(self.branches)


def path_of(runs: RunFilter, all_values: Mapping[str, Sequence[str]] = _ALL_VALUES) -> RunPath:
    """The one that leaves least to be looked at, with the fewest branches.

    `all_values` are those of columns of few values: an index with such a column serves who does not ask for it as well.
    """
    asked = values_of(runs)
    usable = [prefix for prefix in _PREFIXES if set(prefix) <= asked.keys() | all_values.keys()]
    prefix = max(reversed(usable), key=lambda one: (len(asked.keys() & set(one)), -len(set(one) - asked.keys())))
    chosen = [[equal(column, value) for value in asked.get(column, all_values.get(column, ()))] for column in prefix]
    dates = tuple(dates_of(runs))
    rest = tuple(one_of(column, values) for column, values in asked.items() if column not in prefix)
    return RunPath(tuple((*branch, *dates) for branch in product(*chosen)), rest)


async def path_for(storage: Storage, runs: RunFilter) -> RunPath:
    """As `path_of`; a job in all projects, and a kind of source, by the few projects or sources that there are."""
    asked = values_of(runs).keys() - {"status"}
    if asked == {"job"}:
        column, found = "project", await _values_with_runs(storage, (), "project")
    elif asked == {"source_kind"} and runs.source_kind is not None:
        column = "source_identifier"
        found = await _values_with_runs(storage, (equal("source_kind", runs.source_kind.value),), column)
    else:
        return path_of(runs)
    return path_of(runs) if found is None else path_of(runs, {**_ALL_VALUES, column: found})


async def _values_with_runs(storage: Storage, given: tuple[Condition, ...], column: str) -> list[str] | None:
    """One short look at an index for each; None if there are too many."""
    values: list[str] = []
    order = (Order(column), Order("identifier"))
    behind = given
    while row := await find_one(storage, Find(RUNS.name, behind, order)):
        values.append(text(row, column))
        if len(values) > _MOST_BRANCHES:
            return None
        behind = (*given, Condition(column, Operator.GREATER, values[-1]))
    return values


def unfinished_of(worker: str) -> RunPath:
    """The runs that are assigned to it and have not ended."""
    return path_of(RunFilter(worker=worker, statuses=ACTIVE))


async def rows_on(storage: Storage, path: RunPath, order: Order, after: str | None, size: int) -> list[Row]:
    """The next ones behind that identifier; `order` is by identifiers, either way."""
    place = None if after is None else (after,)
    finds = [Find(RUNS.name, (*branch, *path.rest), (order,), place, size) for branch in path.branches]
    if len(finds) == 1:
        return await storage.find(finds[0])
    rows = [row for page in await storage.find_all(finds) for row in page]
    return sorted(rows, key=lambda row: text(row, "identifier"), reverse=order.descending)[:size]


async def everything_on(storage: Storage, path: RunPath) -> list[Row]:
    """Page by page, the oldest first: for what is few."""
    everything: list[Row] = []
    after: str | None = None
    while True:
        rows = await rows_on(storage, path, Order("identifier"), after, _AT_ONCE)
        everything += rows
        if len(rows) < _AT_ONCE:
            return everything
        after = text(rows[-1], "identifier")


async def count_on(storage: Storage, path: RunPath, at_most: int = 10_000) -> int:
    """Counted no further than that."""
    count = 0
    for branch in path.branches:
        if count < at_most:
            count += await storage.count(Count(RUNS.name, (*branch, *path.rest), at_most - count))
    return count


async def list_on(storage: Storage, path: RunPath, limit: int, cursor: str | None, newest_first: bool) -> Listed[Run]:
    """A page by time of creation; Invalid at `cursor` if no list of runs made it."""
    query = Find(RUNS.name, (), (Order("identifier", newest_first),), limit=limit)
    # One more than asked for tells whether there is a following page.
    rows = await rows_on(storage, path, query.order[0], place_of(cursor), limit + 1)
    return page_of(rows, query, run_from_row)


def place_of(cursor: str | None) -> str | None:
    """The run behind which a page of runs begins; Invalid at `cursor` if no list of runs made it."""
    if cursor is None:
        return None
    [place] = decode_cursor(cursor, Find(RUNS.name, order=(Order("identifier"),)))
    return str(place)
