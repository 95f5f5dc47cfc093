"""The catalog: documents `model/x`, `measure/x`, `dataset/x`, one of all names that a filter may use; its answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.dataset import DatasetRegistered, DatasetRetired, retired_error
from domain.errors import NotFoundError
from domain.lookup import nearest_names
from domain.offer import EntryOffered, EntryWithdrawn
from projections.jsonable import to_jsonable
from projections.ports import Body, Change, Current, Documents, Recorded

KIND = "catalog"
NAMES = "names"
ALL = "all"
NO_NAMES: Body = {"measures": {}, "settings": [], "datasets": []}
PARTS = {"models": "model", "datasets": "dataset", "measures": "measure"}
CALLED = {"model": "model", "dataset": "data set", "measure": "measure"}
HIDDEN = ("kind", "state")


def evolve(recorded: Recorded, current: Current) -> list[Change]:
    """Names stay known for ever: old experiments keep using them."""
    event = recorded.event
    kind, _, name = event.originator_id.partition(":")
    document = current(KIND, f"{kind}/{name}")
    if isinstance(event, EntryOffered):
        changed = _offered(kind, name, event)
    elif isinstance(event, DatasetRegistered):
        changed = _registered(name, event)
    elif isinstance(event, (DatasetRetired, EntryWithdrawn)):
        changed = {**(document or {}), "state": "retired" if kind == "dataset" else "withdrawn"}
    else:
        return []
    names = current(NAMES, ALL) or NO_NAMES
    learned = LEARN[changed["kind"]](names, changed)
    return [Change(KIND, f"{kind}/{name}", changed), *([] if learned == names else [Change(NAMES, ALL, learned)])]


def _offered(kind: str, name: str, event: EntryOffered) -> Body:
    it = event.description
    return {
        "kind": kind,
        "name": name,
        "version": it.version,
        "description": it.description,
        "distribution": it.distribution,
        "settings": to_jsonable(it.settings),
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


def catalog_answer(documents: Documents, part: str | None, name: str | None, at: int) -> Body:
    """Return `models`, `datasets`, `measures` (or one of them; with a name, that one alone). Raises NotFoundError."""
    if part is not None and part not in PARTS:
        raise NotFoundError.for_name("part of the catalog", part, nearest_names(part, PARTS))
    answer: Body = {
        one: offered(document.body for document in documents.versions(KIND, at, f"{PARTS[one]}/"))
        for one in ([part] if part else PARTS)
    }
    if name is not None and part is not None:
        chosen = [it for it in answer[part] if it["name"] == name]
        if not chosen:
            document = documents.get(KIND, f"{PARTS[part]}/{name}", at)
            if document is not None and document.body["state"] == "retired":
                raise retired_error(name)
            near = nearest_names(name, [it["name"] for it in answer[part]])
            raise NotFoundError.for_name(CALLED[PARTS[part]], name, near, f"autolearn catalog {part}")
        answer[part] = chosen
    return answer | {"position": at}


def offered(bodies: Iterable[Body]) -> list[Body]:
    """Return what is on offer among catalog documents, as the answer shows it."""
    on_offer = [body for body in bodies if body["state"] == "offered"]
    return [{key: value for key, value in body.items() if key not in HIDDEN} for body in on_offer]
