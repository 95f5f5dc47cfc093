"""What a replay answers of the versions that are true at its end: of everything the newest, or of one stream all."""

from __future__ import annotations

from collections import Counter
from typing import Any

from domain.task_status import task_status
from projections import catalog, experiment, session
from projections.catalog import PARTS, offered
from projections.fold import Key
from projections.newest import Newest
from projections.ports import Body
from projections.verification.versions import ROW, Version

WITHDRAWN = 4  # the place of that column in a row's version


class Summary:
    """Of everything: sessions, experiments, what is on offer, and how many of each there are."""

    def __init__(self) -> None:
        self._newest = {session.KIND: Newest(), experiment.KIND: Newest()}
        self._catalog: list[Body] = []
        self._rows: Counter[str] = Counter()

    def add(self, version: Version) -> None:
        """Take in what is true at the end."""
        if version.kind == ROW:
            self._rows["committed"] += 1
            self._rows["withdrawn"] += version.value[WITHDRAWN]
        elif version.kind == catalog.KIND:
            self._catalog.append(version.value)
        elif version.kind in self._newest:
            self._newest[version.kind].add(version.from_, version.value)

    def told(self) -> Body:
        """Return what the answer says."""
        sessions, experiments = self._newest[session.KIND], self._newest[experiment.KIND]
        return {
            "sessions": list(sessions),
            "experiments": [task_status("training", body) for body in experiments],
            "catalog": {shelf: offered(self._shelf(kind)) for shelf, kind in PARTS.items()},
            "counts": {
                "sessions": sessions.count,
                "experiments": experiments.count,
                "committed": self._rows["committed"],
                "withdrawn": self._rows["withdrawn"],
            },
        }

    def _shelf(self, kind: str) -> list[Body]:
        return sorted((body for body in self._catalog if body["kind"] == kind), key=lambda body: str(body["name"]))


class StreamState:
    """Of one stream: its document."""

    def __init__(self, stream: str) -> None:
        self._key = _key_of(stream)
        self._state: Any = None

    def add(self, version: Version) -> None:
        """Take in what is true at the end."""
        if (version.kind, version.id) == self._key:
            self._state = version.value

    def told(self) -> Body:
        """Return what the answer says."""
        return {"state": self._state}


def _key_of(stream: str) -> Key:
    """Return kind and id of the document that tells of a stream."""
    kind, _, name = stream.partition(":")
    if kind in PARTS.values():
        return catalog.KIND, f"{kind}/{name}"
    return (kind, name.replace(":", "-")) if kind == session.KIND else (kind, name)
