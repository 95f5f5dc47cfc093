"""A search from its request to the trained best: in every slot, fair to others, through crashes and restarts."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from commands.ports import TaskSpec
from commands.session.commit_session import CommitSession
from commands.session.discard_session import DiscardSession
from commands.training.cancel_search import CancelSearch
from commands.training.request_search import RequestSearch
from commands.training.request_training import RequestTraining
from commands.unit_of_work import load
from domain.errors import BadInputError, BadSettingError, ConflictError, NotFoundError, UnfinishedError
from domain.search import Search
from tests.commands.examples import SETTINGS, described, propose, trial
from tests.commands.launcher import broken, done
from tests.commands.race import at_once
from tests.commands.stage import CATALOG, Caller, Stage
from tests.commands.worker import Worker

VALUES = [1, 5, 3, 2]
SEARCH = RequestSearch("iris", ("logistic-regression",), {"C": VALUES}, seed=7)


@pytest.fixture
def one_slot(stage: Stage) -> Stage:
    stage.launcher.slots = stage.launcher.free = 1
    return stage


def begun(caller: Caller, command: RequestSearch = SEARCH) -> str:
    return str(caller.do(command).body["search"])


def found(stage: Stage, name: str) -> Search:
    return load(stage.store, Search, f"search:{name}")


def run(stage: Stage, worker: Worker, name: str) -> Search:
    """Let the worker work until the search and what it trains have ended."""
    while found(stage, name).is_unfinished:
        worker.step()
        assert stage.idle()
    worker.step()
    assert stage.idle()
    return found(stage, name)


def tried(stage: Stage) -> list[Any]:
    return [child.spec.facts["settings"]["C"] for child in stage.launcher.of("trial")]


def test_the_best_of_all_rounds_is_trained(stage: Stage, ana: Caller) -> None:
    answer = ana.do(SEARCH)
    assert (answer.body["state"], answer.body["planned"], answer.body["by"]) == ("requested", 4, "accuracy")
    search = run(stage, Worker(stage), answer.body["search"])
    assert sorted(tried(stage)) == sorted(VALUES)
    assert (search.state, search.rank()) == ("completed", [f"{search.name}-t{number}" for number in (2, 3, 4, 1)])
    (trained,) = search.experiments
    experiment = stage.experiment(trained)
    assert experiment.training_state == "completed"
    assert (experiment.training.settings["C"], experiment.training.search) == (5, search.name)
    assert (experiment.training.seed, experiment.owner) == (7, "ana")


def test_a_trial_learns_from_what_its_training_would_learn_from(stage: Stage, ana: Caller) -> None:
    run(stage, Worker(stage), begun(ana))
    (fit,), (first, *_) = stage.launcher.of("fit"), stage.launcher.of("trial")
    shared = ("dataset", "target", "columns", "seed", "test_size", "split", "preparation", "positive")
    assert {key: first.spec.facts[key] for key in shared} == {key: fit.spec.facts[key] for key in shared}
    assert first.spec.facts["folds"] == {"kind": "kfold", "k": 5, "repeats": 1}


def test_the_same_request_makes_the_same_trials_whatever_the_slots(stage: Stage, ana: Caller) -> None:
    few = stage.another("worker-2", slots=1)
    names = [begun(ana), begun(ana)]
    searches = [run(stage, Worker(stage), names[0]), run(few, Worker(few, lambda _: False), names[1])]
    assert [[it.settings for it in search.trials.values()] for search in searches] == [[{"C": it} for it in VALUES]] * 2
    assert searches[0].rank()[0][-2:] == searches[1].rank()[0][-2:]


def test_a_slot_goes_on_with_the_next_trial(one_slot: Stage, ana: Caller) -> None:
    name = begun(ana)
    Worker(one_slot).step()  # claims the proposal, and nothing after it
    assert one_slot.idle()
    assert not found(one_slot, name).is_unfinished
    assert [*dict.fromkeys(child.spec.kind for child in one_slot.launcher.children)] == ["propose", "trial"]


def test_a_slot_is_left_to_another_client(one_slot: Stage, ana: Caller) -> None:
    ben = one_slot.client("ben")
    one_slot.launcher.scripts["propose"] = None
    begun(ana)
    worker = Worker(one_slot).step()
    proposal = one_slot.launcher.child("propose")
    other = str(ben.do(RequestTraining("iris", "svm"), wait=0).pending)
    worker.step()
    proposal.end()
    assert one_slot.idle()
    worker.step()
    one_slot.until(other, other, "completed")
    assert [child.spec.kind for child in one_slot.launcher.children][:2] == ["propose", "fit"]


def test_a_training_of_the_same_client_goes_before_its_trials(one_slot: Stage, ana: Caller) -> None:
    one_slot.launcher.scripts["propose"] = None
    begun(ana)
    worker = Worker(one_slot).step()
    proposal = one_slot.launcher.child("propose")
    own = str(ana.do(RequestTraining("iris", "svm"), wait=0).pending)
    worker.step()
    proposal.end()
    assert one_slot.idle()
    worker.step()
    one_slot.until(own, own, "completed")
    assert [child.spec.kind for child in one_slot.launcher.children][:2] == ["propose", "fit"]


def test_a_killed_process_costs_one_attempt_of_one_trial(stage: Stage, ana: Caller) -> None:
    killed: list[Any] = []

    def kill_once(facts: dict[str, Any]) -> Any:
        if facts["settings"]["C"] == 5 and not killed:
            killed.append(facts)
            return broken("killed", "It was killed.")
        return trial(facts)

    stage.launcher.scripts["trial"] = kill_once
    search = run(stage, Worker(stage), begun(ana))
    assert [search.tasks[task].attempt for task in search.trials] == [1, 2, 1, 1]
    assert search.rank()[0] == f"{search.name}-t2"


def test_a_trial_that_is_killed_each_time_fails_alone(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["trial"] = lambda facts: broken("killed") if facts["settings"]["C"] == 5 else trial(facts)
    search = run(stage, Worker(stage), begun(ana))
    lost = search.tasks[f"{search.name}-t2"]
    assert (lost.state, lost.attempt, lost.error and lost.error["reason"]) == ("failed", 3, "lost")
    assert search.rank(with_failed=True)[-1] == f"{search.name}-t2"
    assert search.state == "completed"


def test_a_trial_that_crashes_by_itself_fails_at_once(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["trial"] = lambda facts: broken("crashed") if facts["settings"]["C"] == 5 else trial(facts)
    search = run(stage, Worker(stage), begun(ana))
    failed = search.tasks[f"{search.name}-t2"]
    assert (failed.attempt, failed.error and failed.error["reason"]) == (1, "crashed")


@pytest.mark.parametrize(("reason", "stopped"), [("killed", "lost"), ("error", "error")])
def test_a_proposal_that_fails_ends_it_with_the_trials_that_it_has(
    stage: Stage, ana: Caller, reason: str, stopped: str
) -> None:
    stage.launcher.scripts["propose"] = lambda facts: propose(facts) if facts["round"] == 1 else broken(reason)
    search = run(stage, Worker(stage), begun(ana))
    assert (search.state, search.stopped, search.error) == ("completed", stopped, None)
    assert search.tasks[f"{search.name}-p2"].attempt == (3 if reason == "killed" else 1)
    assert stage.experiment(search.experiments[0]).training_state == "completed"


def test_a_first_proposal_that_is_killed_each_time_fails_it(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["propose"] = broken("killed", "It was killed.")
    search = run(stage, Worker(stage), begun(ana))
    assert (search.state, search.error and search.error["reason"]) == ("failed", "lost")
    assert "3 times" in str(search.error)


@pytest.mark.parametrize("kind", ["propose", "trial"])
def test_without_any_value_it_fails_and_says_why(stage: Stage, ana: Caller, kind: str) -> None:
    stage.launcher.scripts[kind] = broken("bad-input", "There are too few rows.")
    search = run(stage, Worker(stage), begun(ana))
    assert (search.state, search.experiments) == ("failed", ())
    assert "too few rows" in str(search.error)


def test_an_answer_of_another_shape_fails_its_task(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["propose"] = done(trials=[], last=True)
    assert "cannot be recorded" in str(run(stage, Worker(stage), begun(ana)).error)


def test_it_goes_on_where_a_dead_backend_left_it(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["trial"] = None
    name = begun(ana)
    Worker(stage).step()
    stage.launcher.child("trial", 1)
    stage.application.end_tasks()
    after = stage.another("worker-2")
    search = run(after, Worker(after).take_over(), name)
    assert search.state == "completed"
    assert search.tasks[f"{name}-t1"].attempt == 2


def test_a_cancelled_search_runs_no_more(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["trial"] = None
    name = begun(ana)
    worker = Worker(stage).step()
    child = stage.launcher.child("trial")
    body = ana.do(CancelSearch(name[:6])).body
    assert (body["search"], body["state"]) == (name, "cancelled")
    worker.step()
    assert stage.idle()
    assert child.cancelled
    with stage.refused(ConflictError, "is cancelled already"):
        ana.do(CancelSearch(name))


def test_another_client_does_not_find_it(stage: Stage, ana: Caller) -> None:
    name = begun(ana)
    with stage.refused(NotFoundError, "no search"):
        stage.client("ben").do(CancelSearch(name))


def test_a_running_search_holds_a_commit_up_unless_it_is_left_out(stage: Stage, ana: Caller) -> None:
    kept = ana.train()
    name = begun(ana)
    with stage.refused(UnfinishedError, unfinished=[name]):
        ana.do(CommitSession())
    ana.do(CommitSession((kept,)))
    assert found(stage, name).state == "cancelled"


def test_a_discard_cancels_it(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["trial"] = None
    name = begun(ana)
    worker = Worker(stage).step()
    stage.launcher.child("trial")
    ana.do(DiscardSession())
    worker.step()
    assert stage.idle()
    assert found(stage, name).state == "cancelled"
    assert [task.state for task in found(stage, name).tasks.values() if task.kind == "trial"] == ["cancelled"] * 2


@pytest.mark.parametrize("has_value", [True, False])
def test_it_ends_at_its_deadline_with_what_it_has(stage: Stage, ana: Caller, *, has_value: bool) -> None:
    def first_only(spec: TaskSpec) -> None:
        is_first = spec.facts["settings"].get("C") == 1
        stage.launcher.scripts["trial"] = trial if has_value and is_first else None

    stage.launcher.before_start = first_only
    name = begun(ana, RequestSearch("iris", ("logistic-regression",), {"C": VALUES}, deadline=60))
    worker = Worker(stage).step()
    stage.launcher.child("trial", 1 + has_value)
    stage.clock.pass_(timedelta(seconds=61))
    worker.check_lost().step()
    worker.step()
    assert stage.idle()
    search = found(stage, name)
    assert (search.state, search.stopped) == (("completed", "deadline") if has_value else ("failed", None))
    assert len(search.experiments) == has_value


def test_as_many_are_trained_as_are_to_be_kept(stage: Stage, ana: Caller) -> None:
    search = run(
        stage, Worker(stage), begun(ana, RequestSearch("iris", ("logistic-regression",), {"C": VALUES}, keep=3))
    )
    assert [stage.experiment(name).training.settings["C"] for name in search.experiments] == [5, 3, 2]


def test_a_repeated_request_is_one_search(stage: Stage, ana: Caller) -> None:
    assert ana.do(SEARCH, key="once").body["search"] == ana.do(SEARCH, key="once").body["search"]
    assert len(stage.store.streams("search:", 9)) == 1


@pytest.mark.parametrize(
    ("change", "error", "part"),
    [
        ({"models": ()}, BadInputError, "1 to 20 models"),
        ({"models": ("nope",)}, NotFoundError, "no model"),
        ({"cv": 1}, BadSettingError, "cv = 1"),
        ({"cv": "two"}, BadSettingError, "cv = 'two'"),
        ({"cv": 32}, BadInputError, "fewer than 32 folds"),  # 40 rows of a class, a quarter of them held out
        ({"by": "nope"}, NotFoundError, "no measure"),
        ({"by": ""}, NotFoundError, "no measure"),
        ({"keep": 0}, BadSettingError, "keep = 0"),
        ({"deadline": 0.5}, BadSettingError, "deadline = 0.5"),
        ({"strategy": "guess"}, BadInputError, "not a strategy"),
        ({"space": {"C": [-1, 1]}}, BadSettingError, "C = -1"),
        ({"space": {}}, BadInputError, "nothing to search"),
        ({"target": "nope"}, BadInputError, "no column"),
        ({"split": "nope"}, BadInputError, "is not known"),
    ],
)
def test_a_request_that_cannot_work_changes_nothing(
    stage: Stage, ana: Caller, change: dict[str, Any], error: Any, part: str
) -> None:
    asked = {"dataset": "iris", "models": ("logistic-regression",), "space": {"C": [0.1, 1]}} | change
    with stage.refused(error, part):
        ana.do(RequestSearch(**asked))


def test_trials_are_ranked_by_a_number(stage: Stage, ana: Caller, admin: Caller) -> None:
    measures = [described("measure", name, {}) for name in ("accuracy", "confusion-matrix", "mcc")]
    models = [described("model", *it) for it in SETTINGS.items()]
    stage.launcher.scripts["describe"] = done(models=models, measures=measures)
    admin.do(CATALOG)
    sentence = "confusion-matrix is a table: rank by a measure that is a number, one of accuracy, mcc"
    with stage.refused(BadInputError, sentence):
        ana.do(replace(SEARCH, by="confusion-matrix"))


def test_a_proposal_knows_what_the_trials_found(stage: Stage, ana: Caller) -> None:
    run(stage, Worker(stage), begun(ana))
    told = [child.spec.facts["finished"] for child in stage.launcher.of("propose")]
    assert [[(it["number"], it["mean"]) for it in finished] for finished in told] == [[], [(1, 0.01), (2, 0.05)]]


def test_two_workers_end_an_overdue_search_once(stage: Stage, ana: Caller) -> None:
    stage.launcher.scripts["propose"] = None
    name = begun(ana, RequestSearch("iris", ("logistic-regression",), {"C": VALUES}, deadline=60))
    other = stage.another("worker-2")
    workers = [Worker(it, lambda _: False).step() for it in (stage, other)]
    stage.launcher.child("propose")
    for it in (stage, other):
        it.clock.pass_(timedelta(seconds=61))
    at_once(2, lambda index: workers[index].check_lost().step())
    assert stage.names(f"search:{name}").count("search-failed") == 1
    for worker in workers:
        worker.check_lost().step()
    assert stage.idle()


def test_slots_that_end_at_the_same_moment_never_lose_what_they_claim(stage: Stage, ana: Caller) -> None:
    names = [begun(ana, RequestSearch("iris", ("logistic-regression",), {"C": [*range(1, 60)]})) for _ in range(2)]
    worker = Worker(stage)
    for name in names:
        search = run(stage, worker, name)
        assert {task.attempt for task in search.tasks.values()} == {1}
    assert sorted(tried(stage)) == sorted([*range(1, 60)] * 2)
