"""Training: the request, its session, the seed, the slot, and all that may be wrong with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from commands.catalog.register_dataset import RegisterDataset
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import StoredAppend, TaskDone
from commands.storage.request_reproduction import RequestReproduction
from commands.training.request_training import RequestTraining
from domain.errors import BadInputError, BadSettingError, ConflictError, NotFoundError
from tests.commands.examples import ingest, sha
from tests.commands.launcher import MOST_MEMORY, broken
from tests.commands.stage import Caller, Stage

IRIS = RequestTraining("iris", "logistic-regression", {"C": 10}, seed=7)


def test_trains_while_the_caller_waits(stage: Stage, ana: Caller) -> None:
    answer = ana.do(IRIS)
    body = answer.body
    assert answer.pending is None
    assert body["state"] == "completed"
    assert (body["session"], body["standing"], body["seed"], body["test_size"]) == ("ana-1", "uncommitted", 7, 0.25)
    assert body["settings"] == {"C": 10, "max_iter": 100, "solver": "lbfgs", "fit_intercept": True}
    assert body["model"] == {"name": "logistic-regression", "version": "1.7.0"}
    assert body["dataset"].keys() == {"name", "version", "sha256"}
    assert body["learned"] == {"coefficients": [0.5, 1.5]}
    assert body["fit_seconds"] == 0.01
    assert body["error"] is None
    assert (answer.position, answer.head) == (stage.store.end()[0], stage.store.end()[1].hex())
    assert body["position"] == answer.position


def test_the_log_is_not_asked_for_what_was_just_appended(
    stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = stage.store.find_append
    asked: list[UUID] = []

    def finding(append_id: UUID) -> StoredAppend | None:
        asked.append(append_id)
        return find(append_id)

    monkeypatch.setattr(stage.store, "find_append", finding)
    ana.do(IRIS)
    assert len(asked) == 1, "whether the command ran before, and no more"


def test_appends_the_request_and_its_start_together(stage: Stage, ana: Caller) -> None:
    before = stage.store.end()[0]
    name = ana.train()
    recorded = stage.feed.after(before, 100)
    assert [it.event.NAME for it in recorded] == [
        "session-opened.v1",
        "experiment-added.v1",
        "training-requested.v2",
        "training-started.v1",
        "training-completed.v1",
    ]
    assert [it.commit - before for it in recorded] == [4, 4, 4, 4, 5]
    metadata = [it.event.metadata for it in recorded]
    assert {(it.actor, it.correlation) for it in metadata} == {("ana", metadata[0].correlation)}
    assert {it.causation for it in metadata} == {metadata[0].causation}
    assert metadata[0].causation.startswith("command:")
    assert stage.names(f"experiment:{name}")[0] == "training-requested"


def test_tells_the_task_all_it_needs(stage: Stage, ana: Caller) -> None:
    body = ana.do(IRIS).body
    facts = stage.launcher.child("fit").spec.facts
    assert facts == {
        "experiment": body["experiment"],
        "model": {"name": "logistic-regression", "version": "1.7.0", "distribution": "scikit-learn"},
        "settings": body["settings"],
        "seed": 7,
        "test_size": 0.25,
        "split": {"method": "random", "column": None, "dataset": None},
        "preparation": 1,
        "dataset": body["dataset"],
        "target": "kind",
        "positive": None,
        "columns": None,
        "learning_task": "classification",
    }


@pytest.mark.parametrize(
    ("chosen", "target", "columns"),
    [
        ({}, "kind", None),
        ({"only": ("width", "length")}, "kind", None),
        ({"only": ("width",)}, "kind", ["width"]),
        ({"drop": ("width",)}, "kind", ["length"]),
        ({"target": "width"}, "width", None),
        ({"target": "width", "drop": ("kind",)}, "width", ["length"]),
    ],
)
def test_columns_and_target_are_recorded_and_told_to_the_task(
    stage: Stage, ana: Caller, chosen: dict[str, Any], target: str, columns: list[str] | None
) -> None:
    body = ana.do(replace(IRIS, **chosen)).body
    assert (body["target"], body["columns"]) == (target, columns)
    facts = stage.launcher.child("fit").spec.facts
    assert (facts["target"], facts["columns"]) == (target, None if columns is None else tuple(columns))
    request = stage.experiment(body["experiment"]).training
    assert (request.target, request.columns) == (target, facts["columns"])


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"only": ("lenght",)}, "Data set 'iris' has no column 'lenght'. Nearest: length."),
        ({"drop": ("x",)}, "no column 'x'. It has length, width, kind."),
        ({"target": "kin"}, "no column 'kin'. Nearest: kind."),
        ({"only": ("",)}, "Data set 'iris' has no column ''."),
        ({"only": ("length", "kind")}, "'kind' is the target"),
        ({"drop": ("kind",)}, "'kind' is the target"),
        ({"drop": ("length", "width")}, "No column would be left to learn from: keep at least one of length, width."),
        ({"only": ("length",), "drop": ("width",)}, "not both"),
    ],
)
def test_columns_that_cannot_be_are_refused_and_change_nothing(
    stage: Stage, ana: Caller, chosen: dict[str, Any], sentence: str
) -> None:
    with stage.refused(BadInputError, sentence):
        ana.do(replace(IRIS, **chosen))


def test_the_next_training_joins_the_session(stage: Stage, ana: Caller, bo: Caller) -> None:
    names = [ana.train(), ana.train()]
    assert stage.names("session:ana:1") == ["session-opened", "experiment-added", "experiment-added"]
    assert stage.experiment(names[0]).training.session == stage.experiment(names[1]).training.session == "ana-1"
    assert bo.do(IRIS).body["session"] == "bo-1"


def test_without_a_free_slot_it_waits_in_the_log(stage: Stage, ana: Caller) -> None:
    while stage.launcher.take_slot():
        pass
    answer = ana.do(IRIS)
    assert answer.pending == answer.body["experiment"]
    assert answer.body["state"] == "requested"
    assert stage.launcher.children == []
    stage.launcher.free = stage.launcher.slots


def test_a_caller_who_does_not_wait_takes_no_slot(stage: Stage, ana: Caller) -> None:
    answer = ana.do(IRIS, wait=0)
    assert (answer.body["state"], answer.pending) == ("requested", answer.body["experiment"])
    assert stage.launcher.free == stage.launcher.slots
    assert stage.launcher.children == []


def test_a_caller_whose_time_is_over_is_told_what_is_pending(stage: Stage, ana: Caller) -> None:
    name = ana.begin_training()
    again = ana.do(IRIS, wait=1e-9)
    assert (again.body["state"], again.pending) == ("started", again.body["experiment"])
    assert stage.experiment(name).training_state == "started"


def test_a_broken_task_is_a_failed_training(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["fit"] = broken("memory-limit", "It took more than 2 GiB.")
    answer = ana.do(IRIS)
    assert (answer.body["state"], answer.pending) == ("failed", None)
    assert answer.body["error"] == {"reason": "memory-limit", "detail": "It took more than 2 GiB."}
    assert answer.body["learned"] is None


def test_the_seed_is_that_of_the_data_sets_content(ana: Caller, bo: Caller) -> None:
    for file in ("two-flowers.csv", "more-flowers.csv"):
        ana.do(RegisterDataset("flowers", "kind", file))
    trainings = [(ana, "flowers@1", "svm"), (bo, "flowers@1", "logistic-regression"), (bo, "flowers@2", "svm")]
    seeds = [caller.do(RequestTraining(name, model)).body["seed"] for caller, name, model in trainings]
    assert seeds[0] == seeds[1] != seeds[2]
    assert seeds == [int(sha(file)[:8], 16) // 2 for file in ("two-flowers.csv", "two-flowers.csv", "more-flowers.csv")]
    assert ana.do(RequestTraining("flowers@1", "svm", seed=8)).body["seed"] == 8


@pytest.mark.parametrize(
    ("chosen", "split", "columns"),
    [
        ({}, "random", None),
        ({"split": "group:width"}, "group:width", ["length"]),
        ({"split": "group:width", "only": ("length", "width")}, "group:width", None),
        ({"split": "time:length"}, "time:length", None),
        ({"split": "time:length", "drop": ("length",)}, "time:length", ["width"]),
        ({"split": "dataset:more-flowers"}, "dataset:more-flowers@1", None),
        ({"split": "dataset:others", "only": ("length",), "target": "width"}, "dataset:others@1", ["length"]),
    ],
)
def test_a_split_is_recorded_and_told_to_the_task(
    stage: Stage, ana: Caller, chosen: dict[str, Any], split: str, columns: list[str] | None
) -> None:
    ana.do(RegisterDataset("more-flowers", "kind", "more-flowers.csv"))
    ana.do(RegisterDataset("others", "species", "other-target.csv"))
    body = ana.do(replace(IRIS, **chosen)).body
    rows = {"train_rows": 112, "test_rows": 38, "sha256": sha("7")}
    assert (body["split"], body["columns"]) == ({"request": split, **rows}, columns)
    asked = stage.experiment(body["experiment"]).training.split
    assert str(asked) == split
    assert [child.spec.facts["split"] for child in stage.launcher.of("fit")] == [asked.model_dump()]


def test_a_column_may_be_called_as_a_split_is(ana: Caller) -> None:
    ana.do(RegisterDataset("noise", "kind", "noise.csv"))
    assert ana.do(RequestTraining("noise", "svm")).body["columns"] is None
    assert ana.do(RequestTraining("noise", "svm", split="group:random")).body["columns"] == ["length", "width"]


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"split": "stratified"}, "one of random, group:COLUMN, time:COLUMN, dataset:NAME."),
        ({"split": "random:7"}, "'random:7' is not known"),
        ({"split": "group:"}, "'group:' is not known"),
        ({"split": "group:lenght"}, "no column 'lenght'. Nearest: length."),
        ({"split": "group:kind"}, "'kind' is the target"),
        ({"split": "time:kind", "target": "width"}, "Column 'kind' is string: a split by time needs times or numbers."),
        ({"split": "group:length", "drop": ("width",)}, "No column would be left"),
        ({"split": "dataset:iris"}, "'iris' is what is learned from"),
        ({"split": "dataset:others"}, "'others' has no column 'kind'"),
        ({"split": "dataset:iris", "dataset": "two"}, "'iris' has classes that 'two' has not: versicolor."),
        ({"split": "dataset:others", "target": "length"}, "lacks columns that the model was trained on: kind."),
    ],
)
def test_a_split_that_cannot_be_is_refused_and_changes_nothing(
    stage: Stage, ana: Caller, chosen: dict[str, Any], sentence: str
) -> None:
    ana.do(RegisterDataset("others", "species", "other-target.csv"))
    ana.do(RegisterDataset("two", "kind", "two-flowers.csv"))
    with stage.refused(BadInputError, sentence):
        ana.do(replace(IRIS, **chosen))


def test_a_column_that_the_profile_calls_constant_splits_nothing(stage: Stage, ana: Caller) -> None:
    found = ingest({"path": "two-flowers.csv"})
    assert isinstance(found, TaskDone)
    suspect = {"kind": "constant", "columns": ["width"], "reason": "It has one value only: 1.", "remedy": "…"}
    profile = {"blob": {"sha256": "a" * 64, "size": 1}, "suspects": [suspect], "suspects_found": 1}
    stage.launcher.scripts["ingest"] = TaskDone(found.facts | {"profile": profile})
    ana.do(RegisterDataset("wide", "kind", "two-flowers.csv"))
    for method in ("group", "time"):
        with stage.refused(BadInputError, f"'width' has one value only: a split by {method} needs at least two."):
            ana.do(RequestTraining("wide", "svm", split=f"{method}:width"))


def test_the_data_set_of_a_split_is_on_offer(stage: Stage, ana: Caller) -> None:
    with stage.refused(NotFoundError, "no data set 'irsi'. Nearest: iris"):
        ana.do(replace(IRIS, split="dataset:irsi"))
    with stage.refused(NotFoundError, "there is version 1"):
        ana.do(replace(IRIS, split="dataset:wine@2"))


def test_limits_of_a_training_hold_for_all_its_tasks(stage: Stage, ana: Caller) -> None:
    body = ana.do(replace(IRIS, memory=1 << 30, deadline=12.5)).body
    assert (body["memory"], body["deadline"]) == (1 << 30, 12.5)
    ana.do(RequestEvaluation(body["experiment"]))
    ana.do(RequestReproduction(body["experiment"]))
    limits = [(it.spec.kind, it.spec.memory, it.spec.deadline) for it in stage.launcher.children if it.spec.memory]
    assert limits == [(kind, 1 << 30, 12.5) for kind in ("fit", "score", "reproduce")]


@pytest.mark.parametrize(
    ("command", "part", "nearest"),
    [
        (RequestTraining("irsi", "svm"), "no data set 'irsi'. Nearest: iris", ["iris"]),
        (RequestTraining("iris", "logistic"), "no model 'logistic'", ["logistic-regression"]),
        (RequestTraining("iris", "logistic-regression", {"max_itr": 3}), "no setting 'max_itr'", ["max_iter"]),
        (RequestTraining("qqqq", "svm"), "no data set 'qqqq': `autolearn catalog datasets`", []),
        (RequestTraining("a:b", "svm"), "no data set 'a:b': `autolearn catalog datasets`", []),
    ],
)
def test_what_is_unknown_is_named_with_the_nearest(
    stage: Stage, ana: Caller, command: RequestTraining, part: str, nearest: list[str]
) -> None:
    with stage.refused(NotFoundError, part, nearest=nearest):
        ana.do(command)
    assert stage.events("session:ana:1") == []


def test_a_setting_unlike_any_is_refused_with_all_settings(stage: Stage, ana: Caller) -> None:
    every = ["C", "fit_intercept", "max_iter", "solver"]
    with stage.refused(NotFoundError, "only C, fit_intercept, max_iter, solver.", nearest=[], allowed=every):
        ana.do(RequestTraining("iris", "logistic-regression", {"qqqqqqqq": 3}))


@pytest.mark.parametrize(
    ("settings", "allowed"),
    [
        ({"C": 0}, "a number > 0"),
        ({"C": "1"}, "a number > 0"),
        ({"C": float("nan")}, "a number > 0"),
        ({"max_iter": 1.0}, "an integer >= 0"),
        ({"max_iter": True}, "an integer >= 0"),
        ({"solver": "sag"}, "one of lbfgs, newton-cg"),
        ({"solver": None}, "one of lbfgs, newton-cg"),
        ({"fit_intercept": 1}, "a boolean"),
        ({"C": 1, "fit_intercept": []}, "a boolean"),
    ],
)
def test_a_wrong_value_is_told_what_is_allowed(
    stage: Stage, ana: Caller, settings: dict[str, Any], allowed: str
) -> None:
    with stage.refused(BadSettingError, f"not allowed: {allowed}.", setting=list(settings)[-1], allowed=allowed):
        ana.do(RequestTraining("iris", "logistic-regression", settings))


@pytest.mark.parametrize(
    ("wrong", "allowed"),
    [
        ({"test_size": 0}, "a number > 0 and < 1"),
        ({"test_size": 1}, "a number > 0 and < 1"),
        ({"test_size": "0.5"}, "a number > 0 and < 1"),
        ({"seed": -1}, "an integer >= 0 and <= 4294967295"),
        ({"seed": 2**32}, "an integer >= 0 and <= 4294967295"),
        ({"seed": 1.5}, "an integer >= 0 and <= 4294967295"),
        ({"memory": 1024}, f"an integer >= 67108864 and <= {MOST_MEMORY}"),
        ({"memory": MOST_MEMORY + 1}, f"an integer >= 67108864 and <= {MOST_MEMORY}"),
        ({"deadline": 0.5}, "a number >= 1 and <= 604800"),
        ({"deadline": 604801}, "a number >= 1 and <= 604800"),
    ],
)
def test_split_and_seed_are_checked_too(stage: Stage, ana: Caller, wrong: dict[str, Any], allowed: str) -> None:
    with stage.refused(BadSettingError, setting=next(iter(wrong)), allowed=allowed):
        ana.do(RequestTraining("iris", "svm", **wrong))


def test_no_more_than_500_in_a_session(stage: Stage, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.session.MAX_EXPERIMENTS_OF_A_SESSION", 2)
    ana.train()
    ana.train()
    with stage.refused(ConflictError, "at most 2 experiments"):
        ana.train()


def test_a_version_of_a_data_set_can_be_named(ana: Caller) -> None:
    for file in ("two-flowers.csv", "more-flowers.csv"):
        ana.do(RegisterDataset("flowers", "kind", file))
    trained = [ana.do(RequestTraining(name, "svm")).body["dataset"] for name in ("flowers", "flowers@1", "flowers@2")]
    assert [(it["name"], it["version"]) for it in trained] == [("flowers", 2), ("flowers", 1), ("flowers", 2)]
    assert trained[1]["sha256"] == sha("two-flowers.csv")


@pytest.mark.parametrize("name", ["iris@2", "iris@0", "iris@01", "iris@x"])
def test_a_version_that_is_not_there(stage: Stage, ana: Caller, name: str) -> None:
    with stage.refused(NotFoundError, "there is version 1", nearest=["iris@1"]):
        ana.do(RequestTraining(name, "svm"))
