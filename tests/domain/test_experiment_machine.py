"""Whatever is decided in whatever order: what the log holds folds to the same experiment; no rule is ever broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.errors import AutoLearnError
from domain.events import Event
from domain.experiment import Experiment
from domain.experiment_events import EvaluationCompleted, ReproductionCompleted, TrainingCompleted
from domain.task_events import TaskFailed
from domain.values import MAX_ATTEMPTS
from tests.domain.facts import E1, ID, IRIS, OTHER, PRECISION, R1, REQUEST, RESULT, SESSION, WORKER
from tests.domain.specification import folded

STREAM = f"experiment:{ID}"
ENDS = (TrainingCompleted, EvaluationCompleted, ReproductionCompleted, TaskFailed)
tasks = st.sampled_from([ID, E1, R1, f"{ID}-e2", f"{ID}-r2"])
attempts = st.integers(0, MAX_ATTEMPTS + 1)
workers = st.sampled_from([WORKER, OTHER])
texts = st.sampled_from(["", "because", "x" * 5000])


class ExperimentMachine(RuleBasedStateMachine):
    """Decides at random; every accepted decision triggers one event, every refused one none."""

    def __init__(self) -> None:
        super().__init__()
        self.experiment = Experiment.create_blank(STREAM)
        self.log: list[Event] = []

    def decide(self, decision: Callable[[Experiment], Any]) -> None:
        try:
            decision(self.experiment)
        except AutoLearnError:
            assert list(self.experiment.collect_events()) == []
        else:
            triggered: list[Any] = list(self.experiment.collect_events())
            assert len(triggered) == 1
            self.log += triggered

    @rule()
    def request(self) -> None:
        self.decide(lambda it: it.request_training(**REQUEST))

    @rule(task=tasks, attempt=attempts, worker=workers)
    def start(self, task: str, attempt: int, worker: str) -> None:
        self.decide(lambda it: it.start(task, attempt, worker))

    @rule(task=tasks)
    def start_the_next_attempt(self, task: str) -> None:
        known = self.experiment.tasks.get(task)
        self.decide(lambda it: it.start(task, known.attempt + 1 if known else 1, WORKER))

    @rule(attempt=attempts, worker=workers)
    def complete_training(self, attempt: int, worker: str) -> None:
        self.decide(lambda it: it.complete_training(attempt, worker, RESULT))

    @rule(task=tasks, attempt=attempts, worker=workers, value=st.floats(0, 1))
    def complete_evaluation(self, task: str, attempt: int, worker: str, value: float) -> None:
        if "-r" not in task and task != ID:
            self.decide(lambda it: it.complete_evaluation(task, attempt, worker, {"precision:macro": value}))

    @rule(attempt=attempts, worker=workers)
    def complete_reproduction(self, attempt: int, worker: str) -> None:
        self.decide(lambda it: it.complete_reproduction(R1, attempt, worker, "bit-identical", []))

    @rule(task=tasks, attempt=attempts, text=texts)
    def fail(self, task: str, attempt: int, text: str) -> None:
        self.decide(lambda it: it.fail(task, attempt, "crashed", text))

    @rule(task=tasks)
    def cancel(self, task: str) -> None:
        self.decide(lambda it: it.cancel(task))

    @rule(on=st.sampled_from([None, IRIS]))
    def evaluate(self, on: Any) -> None:
        self.decide(lambda it: it.request_evaluation([PRECISION], on))

    @rule()
    def reproduce(self) -> None:
        self.decide(lambda it: it.request_reproduction())

    @rule(commit=st.booleans())
    def end_session(self, *, commit: bool) -> None:
        self.decide(lambda it: it.commit(SESSION) if commit else it.discard(SESSION))

    @rule(text=texts, reason=texts)
    def remark(self, text: str, reason: str) -> None:
        self.decide(lambda it: it.annotate(text, reason))

    @rule(reason=texts, back=st.booleans())
    def withdraw_or_restore(self, reason: str, *, back: bool) -> None:
        self.decide(lambda it: it.restore(reason) if back else it.withdraw(reason))

    @invariant()
    def folding_the_log_gives_the_same(self) -> None:
        assert folded(Experiment.create_blank(STREAM), self.log) == self.experiment
        assert [event.originator_version for event in self.log] == list(range(1, len(self.log) + 1))

    @invariant()
    def nothing_runs_on_in_a_discarded_one(self) -> None:
        if self.experiment.standing == "discarded":
            assert self.experiment.unfinished_tasks("training", "evaluation", "reproduction") == []
            assert self.log[-1].NAME == "experiment-discarded.v1"

    @invariant()
    def what_is_committed_has_a_model(self) -> None:
        if self.experiment.standing == "committed":
            assert self.experiment.result == RESULT

    @invariant()
    def a_task_ends_once_and_never_beyond_its_attempts(self) -> None:
        ended = [event.task for event in self.log if isinstance(event, ENDS)]
        assert len(ended) == len(set(ended))
        assert all(task.attempt <= MAX_ATTEMPTS for task in self.experiment.tasks.values())


TestExperimentMachine = ExperimentMachine.TestCase
TestExperimentMachine.settings = settings(max_examples=60, stateful_step_count=40)
