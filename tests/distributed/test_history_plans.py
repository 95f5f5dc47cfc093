"""Plans of the published history queries: MongoDB walks the index that was meant, and never a whole collection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any
from uuid import uuid4

import pymongo
import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.history_scans import MongoRows
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.history import pager
from benchmarks.history import NAMES, PUBLISHED, position_at, rows
from projections.filters.filter import parse, parse_sort
from projections.history_answers import in_positions
from projections.ports import Batch, HistoryQuery

SIZE = 400
WITHOUT_INDEX = {"COLLSCAN"}
EXPLAINED = ("find", "filter", "sort", "hint", "projection", "skip", "limit")


class Commands(CommandListener):
    """Keeps the commands that a client sends."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in {"find", "aggregate"}:
            self.sent.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Nothing to note."""

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to note: the caller raises."""


@pytest.fixture(scope="module")
def filled(mongodb: str) -> Iterator[Mongo]:
    """A small history, of this process alone: another may end its part of these tests first."""
    mongo = Mongo(mongodb, f"test-{uuid4().hex[:12]}")
    made = list(islice(rows(SIZE), SIZE))
    ProjectorDocuments(ReadModels.ensure(mongo)).apply(Batch(made[-1].from_, [], made))
    yield mongo
    mongo.client.drop_database(mongo.name)
    mongo.close()


def stages(plan: Any) -> Iterator[str]:
    """List the names of all stages of a plan, wherever they are."""
    if isinstance(plan, dict):
        if "stage" in plan:
            yield plan["stage"]
        for part in plan.values():
            yield from stages(part)
    elif isinstance(plan, list):
        for part in plan:
            yield from stages(part)


def explained(mongo: Mongo, command: dict[str, Any], verbosity: str) -> dict[str, Any]:
    asked = {key: command[key] for key in command if key in {*EXPLAINED, "aggregate", "pipeline", "cursor"}}
    return mongo.database.command({"explain": asked, "verbosity": verbosity})


def plan_of(mongo: Mongo, command: dict[str, Any]) -> set[str]:
    return set(stages(explained(mongo, command, "queryPlanner")))


def asked(mongo: Mongo, query: HistoryQuery) -> list[dict[str, Any]]:
    """What a page and its second page ask, besides which generation serves."""
    commands = Commands()
    listening = Mongo(mongo.uri, mongo.name)
    listening.client.close()
    listening.client = pymongo.MongoClient(mongo.uri, event_listeners=[commands])
    listening.database = listening.client.get_database(mongo.name)
    history = MongoHistory(ReadModels(listening, 1))
    offset = history.page(query).next
    if offset is not None:
        history.page(HistoryQuery(query.at, query.where, query.sort, offset, query.limit))
    listening.close()
    return [it for it in commands.sent if it.get("find", it.get("aggregate")) == history_name(mongo)]


def history_name(mongo: Mongo) -> str:
    return ReadModels.current(mongo).history.name


def query_of(text: str, sort: str, at: int, limit: int = 5) -> HistoryQuery:
    where = in_positions(parse(text, NAMES), position_at) if text else None
    return HistoryQuery(at, where, parse_sort(sort, NAMES), None, limit)


@pytest.mark.parametrize("is_rare", [False, True])
@pytest.mark.parametrize(("text", "sort"), PUBLISHED)
def test_no_page_reads_a_whole_collection(
    filled: Mongo, monkeypatch: pytest.MonkeyPatch, text: str, sort: str, *, is_rare: bool
) -> None:
    monkeypatch.setattr(pager, "FIRST_LOOK", 10)
    monkeypatch.setattr(MongoRows, "cost", lambda _, scan: 10**6 if scan.in_order == is_rare else 1)
    monkeypatch.setattr(MongoRows, "budget", 10**9)
    head = ReadModels.current(filled).progress()
    sent = [command for at in (head, head // 2) for command in asked(filled, query_of(text, sort, at))]
    plans = [plan_of(filled, command) for command in sent]
    assert plans
    assert [plan for plan in plans if plan & WITHOUT_INDEX] == []
    assert all("IXSCAN" in plan or "COUNT_SCAN" in plan for plan in plans)
    if not is_rare:
        assert [plan for plan in plans if "SORT" in plan] == [], "a scan in order finds rows in order"


def work_of(mongo: Mongo, query: HistoryQuery) -> tuple[int, int]:
    """Index entries and rows that a page reads."""
    commands = [command for command in asked(mongo, query) if "find" in command]
    work = [explained(mongo, command, "executionStats")["executionStats"] for command in commands]
    return sum(one["totalKeysExamined"] for one in work), sum(one["totalDocsExamined"] for one in work)


def test_rows_that_came_after_a_position_are_passed_over_by_the_index_alone(filled: Mongo) -> None:
    """Each of them had once to be read, which made early pages slow that are sorted by a measure."""
    early, limit = ReadModels.current(filled).progress() // 10, 5
    entries, rows_ = work_of(filled, query_of("", "-precision", early, limit))
    assert entries > 10 * limit
    assert rows_ <= 2 * (limit + 1)


@pytest.mark.parametrize(("text", "sort"), [("tag = one", "-recall"), ("precision < 0.195", ""), ("tag = ten", "f1")])
def test_a_rare_condition_is_read_whole_instead_of_a_long_scan(
    filled: Mongo, monkeypatch: pytest.MonkeyPatch, text: str, sort: str
) -> None:
    monkeypatch.setattr(pager, "FIRST_LOOK", 20)
    _, rows_ = work_of(filled, query_of(text, sort, ReadModels.current(filled).progress()))
    assert rows_ <= 2 * (20 + 2 * 10), "of two pages: the first look, then rows that have the value and that lack it"


def test_a_query_without_its_index_is_seen_as_one(filled: Mongo) -> None:
    assert "COLLSCAN" in plan_of(filled, {"find": history_name(filled), "filter": {"body": "x"}})
