"""The catalog: documents `model/x`, `measure/x`, `dataset/x`, one of all names that a filter may use; its answers.

Each version of a data set has a document of its own, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from domain.dataset import DatasetRegistered, DatasetRetired, retired_error
from domain.errors import NotFoundError
from domain.lookup import nearest_names
from domain.offer import EntryOffered, EntryWithdrawn
from projections.jsonable import to_jsonable
from projections.ports import Body, Change, Current, Documents, Recorded

KIND = "catalog"
DATASET_VERSION = "dataset-version"  # named `penguins@2`
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
    changes = [Change(KIND, f"{kind}/{name}", changed)]
    if isinstance(event, DatasetRegistered):
        changes.append(
            Change(DATASET_VERSION, f"{name}@{event.version}", {**changed, "kind": DATASET_VERSION}, is_new=True)
        )
    return changes if learned == names else [*changes, Change(NAMES, ALL, learned)]


def _offered(kind: str, name: str, event: EntryOffered) -> Body:
    it = event.description
    return {
        "kind": kind,
        "name": name,
        "version": it.version,
        "description": it.description,
        "tasks": list(it.tasks),
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
        "task": it.task,
        "classes": list(it.classes),
        "positive": it.positive,
        "sha256": it.blob.sha256,
        "licence": it.licence,
        "source": it.source,
        "reading": None if it.reading is None else to_jsonable(it.reading.model_dump()),
        "notes": list(it.notes),
        "profile": None if it.profile is None else to_jsonable(it.profile.model_dump()),
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
    """Return `models`, `datasets`, `measures` (or one of them; with a name, that one alone). Raises NotFoundError.

    A data set that is named has its `versions`; `penguins@1` names one of them.
    """
    if part is not None and part not in PARTS:
        raise NotFoundError.for_name("part of the catalog", part, nearest_names(part, PARTS))
    answer: Body = {
        one: offered(document.body for document in documents.versions(KIND, at, f"{PARTS[one]}/"))
        for one in ([part] if part else PARTS)
    }
    if name is not None and part is not None:
        plain, _, version = name.partition("@") if part == "datasets" else (name, "", "")
        chosen = [it for it in answer[part] if it["name"] == plain]
        if not chosen:
            document = documents.get(KIND, f"{PARTS[part]}/{plain}", at)
            if document is not None and document.body["state"] == "retired":
                raise retired_error(plain)
            near = nearest_names(plain, [it["name"] for it in answer[part]])
            raise NotFoundError.for_name(CALLED[PARTS[part]], plain, near, f"autolearn catalog {part}")
        if part == "datasets":
            chosen = [_with_versions(documents, plain, version, at)]
        answer[part] = chosen
    return answer | {"position": at}


def _with_versions(documents: Documents, name: str, version: str, at: int) -> Body:
    bodies = [document.body for document in documents.versions(DATASET_VERSION, at, f"{name}@")]
    entries = sorted(offered(bodies), key=lambda it: int(it["version"]))
    chosen = entries[-1:] if not version else [it for it in entries if str(it["version"]) == version]
    if not chosen:
        raise NotFoundError.for_version(name, version, len(entries))
    return {**chosen[0], "versions": [_in_short(it) for it in entries]}


def _in_short(version: Body) -> Body:
    return {key: version[key] for key in ("version", "rows", "target", "sha256")} | {"columns": len(version["columns"])}


def offered(bodies: Iterable[Body]) -> list[Body]:
    """Return what is on offer among catalog documents, as the answer shows it."""
    on_offer = [body for body in bodies if body["state"] == "offered"]
    return [{key: value for key, value in body.items() if key not in HIDDEN} for body in on_offer]
