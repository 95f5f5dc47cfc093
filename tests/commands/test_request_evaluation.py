"""Evaluating: which experiment, which measures with which averaging, on which data."""

from __future__ import annotations

from typing import Any

import pytest

from commands.catalog.register_dataset import RegisterDataset
from commands.catalog.retire_dataset import RetireDataset
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from commands.training.request_training import RequestTraining
from domain.errors import BadInputError, BadSettingError, ConflictError, NotFoundError
from domain.values import NOTHING_MEASURED
from tests.commands.launcher import broken
from tests.commands.stage import Caller, Stage


def register(admin: Caller, name: str, file: str, target: str = "kind") -> None:
    admin.do(RegisterDataset(name, target, file))


def test_the_newest_of_the_session_with_the_default_measures(stage: Stage, ana: Caller) -> None:
    ana.train()
    name = ana.train()
    answer = ana.do(RequestEvaluation())
    assert answer.body == {
        "evaluation": f"{name}-e1",
        "experiment": name,
        "state": "completed",
        **NOTHING_MEASURED,
        "measures": dict.fromkeys(("precision:macro", "recall:macro", "accuracy"), 0.9),
        "on": None,
        "error": None,
        "position": stage.store.end()[0],
    }
    assert answer.pending is None
    assert stage.experiment(name).measured["measures"] == answer.body["measures"]


def test_the_newest_is_one_whose_training_did_not_fail(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["fit"] = broken("memory-limit")
    failed = ana.train()
    assert stage.experiment(failed).training_state == "failed"
    assert ana.do(RequestEvaluation()).body["experiment"] == name
    ana.do(DiscardSession())
    failed = ana.train()
    with stage.refused(ConflictError, f"Experiment {failed} cannot be evaluated"):
        ana.do(RequestEvaluation())


@pytest.mark.parametrize(
    ("measures", "average", "values"),
    [
        (("precision",), "weighted", {"precision:weighted"}),
        (("precision:micro", "recall"), "weighted", {"precision:micro", "recall:weighted"}),
        (("accuracy",), None, {"accuracy"}),
        (("accuracy", "recall"), "micro", {"accuracy", "recall:micro"}),
        (("recall", "recall:macro"), None, {"recall:macro"}),
    ],
)
def test_measures_have_explicit_identities(
    ana: Caller, measures: tuple[str, ...], average: str | None, values: set[str]
) -> None:
    ana.train()
    assert ana.do(RequestEvaluation(None, measures, average)).body["measures"].keys() == values


def test_asking_for_one_twice_computes_it_once(stage: Stage, ana: Caller) -> None:
    ana.train()
    ana.do(RequestEvaluation(None, ("recall", "recall:macro")))
    assert stage.launcher.child("score").spec.facts["measures"] == [{"name": "recall", "average": "macro"}]


def test_tells_the_task_all_it_needs(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    ana.do(RequestEvaluation(None, ("accuracy",)))
    facts, fit = stage.launcher.child("score").spec.facts, stage.launcher.child("fit").spec.facts
    result = stage.experiment(name).result
    assert result is not None
    more = {"model_blob": result.model_blob.sha256, "on": None, "measures": [{"name": "accuracy", "average": None}]}
    assert facts == fit | more | {
        "evaluation": f"{name}-e1",
        "folds": None,
        "threshold": None,
        "by": None,
        "importance": False,
    }


def test_tells_the_task_how_to_evaluate(stage: Stage, ana: Caller) -> None:
    ana.train("breast-cancer")
    ana.do(RequestEvaluation(cv=5, repeats=3, threshold=0.3, positive="malignant", by="radius"))
    facts = stage.launcher.child("score").spec.facts
    assert facts["folds"] == {"kind": "kfold", "k": 5, "repeats": 3}
    assert [facts[key] for key in ("threshold", "positive", "by")] == [0.3, "malignant", "radius"]
    ana.do(RequestEvaluation(importance=True))
    assert stage.launcher.of("score")[-1].spec.facts["importance"] is True
    ana.do(RequestEvaluation(cv="loo"))
    assert stage.launcher.of("score")[-1].spec.facts["folds"] == {"kind": "loo", "k": None, "repeats": 1}


def refusal_of(dataset: str, sentence: str, **options: Any) -> Any:
    return pytest.param(dataset, options, sentence, id=sentence)


@pytest.mark.parametrize(
    ("dataset", "options", "sentence"),
    [
        refusal_of("iris", "A positive class is one of two, and the data has 3", positive="setosa"),
        refusal_of(
            "breast-cancer", "positive = 'bad' is no class of the target: one of benign, malignant.", positive="bad"
        ),
        refusal_of("breast-cancer", "There is no column 'radios' to slice by. Nearest: radius.", by="radios"),
        refusal_of("breast-cancer", "'kind' is the target: each slice would have one class.", by="kind"),
        refusal_of("iris", "leave out cv, or importance", importance=True, cv=5),
    ],
)
def test_a_positive_class_and_slices_must_be_there(
    stage: Stage, ana: Caller, dataset: str, options: dict[str, Any], sentence: str
) -> None:
    ana.train(dataset)
    with stage.refused(BadSettingError if "is no class" in sentence else BadInputError, sentence):
        ana.do(RequestEvaluation(**options))


@pytest.mark.parametrize("dataset", ["breast-cancer", "iris"])
def test_binary_needs_two_classes(stage: Stage, ana: Caller, dataset: str) -> None:
    ana.train(dataset)
    if dataset == "breast-cancer":
        assert ana.do(RequestEvaluation(average="binary")).body["measures"].keys() == {
            "precision:binary",
            "recall:binary",
            "accuracy",
        }
        return
    for command in (RequestEvaluation(average="binary"), RequestEvaluation(measures=("recall:binary",))):
        with stage.refused(BadSettingError, "two classes, the data has 3", setting="average"):
            ana.do(command)


def test_on_another_data_set(stage: Stage, ana: Caller, admin: Caller) -> None:
    register(admin, "more-flowers", "more-flowers.csv")
    register(admin, "flowers", "two-flowers.csv")
    ana.train("flowers")
    body = ana.do(RequestEvaluation(measures=("recall",), on="more-flowers")).body
    assert body["measures"] == {"recall:macro@more-flowers": 0.9}
    assert body["on"] == {"name": "more-flowers", "version": 1, "sha256": body["on"]["sha256"]}
    assert stage.launcher.child("score").spec.facts["on"] == body["on"]


def test_on_a_version_of_a_data_set(ana: Caller, admin: Caller) -> None:
    for file in ("two-flowers.csv", "more-flowers.csv"):
        register(admin, "flowers", file)
    ana.train("flowers")
    found = [ana.do(RequestEvaluation(measures=("recall",), on=on)).body["on"] for on in ("flowers", "flowers@1")]
    assert [(it["name"], it["version"]) for it in found] == [("flowers", 2), ("flowers", 1)]


def test_on_a_data_set_without_the_target(stage: Stage, ana: Caller, admin: Caller) -> None:
    register(admin, "flowers", "more-flowers.csv")
    register(admin, "species", "other-target.csv", "species")
    ana.train("flowers")
    with stage.refused(BadInputError, "'species' has no column 'kind', which the model predicts", missing=["kind"]):
        ana.do(RequestEvaluation(on="species"))


def test_the_target_is_the_trainings_own_column(ana: Caller, admin: Caller) -> None:
    register(admin, "flowers", "more-flowers.csv")
    register(admin, "widths", "two-flowers.csv", "width")
    ana.train("flowers")
    body = ana.do(RequestEvaluation(measures=("recall",), on="widths")).body
    assert body["measures"] == {"recall:macro@widths": 0.9}


def test_on_a_data_set_without_the_columns(stage: Stage, ana: Caller, admin: Caller) -> None:
    register(admin, "flowers", "two-flowers.csv")
    ana.train("flowers")
    with stage.refused(BadInputError, "'wine' lacks columns", missing=["length", "width"]):
        ana.do(RequestEvaluation(on="wine"))


def test_of_a_training_whose_data_set_is_retired(ana: Caller, admin: Caller) -> None:
    ana.train()
    admin.do(RetireDataset("iris"))
    assert ana.do(RequestEvaluation()).body["state"] == "completed"


def test_of_a_foreign_committed_one(ana: Caller, bo: Caller) -> None:
    name = ana.train()
    ana.do(CommitSession())
    body = bo.do(RequestEvaluation(name[:5])).body
    assert (body["experiment"], body["state"]) == (name, "completed")


def test_a_second_one_is_numbered_on(ana: Caller) -> None:
    name = ana.train()
    ana.do(RequestEvaluation())
    assert ana.do(RequestEvaluation()).body["evaluation"] == f"{name}-e2"


def test_a_broken_task_is_a_failed_evaluation(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    stage.launcher.scripts["score"] = broken("deadline", "It took more than 600 s.")
    body = ana.do(RequestEvaluation()).body
    assert (body["state"], body["measures"]) == ("failed", {})
    assert body["error"] == {"reason": "deadline", "detail": "It took more than 600 s."}
    assert stage.experiment(name).training_state == "completed"


def test_without_waiting(stage: Stage, ana: Caller) -> None:
    name = ana.train()
    answer = ana.do(RequestEvaluation(), wait=0)
    assert (answer.pending, answer.body["state"]) == (f"{name}-e1", "requested")
    assert stage.launcher.of("score") == []


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        ({"measures": ("precisoin",)}, (NotFoundError, "no measure 'precisoin'", {"nearest": ["precision"]})),
        ({"on": "irsi"}, (NotFoundError, "no data set 'irsi'", {"nearest": ["iris"]})),
        ({"measures": ("recall:median",)}, (BadSettingError, "one of macro, micro, weighted", {"setting": "average"})),
        ({"average": "median"}, (BadSettingError, "one of macro, micro, weighted", {"setting": "average"})),
        ({"measures": ("accuracy:macro",)}, (BadSettingError, "no averaging", {"setting": "average"})),
        ({"measures": ("recall",) * 51}, (BadInputError, "At most 50", {})),
        ({"cv": 1}, (BadSettingError, "cv = 1 is not allowed: an integer >= 2 and <= 100", {"setting": "cv"})),
        ({"cv": 101}, (BadSettingError, "an integer >= 2 and <= 100", {"setting": "cv"})),
        ({"cv": 5.5}, (BadSettingError, "cv = 5.5 is not allowed: an integer >= 2 and <= 100", {"setting": "cv"})),
        ({"cv": "ten"}, (BadSettingError, "cv = 'ten' is not allowed: a number of folds from 2 to 100, or loo", {})),
        ({"cv": 5, "repeats": 0}, (BadSettingError, "an integer >= 1 and <= 40", {"setting": "repeats"})),
        ({"cv": 5, "on": "iris"}, (BadInputError, "leave out cv, or on", {})),
        ({"cv": "loo", "repeats": 2}, (BadInputError, "it has no repeats", {})),
        ({"repeats": 2}, (BadInputError, "say how many folds", {})),
        ({"threshold": 0.3}, (BadInputError, "two classes, and the data has 3", {})),
        ({"experiment": "zzzz"}, (NotFoundError, "no experiment 'zzzz'", {})),
        ({"experiment": "zz"}, (BadInputError, "too short", {})),
    ],
)
def test_what_is_wrong(
    stage: Stage, ana: Caller, command: dict[str, Any], refusal: tuple[type[Any], str, dict[str, Any]]
) -> None:
    ana.train()
    error, part, facts = refusal
    with stage.refused(error, part, **facts):
        ana.do(RequestEvaluation(**command))


def test_folds_that_cannot_be_are_refused(stage: Stage, ana: Caller) -> None:
    ana.train()
    with stage.refused(BadInputError, "The rarest class, 'virginica', has 40 rows, fewer than 41 folds: at most 40"):
        ana.do(RequestEvaluation(cv=41))
    ana.do(RequestTraining("iris", "svm", split="group:length"))
    with stage.refused(BadInputError, "keeps rows together"):
        ana.do(RequestEvaluation(cv="loo"))
    assert ana.do(RequestEvaluation(cv=41)).body["state"] == "completed", "of groups the task knows more"
    ana.do(RequestTraining("iris", "svm", split="time:length"))
    with stage.refused(BadInputError, "leave out the repeats"):
        ana.do(RequestEvaluation(cv=5, repeats=2))


@pytest.mark.parametrize("threshold", [0, 1, -0.5, float("nan"), "best:recall"])
def test_a_threshold_is_a_probability(stage: Stage, ana: Caller, threshold: float | str) -> None:
    ana.train("breast-cancer")
    with stage.refused(BadSettingError, "a number between 0 and 1, or best:f1", setting="threshold"):
        ana.do(RequestEvaluation(threshold=threshold))
    with stage.refused(BadInputError, "with cv, give the threshold as a number"):
        ana.do(RequestEvaluation(threshold="best:f1", cv=5))


def test_without_a_session(stage: Stage, ana: Caller) -> None:
    with stage.refused(NotFoundError, "no experiment in your session"):
        ana.do(RequestEvaluation())
    ana.train()
    ana.do(CommitSession())
    with stage.refused(NotFoundError, "no experiment in your session"):
        ana.do(RequestEvaluation())


def test_of_what_is_not_finished(stage: Stage, ana: Caller) -> None:
    name = ana.do(RequestTraining("iris", "svm"), wait=0).body["experiment"]
    with stage.refused(ConflictError, f"{name} cannot be evaluated: its training has not started yet."):
        ana.do(RequestEvaluation())


def test_of_what_is_discarded_or_foreign(stage: Stage, ana: Caller, bo: Caller) -> None:
    name = ana.train()
    with stage.refused(NotFoundError, f"no experiment '{name}'", nearest=[]):
        bo.do(RequestEvaluation(name))
    ana.do(DiscardSession())
    with stage.refused(ConflictError, "is discarded"):
        ana.do(RequestEvaluation(name))
