"""The catalog: documents `model/x`, `measure/x`, `dataset/x`, and one of all names that a filter may use."""

from __future__ import annotations

from collections.abc import Callable

from domain.dataset import DatasetRegistered, DatasetRetired
from domain.offer import Offered, Withdrawn
from projections.change import Body, Change, Current
from projections.jsonable import plain
from projections.ports import Recorded

KIND = "catalog"
NAMES = "names"
ALL = "all"
NO_NAMES: Body = {"measures": {}, "settings": [], "datasets": []}


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    """Offer, retire or withdraw; the names stay known for ever, for old experiments keep using them."""
    event = recorded.event
    kind, _, name = event.originator_id.partition(":")
    document = current(KIND, f"{kind}/{name}")
    if isinstance(event, Offered):
        changed = _offered(kind, name, event)
    elif isinstance(event, DatasetRegistered):
        changed = _registered(name, event)
    elif isinstance(event, (DatasetRetired, Withdrawn)):
        changed = {**(document or {}), "state": "retired" if kind == "dataset" else "withdrawn"}
    else:
        return []
    names = current(NAMES, ALL) or NO_NAMES
    learned = _learn(names, changed)
    return [Change(KIND, f"{kind}/{name}", changed), *([] if learned == names else [Change(NAMES, ALL, learned)])]


def _offered(kind: str, name: str, event: Offered) -> Body:
    it = event.description
    return {
        "kind": kind,
        "name": name,
        "version": it.version,
        "description": it.description,
        "distribution": it.distribution,
        "settings": plain(it.settings),
        "state": "offered",
    }


def _registered(name: str, event: DatasetRegistered) -> Body:
    it = event.content
    return {
        "kind": "dataset",
        "name": name,
        "version": event.version,
        "rows": it.rows,
        "columns": dict(it.columns),
        "target": it.target,
        "classes": list(it.classes),
        "sha256": it.blob.sha256,
        "licence": it.licence,
        "source": it.source,
        "state": "offered",
    }


def _learn(names: Body, document: Body) -> Body:
    return LEARN[document["kind"]](names, document)


def _learn_measure(names: Body, document: Body) -> Body:
    average = document["settings"].get("average") or {}
    known = {"default": average.get("default"), "averages": average.get("choices", [])}
    return {**names, "measures": {**names["measures"], document["name"]: known}}


def _learn_model(names: Body, document: Body) -> Body:
    return {**names, "settings": sorted({*names["settings"], *document["settings"]})}


def _learn_dataset(names: Body, document: Body) -> Body:
    return {**names, "datasets": sorted({*names["datasets"], document["name"]})}


LEARN: dict[str, Callable[[Body, Body], Body]] = {
    "measure": _learn_measure,
    "model": _learn_model,
    "dataset": _learn_dataset,
}
