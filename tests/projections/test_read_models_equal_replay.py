"""Promise 3: read models equal a replay of the log, at every position, and answer what commands answer."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.files.spill_table import SqliteSpillTable
from commands.answers import status_of, status_of_evaluation, status_of_reproduction
from commands.task_owners import load_owner
from commands.unit_of_work import load
from domain.experiment import Experiment
from domain.search import Search
from domain.task_status import task_status
from projections import experiment, tasks
from projections.jsonable import to_jsonable
from projections.rebuild import rebuild
from projections.replay import replay
from projections.verification.read_models import Fingerprints, LoggedVersions, StoredVersions
from tests.projections.random_life import Step, live, lives
from tests.projections.world import World


@given(life=lives)
@settings(max_examples=40)
def test_at_every_position(life: list[Step]) -> None:
    world = World()
    live(world, life)
    for position in [0, *world.commits]:
        *_, answer = replay(world.inspected(), position)
        assert answer["differences"] == []
        assert answer["matches_read_models"] is True
    world.close()


@given(life=lives)
@settings(max_examples=20)
def test_every_stream_by_itself(life: list[Step]) -> None:
    world = World()
    live(world, life)
    for position in world.commits[::7] + world.commits[-1:]:
        for stream in world.store.streams("", 100):
            if world.feed.of_stream(stream, position):
                *_, answer = replay(world.inspected(), position, stream)
                assert answer["differences"] == []
                assert answer["state"] is not None
    world.close()


@given(life=lives)
@settings(max_examples=40)
def test_documents_answer_what_commands_answer(life: list[Step]) -> None:
    world = World()
    live(world, life)
    for position in world.commits[::3] + world.commits[-1:]:
        for name in world.experiments:
            aggregate = load(world.store, Experiment, f"experiment:{name}", position)
            document = world.documents.get(experiment.KIND, name, position)
            assert (document is not None) == aggregate.exists
            if document is not None:
                assert task_status("training", document.body) == to_jsonable(status_of(aggregate))
                _check_follow_ups(world, aggregate, position)
        for stream in world.store.streams("search:", 100):
            _check_search(world, load(world.store, Search, stream, position), position)
    world.close()


def _check_search(world: World, aggregate: Search, position: int) -> None:
    document = world.documents.get("search", aggregate.name, position)
    assert (document is not None) == aggregate.exists
    if document is not None:
        expected = task_status("search", aggregate.asked.facts | aggregate.progress)
        assert task_status("search", document.body) == to_jsonable(expected)
    for task in aggregate.trials:
        trial = world.documents.get("trial", task, position)
        assert trial is not None
        assert trial.body["state"] == aggregate.tasks[task].state


def _check_follow_ups(world: World, aggregate: Experiment, position: int) -> None:
    answers = {"evaluation": status_of_evaluation, "reproduction": status_of_reproduction}
    for task in aggregate.tasks.values():
        if task.kind in answers:
            document = world.documents.get(task.kind, task.id, position)
            assert document is not None
            assert task_status(task.kind, document.body) == to_jsonable(answers[task.kind](aggregate, task))


@given(life=lives)
@settings(max_examples=40)
def test_what_is_unfinished_is_what_aggregates_say(life: list[Step]) -> None:
    world = World()
    live(world, life)
    streams = [*world.store.streams("experiment:", 100), *world.store.streams("search:", 100)]
    expected = {task.id for stream in streams for task in load_owner(world.store, stream).unfinished_tasks()}
    assert set(tasks.UnfinishedTasks(world.documents, world.feed).list_unfinished(1)) == expected
    for name in world.experiments:
        document = world.documents.get(experiment.KIND, name)
        assert document is not None
        assert set(document.body["open"]) == {task.id for task in world.experiment(name).unfinished_tasks()}
    world.close()


@given(life=lives)
@settings(max_examples=25)
def test_all_versions_equal_after_a_rebuild(life: list[Step]) -> None:
    world, read = World(), ReadDatabase(":memory:")
    live(world, life)
    fresh = World(log=world.log, read=read)
    head = world.feed.end()[0]
    for _ in rebuild(world.feed, SqliteDocuments(read), head):
        pass
    logged = Fingerprints()
    with SqliteSpillTable() as spill:
        for _ in LoggedVersions(world.feed, head, spill).run(logged.add):
            pass
    assert logged.unlike(Fingerprints(StoredVersions(world.documents, world.history, head))) == set()
    assert logged.unlike(Fingerprints(StoredVersions(fresh.documents, fresh.history, head))) == set()
    world.close()
    read.close()


@given(life=lives)
@settings(max_examples=25)
def test_what_is_put_aside_changes_nothing(life: list[Step]) -> None:
    world = World()
    live(world, life)
    head = world.feed.end()[0]
    *_, at_once = replay(world.inspected(), head)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("projections.verification.read_models.KEPT", 2)
        patch.setattr("projections.verification.read_models.BATCH", 5)
        *_, by_and_by = replay(world.inspected(), head)
        logged = Fingerprints()
        with SqliteSpillTable() as spill:
            for _ in LoggedVersions(world.feed, head, spill).run(logged.add):
                pass
    assert by_and_by == at_once
    assert by_and_by["differences"] == []
    assert logged.unlike(Fingerprints(StoredVersions(world.documents, world.history, head))) == set()
    world.close()
