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
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.history import walk
from benchmarks.history import NAMES, PUBLISHED, rows
from projections.filters.filter import parse, parse_sort
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
    ProjectorDocuments(ReadModels.ensured(mongo)).apply(Batch(made[-1].from_, [], made))
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
    mark = history.page(query).next
    if mark is not None:
        history.page(HistoryQuery(query.at, query.where, query.sort, mark, query.limit))
    listening.close()
    return commands.sent


@pytest.mark.parametrize("way", ["walk", "rare lead"])
@pytest.mark.parametrize(("text", "sort"), PUBLISHED)
def test_no_page_reads_a_whole_collection(
    filled: Mongo, monkeypatch: pytest.MonkeyPatch, text: str, sort: str, way: str
) -> None:
    monkeypatch.setattr(walk, "FIRST_PIECE", 0)
    if way == "rare lead":
        monkeypatch.setattr(walk.Walk, "cost", lambda _: 1e9)
    head = ReadModels.current(filled).progress()
    sent = []
    for at in (head, head // 2):
        query = HistoryQuery(at, parse(text, NAMES) if text else None, parse_sort(sort, NAMES), None, 5)
        sent.extend(asked(filled, query))
    plans = [plan_of(filled, command) for command in sent]
    assert plans
    assert [plan for plan in plans if plan & WITHOUT_INDEX] == []
    assert all("IXSCAN" in plan or "COUNT_SCAN" in plan for plan in plans)
    if way == "walk":
        assert [plan for plan in plans if "SORT" in plan] == [], "a walk finds rows in order"


def test_rows_that_came_after_a_position_are_passed_over_by_the_index_alone(filled: Mongo) -> None:
    """Each of them had once to be read, which made early pages slow that are sorted by a measure."""
    early, limit = ReadModels.current(filled).progress() // 10, 5
    sent = asked(filled, HistoryQuery(early, None, parse_sort("-precision", NAMES), None, limit))
    work = [explained(filled, command, "executionStats")["executionStats"] for command in sent if "find" in command]
    assert sum(one["totalKeysExamined"] for one in work) > 10 * limit
    assert sum(one["totalDocsExamined"] for one in work) <= 2 * (limit + 1)


def test_a_query_without_its_index_is_seen_as_one(filled: Mongo) -> None:
    name = ReadModels.current(filled).history.name
    assert "COLLSCAN" in plan_of(filled, {"find": name, "filter": {"body": "x"}})
