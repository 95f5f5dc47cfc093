"""How often a session tried: its trainings and the trials of its searches, a count for each data set.

What a search refits is no further try: one of its trials had the same settings. What failed, was cancelled or will be
discarded counts.
"""

from __future__ import annotations

from domain.experiment_events import TrainingRequested
from projections.ports import Body, Change, Current, Documents, Recorded

KIND = "tries"


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    event = recorded.event
    if not isinstance(event, TrainingRequested) or event.search is not None:
        return []
    name = _id_of(event.session, event.dataset.name)
    return [Change(KIND, name, {"tried": _count(current(KIND, name)) + 1})]


def tried(session: str, dataset: str, current: Current) -> int:
    """Return how many tries a session has made on a data set so far."""
    return _count(current(KIND, _id_of(session, dataset)))


def tries_of(documents: Documents, session: str, at: int) -> dict[str, int]:
    """Return the tries of a session by data set."""
    found = documents.versions(KIND, at, _id_of(session, ""))
    return {document.id.partition("/")[2]: document.body["tried"] for document in found}


def _count(document: Body | None) -> int:
    return document["tried"] if document else 0


def _id_of(session: str, dataset: str) -> str:
    return f"{session}/{dataset}"
