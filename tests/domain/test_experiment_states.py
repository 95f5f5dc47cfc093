"""Every state of an experiment against every decision: which are accepted, and that all others change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.errors import AutoLearnError
from domain.experiment import Experiment
from tests.domain import facts as f
from tests.domain.specification import Fact

STATES: dict[str, tuple[Fact, ...]] = {
    "blank": (),
    "requested": (f.REQUESTED,),
    "started": (f.REQUESTED, f.STARTED),
    "completed": f.TRAINED,
    "failed": (f.REQUESTED, f.STARTED, f.FAILED),
    "cancelled": (f.REQUESTED, f.CANCELLED),
    "evaluating": (*f.TRAINED, f.E1_REQUESTED),
    "committed": (*f.TRAINED, f.COMMITTED),
    "withdrawn": (*f.TRAINED, f.COMMITTED, f.WITHDRAWN),
    "discarded": (*f.TRAINED, f.DISCARDED),
}
DECISIONS: dict[str, Callable[[Experiment], Any]] = {
    "request": lambda it: it.request_training(**f.REQUEST),
    "start first": lambda it: it.start(f.ID, 1, f.WORKER),
    "start second": lambda it: it.start(f.ID, 2, f.WORKER),
    "complete": lambda it: it.complete_training(1, f.WORKER, f.RESULT),
    "fail": lambda it: it.fail(f.ID, 1, "crashed", "It died."),
    "cancel": lambda it: it.cancel(f.ID),
    "evaluate": lambda it: it.request_evaluation([f.PRECISION], None),
    "start evaluation": lambda it: it.start(f.E1, 1, f.WORKER),
    "cancel evaluation": lambda it: it.cancel(f.E1),
    "reproduce": lambda it: it.request_reproduction(),
    "commit": lambda it: it.commit(f.SESSION),
    "discard": lambda it: it.discard(f.SESSION),
    "annotate": lambda it: it.annotate("good", "review"),
    "withdraw": lambda it: it.withdraw("wrong data"),
    "restore": lambda it: it.restore("right after all"),
}
ACCEPTED: dict[str, set[str]] = {
    "blank": {"request"},
    "requested": {"start first", "cancel", "discard"},
    "started": {"start second", "complete", "fail", "cancel", "discard"},
    "completed": {"evaluate", "reproduce", "commit", "discard"},
    "failed": {"discard"},
    "cancelled": {"discard"},
    "evaluating": {"evaluate", "start evaluation", "cancel evaluation", "reproduce", "discard"},
    "committed": {"evaluate", "reproduce", "annotate", "withdraw"},
    "withdrawn": {"evaluate", "reproduce", "annotate", "restore"},
    "discarded": set(),
}


@pytest.mark.parametrize("state", STATES)
def test_accepts_what_its_state_allows_and_refuses_the_rest(state: str) -> None:
    given = f.experiment(*STATES[state])
    outcomes = {name: given.when(decision) for name, decision in DECISIONS.items()}
    assert {name for name, outcome in outcomes.items() if outcome.refusal is None} == ACCEPTED[state]
    for name, outcome in outcomes.items():
        if name in ACCEPTED[state]:
            assert len(outcome.events) == 1
        else:
            outcome.refused(type(outcome.refusal or AutoLearnError("")), "")
