"""How often a session tried: its trainings and the trials of its searches, a count for each data set.

What a search refits is no further try: one of its trials had the same settings. What failed, was cancelled or will be
discarded counts.
"""

from __future__ import annotations

from projections.ports import Body, Change, Current, Documents

KIND = "tries"


def one_more(session: str, dataset: str, current: Current) -> Change:
    """Return the document with one try more."""
    return Change(KIND, _id_of(session, dataset), {"tried": tried(session, dataset, current) + 1})


def tried(session: str, dataset: str, current: Current) -> int:
    """Return how many tries a session has made on a data set so far."""
    document: Body | None = current(KIND, _id_of(session, dataset))
    return document["tried"] if document else 0


def tries_of(documents: Documents, session: str, at: int) -> dict[str, int]:
    """Return the tries of a session by data set."""
    found = documents.versions(KIND, at, _id_of(session, ""))
    return {document.id.partition("/")[2]: document.body["tried"] for document in found}


def _id_of(session: str, dataset: str) -> str:
    return f"{session}/{dataset}"
