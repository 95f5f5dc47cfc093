"""Every event is folded, or left out on purpose: a new one fails here until it is known what it changes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from domain.events import EVENTS, Event
from projections.fold import EVOLVE, PROJECTION_OF, VERSIONS
from projections.history import row_of
from projections.ports import Body, Change, HistoryRow, Recorded
from tests.wire.examples import EXAMPLES, EXPERIMENT

# The projections that each event changes, beside the list of its events that each experiment has.
CHANGED = {
    "session-opened.v1": "session",
    "experiment-added.v1": "session",
    "search-added.v1": "session",
    "search-requested.v1": "search",
    "proposal-requested.v1": "search tasks",
    "proposal-started.v1": "search",
    "proposal-completed.v1": "tasks",
    "proposal-failed.v1": "tasks",
    "trials-proposed.v1": "search tasks",
    "trial-started.v1": "experiment search",
    "trial-completed.v1": "search tasks",
    "trial-failed.v1": "search tasks",
    "search-completed.v1": "session search tasks",
    "search-failed.v1": "session search tasks",
    "search-cancelled.v1": "session search tasks",
    "session-committed.v1": "session",
    "session-discarded.v1": "session",
    "training-requested.v2": "experiment tasks",
    "training-started.v1": "experiment",
    "training-completed.v1": "session experiment tasks",
    "training-failed.v1": "session experiment tasks",
    "training-cancelled.v1": "session experiment tasks",
    "evaluation-requested.v2": "session experiment tasks",
    "evaluation-started.v1": "tasks",  # an experiment tells of its own attempts alone
    "evaluation-completed.v2": "session experiment history tasks",
    "evaluation-failed.v1": "session experiment tasks",
    "evaluation-cancelled.v1": "session experiment tasks",
    "reproduction-requested.v1": "experiment tasks",  # reproductions hold no commit up, so no session counts them
    "reproduction-started.v1": "tasks",
    "reproduction-completed.v1": "experiment tasks",
    "reproduction-failed.v1": "experiment tasks",
    "reproduction-cancelled.v1": "experiment tasks",
    "experiment-committed.v1": "experiment history",
    "experiment-discarded.v1": "experiment tasks",
    "experiment-annotated.v1": "experiment",
    "experiment-withdrawn.v1": "experiment history",
    "experiment-restored.v1": "experiment history",
    "dataset-registered.v2": "catalog",
    "dataset-retired.v1": "catalog",
    "model-offered.v2": "catalog",
    "model-withdrawn.v1": "catalog",
    "measure-offered.v2": "catalog",
    "measure-withdrawn.v1": "catalog",
    "prediction-made.v1": "prediction",
    "client-added.v1": "",  # who may call is read from the log itself
    "client-rotated.v1": "",
    "client-revoked.v1": "",
    "tail-loss-accepted.v1": "",  # `verify` and the start read losses from the log
}
FIRST_EVENTS = (
    "session-opened.v1", "search-requested.v1", "proposal-requested.v1", "trials-proposed.v1", "training-requested.v2",
    "evaluation-requested.v2", "reproduction-requested.v1", "dataset-registered.v2", "model-offered.v2",
    "measure-offered.v2", "prediction-made.v1",
)  # fmt: skip
STATES: list[Body] = [  # of the experiment before the event
    {"standing": "uncommitted", "n": None, "withdrawn": False},
    {"standing": "committed", "n": 5, "withdrawn": False},
    {"standing": "committed", "n": 5, "withdrawn": True},
]

Documents = dict[tuple[str, str], Body | None]


def changed(event: Event, documents: Documents) -> Iterator[tuple[str, Change | HistoryRow]]:
    """Yield what an event changes, each with its projection."""

    def current(kind: str, id: str) -> Body | None:
        return documents.get((kind, id))

    recorded = Recorded(7, 7, datetime(2026, 5, 1, tzinfo=UTC), event)
    of_kind = EVOLVE.get(event.originator_id.partition(":")[0], ())
    changes = [it for evolve in of_kind for it in evolve(recorded, current)]
    yield from ((PROJECTION_OF[it.kind], it) for it in changes)
    after = documents | {(it.kind, it.id): it.body for it in changes}
    if row := row_of(recorded, lambda kind, id: after.get((kind, id))):
        yield "history", row


def before(state: Body) -> Documents:
    """Return the documents of what all examples are about, before any of it ended."""
    made: Documents = {}
    for event in EXAMPLES:
        if event.NAME in FIRST_EVENTS:
            made |= {(it.kind, it.id): it.body for _, it in changed(event, made) if isinstance(it, Change)}
    return made | {("experiment", EXPERIMENT): {**(made["experiment", EXPERIMENT] or {}), **state}}


def test_what_each_event_changes_is_known() -> None:
    assert {*CHANGED} == {*EVENTS} == {event.NAME for event in EXAMPLES}
    assert {name for names in CHANGED.values() for name in names.split()} == {*VERSIONS}


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.NAME)
def test_an_event_changes_what_it_is_known_to_change(event: Event) -> None:
    projections = {name for state in STATES for name, _ in changed(event, before(state))}
    assert projections == {*CHANGED[event.NAME].split()}
