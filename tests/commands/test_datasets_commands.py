"""Registering what ingest found, by content; retiring."""

from __future__ import annotations

import pytest

from commands.catalog.register_dataset import RegisterDataset
from commands.catalog.retire_dataset import RetireDataset
from commands.ports import TaskBroken, TaskDone
from commands.training.request_training import RequestTraining
from domain.errors import BadInputError, NotAbleError, NotFoundError
from tests.commands.examples import FLOWER, ingest, sha
from tests.commands.stage import Caller, Stage

FLOWERS = RegisterDataset("flowers", "kind", "two-flowers.csv", licence="CC0", source="a garden")


def test_registers_what_was_found(stage: Stage, ana: Caller) -> None:
    answer = ana.do(FLOWERS)
    assert answer.body == {
        "name": "flowers",
        "version": 1,
        "rows": 100,
        "columns": FLOWER,
        "target": "kind",
        "task": "classification",
        "classes": ["setosa", "virginica"],
        "positive": None,
        "sha256": sha("two-flowers.csv"),
        "licence": "CC0",
        "source": "a garden",
        "reading": None,
        "notes": [],
        "profile": None,
        "new": True,
        "position": stage.store.end()[0],
    }
    assert stage.names("dataset:flowers") == ["dataset-registered"]


def test_tells_the_task_where_and_what(stage: Stage, ana: Caller) -> None:
    ana.do(RegisterDataset("flowers", "kind", "two-flowers.csv", "tsv", gzip=True))
    facts = stage.launcher.child("ingest").spec.facts
    about = {"name": "flowers", "target": "kind", "given": {}}
    assert facts == {"path": "two-flowers.csv", "format": "tsv", "gzip": True, **about}
    assert stage.launcher.free == stage.launcher.slots


def test_a_later_file_is_read_with_the_decisions_of_an_earlier_version(stage: Stage, ana: Caller) -> None:
    reading = {
        "format": "csv", "separator": "!", "encoding": "cp1250", "decimal": ",", "thousands": ".",
        "spellings": {"width": "1.234,5"}, "missing_texts": ["n.d."], "dropped": ["id"], "rows_dropped": 2,
    }  # fmt: skip
    found = ingest({"path": "two-flowers.csv"})
    assert isinstance(found, TaskDone)
    columns = {"length": "number", "width": "number", "kind": "string"}
    more = {"columns": columns, "reading": reading, "positive": "virginica"}
    stage.launcher.scripts["ingest"] = TaskDone(found.facts | more)
    ana.do(FLOWERS)
    ana.do(RegisterDataset("more", None, "more-flowers.csv", given={"types": {"width": "string"}}, like="flowers@1"))
    facts = stage.launcher.of("ingest")[-1].spec.facts
    assert facts["target"] == "kind"
    assert facts["given"] == {
        "types": columns | {"width": "string"},
        "columns": ["length", "width", "kind"],
        "spellings": {"length": "1234.5"},
        "decimal": ",",
        "thousands": ".",
        "missing": ["n.d."],
        "dayfirst": False,
        "drop": ["id"],
        "drop_missing_target": True,
        "task": "classification",
        "earlier": {"separator": "!", "encoding": "cp1250", "sheet": None, "positive": "virginica"},
    }
    assert ana.do(RegisterDataset("flowers", None, "two-flowers.csv", like="flowers")).body["new"] is False


def test_answers_with_what_to_look_at(stage: Stage, ana: Caller) -> None:
    found = ingest({"path": "two-flowers.csv"})
    assert isinstance(found, TaskDone)
    suspect = {"kind": "id", "columns": ["kind"], "reason": "has 100 different values", "remedy": "autolearn train"}
    profile = {"blob": {"sha256": "ab" * 32, "size": 9}, "suspects": [suspect], "suspects_found": 1}
    stage.launcher.scripts["ingest"] = TaskDone(found.facts | {"profile": profile})
    assert ana.do(FLOWERS).body["profile"] == profile


def test_the_column_to_predict_must_be_named(stage: Stage, ana: Caller) -> None:
    with stage.refused(BadInputError, "Name the column to predict"):
        ana.do(RegisterDataset("flowers", None, "two-flowers.csv"))
    with stage.refused(NotFoundError, "no version '2'"):
        ana.do(RegisterDataset("flowers", None, "two-flowers.csv", like="iris@2"))


def test_same_content_makes_no_event(stage: Stage, ana: Caller) -> None:
    first = ana.do(FLOWERS)
    head = stage.store.end()
    again = ana.do(FLOWERS)
    assert stage.store.end() == head
    assert again.body == first.body | {"new": False}
    assert again.position == head[0]


def test_other_content_is_version_2(ana: Caller) -> None:
    ana.do(FLOWERS)
    body = ana.do(RegisterDataset("flowers", "kind", "more-flowers.csv")).body
    assert (body["version"], body["rows"], body["new"]) == (2, 300, True)


def test_a_repeat_is_answered_as_of_then(stage: Stage, ana: Caller) -> None:
    first = ana.do(FLOWERS, key="f")
    ana.do(RegisterDataset("flowers", "kind", "more-flowers.csv"))
    ana.do(RetireDataset("flowers"))
    assert ana.do(FLOWERS, key="f") == first
    assert len(stage.launcher.of("ingest")) == 2


@pytest.mark.parametrize("reason", ["bad-input", "memory-limit", "deadline"])
def test_what_is_wrong_with_the_file_is_bad_input(stage: Stage, ana: Caller, reason: str) -> None:
    stage.launcher.scripts["ingest"] = TaskBroken(reason, "The file has ragged lines: line 7 has 3 values.")
    with stage.refused(BadInputError, "line 7", reason=reason):
        ana.do(FLOWERS)


@pytest.mark.parametrize("reason", ["crashed", "error", "cancelled"])
def test_what_is_wrong_here_is_not_the_callers(stage: Stage, ana: Caller, reason: str) -> None:
    stage.launcher.scripts["ingest"] = TaskBroken(reason, "It died.")
    with stage.refused(NotAbleError, "could not be ingested: It died."):
        ana.do(FLOWERS)


def test_a_call_whose_task_was_killed_can_be_repeated(stage: Stage, ana: Caller) -> None:
    """Nothing of it is in the log, so nobody else starts it again."""
    stage.launcher.scripts["ingest"] = TaskBroken("killed", "Its process was killed.")
    with stage.refused(NotAbleError, "could not be ingested: Its process was killed. Repeat the call."):
        ana.do(FLOWERS)


def test_a_wrong_name_starts_no_ingest(stage: Stage, ana: Caller) -> None:
    with stage.refused(BadInputError, "is not a name"):
        ana.do(RegisterDataset("My Flowers", "kind", "two-flowers.csv"))
    assert stage.launcher.children == []


def test_retires(stage: Stage, ana: Caller) -> None:
    answer = ana.do(RetireDataset("iris"))
    assert answer.body == {"name": "iris", "retired": True, "position": stage.store.end()[0]}
    with stage.refused(NotFoundError, "The data set 'iris' is retired"):
        ana.do(RequestTraining("iris", "svm"))


def test_retires_nothing_unknown_or_retired(stage: Stage, ana: Caller) -> None:
    with stage.refused(NotFoundError, "Nearest: wine", nearest=["wine"]):
        ana.do(RetireDataset("wines"))
    ana.do(RetireDataset("wine"))
    with stage.refused(NotFoundError, "The data set 'wine' is retired"):
        ana.do(RetireDataset("wine"))


def test_registering_again_brings_it_back(ana: Caller) -> None:
    ana.do(FLOWERS)
    ana.do(RetireDataset("flowers"))
    assert ana.do(FLOWERS).body["version"] == 2
    assert ana.train("flowers")
