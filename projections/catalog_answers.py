"""What the catalog answers: what is on offer at a position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from domain.errors import NotFoundError
from projections.catalog import KIND
from projections.change import Body
from projections.nearest import nearest
from projections.paging import everything
from projections.ports import Documents

SHELVES = {"models": "model", "datasets": "dataset", "measures": "measure"}
CALLED = {"model": "model", "dataset": "data set", "measure": "measure"}
HIDDEN = ("kind", "state")


def catalog_answer(documents: Documents, shelf: str | None, name: str | None, at: int) -> Body:
    """Return `models`, `datasets`, `measures` (or one of them; with a name, that one alone). Raises NotFoundError."""
    if shelf is not None and shelf not in SHELVES:
        raise NotFoundError.named("part of the catalog", shelf, nearest(shelf, SHELVES))
    shelves = [shelf] if shelf else list(SHELVES)
    answer: Body = {one: offered(_shelf(documents, SHELVES[one], at)) for one in shelves}
    if name is not None and shelf is not None:
        chosen = [it for it in answer[shelf] if it["name"] == name]
        if not chosen:
            names = [it["name"] for it in answer[shelf]]
            raise NotFoundError.named(CALLED[SHELVES[shelf]], name, nearest(name, names))
        answer[shelf] = chosen
    return answer | {"position": at}


def offered(bodies: Iterable[Body]) -> list[Body]:
    """Return what is on offer among catalog documents, as the answer shows it."""
    on_offer = [body for body in bodies if body["state"] == "offered"]
    return [{key: value for key, value in body.items() if key not in HIDDEN} for body in on_offer]


def _shelf(documents: Documents, kind: str, at: int) -> Iterator[Body]:
    return (document.body for document in everything(documents, KIND, f"{kind}/", at))
