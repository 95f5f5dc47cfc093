"""Experiments side by side, as of one position, what differs first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from autolearn.client import BackendClient
from autolearn.errors import InvalidInputError
from autolearn.printable import as_json
from autolearn.text_table import TIME, format_value
from autolearn.views import Block, Facts, flatten, format_measure

LEAST, FEW = 2, 20
IDS_OF_A_FILTER = 90  # a filter has at most 100 parts
WHOLE_ID = re.compile(r"[a-z2-7]{16}")
NOT_IN_HISTORY = ("test_size", "memory", "deadline", "state")
PARTS = {
    "measures": "",
    "intervals": "interval.",
    "spread": "std.",
    "positives": "positive.",
    "model": "model.",
    "dataset": "dataset.",
    "settings": "setting.",
    "split": "split.",
}
COLUMNS = (
    "target",
    "columns",
    "seed",
    "test_size",
    "features",
    "memory",
    "deadline",
    "actor",
    "committed_at",
    "session",
    "state",
    "withdrawn",
    "fit_seconds",
)
ABSENT = "-"
MISSING = object()  # a setting that the model has not, unlike one that is null


@dataclass(frozen=True, slots=True)
class ComparedExperiments:
    """What is compared: of each experiment its id and facts, all as of one position."""

    ids: tuple[str, ...]
    facts: tuple[Facts, ...]
    position: int

    @property
    def body(self) -> Facts:
        """Return `{experiments, rows: [{name, differs, values}], position}`, differing rows first."""
        names = dict.fromkeys(name for it in self.facts for name in it)
        rows: list[Facts] = []
        for name in names:
            values = [it.get(name, MISSING) for it in self.facts]
            shown = [None if value is MISSING else value for value in values]
            rows.append({"name": name, "differs": any(value != values[0] for value in values), "values": shown})
        rows.sort(key=lambda row: not row["differs"])
        return {"experiments": list(self.ids), "rows": rows, "position": self.position}

    def blocks(self, body: Facts) -> list[Block]:
        heads = [f"{experiment[:8]} ({number})" for number, experiment in enumerate(self.ids, 1)]
        lines = []
        for row in body["rows"]:
            texts = _texts([it.get(row["name"], MISSING) for it in self.facts], exact=row["differs"])
            lines.append(
                {"": "≠" if row["differs"] else "=", "what": row["name"]} | dict(zip(heads, texts, strict=True))
            )
        return [lines]

    def table(self, body: Facts) -> list[Facts]:
        """Return the rows, with a column for each experiment."""
        heads: list[str] = []
        for number, experiment in enumerate(self.ids, 1):
            heads.append(f"{experiment} ({number})" if experiment in heads else experiment)
        return [
            {"name": row["name"], "differs": row["differs"]} | dict(zip(heads, row["values"], strict=True))
            for row in body["rows"]
        ]


def compare_experiments(client: BackendClient, experiments: Sequence[str], as_of: str | None) -> ComparedExperiments:
    """Ask for experiments, all as of the position of the first: so no change between two questions is a difference.

    Of more than 20, those that are named in full are asked for as rows of the history, and compared by what it has.
    """
    if len(experiments) < LEAST:
        raise InvalidInputError("compare needs two experiments or more.")
    rows, position = _ask_history(client, experiments, as_of) if len(experiments) > FEW else ({}, 0)
    found = list[Facts]()
    for experiment in experiments:
        body = rows.get(experiment)
        if body is None:
            answer = client.get("experiments", experiment, as_of=as_of or (f"@{position}" if position else None))
            position, body = position or answer.position, answer.body
        found.append(body)
    ids = tuple(body["experiment"] for body in found)
    return ComparedExperiments(ids, tuple(_facts(it, of_history=bool(rows)) for it in found), position)


def _ask_history(client: BackendClient, experiments: Sequence[str], as_of: str | None) -> tuple[dict[str, Facts], int]:
    """Return the rows of the history by id, and the position that they are true for."""
    rows: dict[str, Facts] = {}
    position = 0
    ids = [it for it in dict.fromkeys(experiments) if WHOLE_ID.fullmatch(it)]
    for begin in range(0, len(ids), IDS_OF_A_FILTER):
        part = ids[begin : begin + IDS_OF_A_FILTER]
        where = f"experiment in ({', '.join(map(repr, part))})"
        moment = as_of or (f"@{position}" if position else None)
        answer = client.get("experiments", where=where, withdrawn=1, limit=len(part), as_of=moment)
        position = position or answer.position
        rows |= {row["experiment"]: row for row in answer.body["experiments"]}
    return rows, position


def _facts(body: Facts, *, of_history: bool) -> Facts:
    facts: Facts = {}
    for part, before in PARTS.items():
        if isinstance(body.get(part), dict):
            facts |= {before + key: value for key, value in flatten(body[part]).items()}
    if of_history:
        return facts | {key: body[key] for key in COLUMNS if key in body and key not in NOT_IN_HISTORY}
    facts |= {key: body[key] for key in COLUMNS if key in body}
    # Of the provenance the machine and the versions: everything else in it is above already.
    machine = {key: value for key, value in (body.get("provenance") or {}).items() if isinstance(value, str | int)}
    return facts | {key: value for key, value in machine.items() if key not in facts and "sha256" not in key}


def _texts(values: Sequence[Any], *, exact: bool) -> list[str]:
    """Return what a table shows: `-` for what there is not, and all digits where shorter ones would look the same."""
    texts = [ABSENT if value is MISSING else format_value(format_measure(value)) for value in values]
    if exact and len(set(texts)) == 1:
        return [
            value.replace("T", " ") if isinstance(value, str) and TIME.fullmatch(value) else as_json(value)
            for value in values
        ]
    return texts
