"""What the first and later starts offer; what withdrawing takes away."""

from __future__ import annotations

from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from commands.catalog.offer_catalog import OfferCatalog
from commands.catalog.retire_dataset import RetireDataset
from commands.catalog.withdraw_offer import WithdrawOffer
from commands.evaluation.request_evaluation import RequestEvaluation
from commands.ports import TaskOutcome
from commands.training.request_training import RequestTraining
from domain.errors import NotAbleError, NotFoundError
from server.start_up import offer_catalog
from tests.commands.examples import SETTINGS, described
from tests.commands.launcher import broken, done
from tests.commands.stage import BUILTIN, CATALOG, Caller, Stage


def offered(stage: Stage, *kinds: str) -> list[str]:
    return [stream for kind in kinds for stream in stage.store.streams(f"{kind}:", 100)]


def test_the_first_start_offers_all(stage: Stage) -> None:
    recorded = stage.feed.after(0, 100)
    assert offered(stage, "model") == ["model:logistic-regression", "model:svm"]
    assert offered(stage, "measure") == ["measure:accuracy", "measure:precision", "measure:recall"]
    assert offered(stage, "dataset") == sorted(f"dataset:{name}" for name in BUILTIN)
    assert {it.commit for it in recorded} == {5, 9}, "two appends: models and measures, then data sets"


def test_the_next_start_has_no_news(stage: Stage, admin: Caller) -> None:
    head = stage.store.end()
    answer = admin.do(CATALOG)
    assert stage.store.end() == head
    assert (answer.body, answer.position) == ({"position": head[0]}, head[0])
    assert [child.spec.kind for child in stage.launcher.children] == ["describe"]


def test_a_new_version_is_offered_again(stage: Stage, admin: Caller) -> None:
    new = [described("model", "svm", SETTINGS["svm"], "1.8.0")]
    stage.launcher.scripts["describe"] = done(models=new, measures=[])
    admin.do(CATALOG)
    assert stage.names("model:svm") == ["model-offered", "model-offered"]
    assert stage.names("model:logistic-regression") == ["model-offered"], "absence never withdraws"


def test_a_lower_version_is_not(stage: Stage, admin: Caller) -> None:
    old = [described("model", "svm", SETTINGS["svm"], "1.6.0")]
    stage.launcher.scripts["describe"] = done(models=old, measures=[])
    head = stage.store.end()
    admin.do(CATALOG)
    assert stage.store.end() == head


def test_a_retired_builtin_does_not_come_back(stage: Stage, admin: Caller) -> None:
    admin.do(RetireDataset("iris"))
    admin.do(CATALOG)
    assert stage.names("dataset:iris") == ["dataset-registered", "dataset-retired"]


def test_a_start_that_cannot_describe(stage: Stage, admin: Caller) -> None:
    stage.launcher.scripts["describe"] = broken("crashed", "It died.")
    with stage.refused(NotAbleError, "could not be described: It died."):
        admin.do(CATALOG)


def with_plugins(stage: Stage, **plugins: TaskOutcome) -> None:
    """Script what distributions beside AutoLearn answer when they are described."""

    def describe(facts: dict[str, Any]) -> TaskOutcome:
        if not facts:
            return done(models=[described("model", "svm", SETTINGS["svm"])], measures=[], plugins=[*plugins])
        return plugins[facts["distribution"]]

    stage.launcher.scripts["describe"] = describe


@pytest.mark.parametrize(("reason", "attempts"), [("killed", 3), ("crashed", 1), ("deadline", 1)])
def test_a_plugin_that_ends_its_process_hides_no_other(
    stage: Stage, admin: Caller, caplog: pytest.LogCaptureFixture, reason: str, attempts: int
) -> None:
    sound = done(models=[described("model", "ada", {}), described("model", "svm", {}, "2.0")], measures=[])
    with_plugins(stage, fatal=broken(reason, "It died."), sound=sound)
    asked = len(stage.launcher.children)
    admin.do(CATALOG)
    assert stage.names("model:ada") == ["model-offered"]
    assert stage.names("model:svm") == ["model-offered"], "the first distribution with a name has it"
    specs = [child.spec.facts.get("distribution") for child in stage.launcher.children[asked:]]
    assert specs == [None, *["fatal"] * attempts, "sound"]
    assert "nothing of fatal is offered, until the next start: It died." in caplog.text
    assert "model svm of scikit-learn is not offered: another distribution offers that name." in caplog.text


def test_a_start_that_is_ended_while_it_describes_a_plugin(stage: Stage, admin: Caller) -> None:
    with_plugins(stage, any=broken("cancelled", "The task was cancelled."))
    with stage.refused(NotAbleError, "could not be described: The task was cancelled."):
        admin.do(CATALOG)


def test_a_start_that_cannot_ingest_keeps_the_models_and_says_so(stage: Stage) -> None:
    fresh = Stage()
    fresh.launcher.scripts["ingest"] = broken("crashed", "It died.")
    with pytest.raises(NotAbleError, match="could not be ingested"):
        fresh.client("local").do(CATALOG)
    assert offered(fresh, "dataset") == []
    assert offered(fresh, "model") != []
    fresh.launcher.scripts = stage.launcher.scripts
    fresh.client("local").do(CATALOG)
    assert len(offered(fresh, "dataset")) == len(BUILTIN)
    fresh.close()


def test_withdraws_a_model(stage: Stage, ana: Caller, admin: Caller) -> None:
    answer = admin.do(WithdrawOffer("model", "svm"))
    assert answer.body == {"kind": "model", "name": "svm", "withdrawn": True, "position": answer.position}
    with stage.refused(NotFoundError, "no model 'svm'", nearest=[]):
        ana.do(RequestTraining("iris", "svm"))


def test_withdraws_a_measure(stage: Stage, ana: Caller, admin: Caller) -> None:
    ana.train()
    admin.do(WithdrawOffer("measure", "recall"))
    with stage.refused(NotFoundError, "no measure 'recall'", nearest=[]):
        ana.do(RequestEvaluation(measures=("recall",)))


def test_what_is_withdrawn_stays_so_until_there_is_news(stage: Stage, admin: Caller) -> None:
    admin.do(WithdrawOffer("model", "svm"))
    head = stage.store.end()
    admin.do(OfferCatalog())
    assert stage.store.end() == head
    new: list[Any] = [described("model", "svm", SETTINGS["svm"], "1.8.0")]
    stage.launcher.scripts["describe"] = done(models=new, measures=[])
    admin.do(OfferCatalog())
    assert stage.names("model:svm")[-2:] == ["model-withdrawn", "model-offered"]


def test_withdraws_nothing_unknown_or_withdrawn(stage: Stage, admin: Caller) -> None:
    with stage.refused(NotFoundError, "no measure 'svm'"):
        admin.do(WithdrawOffer("measure", "svm"))
    admin.do(WithdrawOffer("model", "svm"))
    with stage.refused(NotFoundError, "no model 'svm'"):
        admin.do(WithdrawOffer("model", "svm"))


@pytest.mark.parametrize("is_closing", [False, True])
def test_what_closing_cancelled_is_no_failure(
    stage: Stage, caplog: pytest.LogCaptureFixture, *, is_closing: bool
) -> None:
    stage.launcher.scripts["describe"] = broken("cancelled")
    closing, services = Event(), SimpleNamespace(application=stage.application, builtin=())
    if is_closing:
        closing.set()
    offer_catalog(services, "start", closing)  # type: ignore[arg-type] # the part of Services that it needs
    assert ("could not be offered" in caplog.text) is not is_closing
