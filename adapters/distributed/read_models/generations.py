"""The read models' collections in MongoDB, by generations: one serves, named by a document; a rebuild writes the next.

`read-v1-3.documents` and `read-v1-3.history` are generation 3 of version 1 of the projections. In `read-models`, `{_id:
"v1", last, generation, caught_up}` counts and names the one that serves, `{_id: "v1-3", position}` tells how far one
has come. Versions never touch each other's, so that old and new programs run side by side during an upgrade.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from time import monotonic
from typing import Final

from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection

from adapters.distributed.layout import Layout
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.distributed.read_models.history_indexes import INDEXES
from domain.errors import NotAbleError
from projections.fold import VERSION

POINTER_SECONDS: Final = 0.25  # how late a switch to another generation is seen
STATE: Final = "read-models"
INDEXED: Final = "history"  # made with every generation
PARTS: Final = ("documents", INDEXED)
NONE_YET: Final = 0


class ReadModels:
    """One generation where its number is given, else whichever serves at the time of each question.

    Where none serves yet, all is empty and the position 0. Raises NotAbleError where MongoDB cannot answer.
    """

    def __init__(self, mongo: Mongo, generation: int | None = None) -> None:
        self.mongo = mongo
        self.is_following = generation is None
        self._number = generation or NONE_YET
        self._seen_at = float("-inf")
        self._turn = Lock()

    @classmethod
    def current(cls, mongo: Mongo) -> ReadModels:
        """Return the ones that serve, followed through every switch."""
        return cls(mongo)

    @classmethod
    def fresh(cls, mongo: Mongo) -> ReadModels:
        """Make the next generation, empty, with its indexes; nobody else gets its number."""
        with as_ours():
            state = mongo.collection(STATE).find_one_and_update(
                {"_id": _version()}, {"$inc": {"last": 1}}, upsert=True, return_document=ReturnDocument.AFTER
            )
            made = cls(mongo, int(state["last"] if state else 1))
            made.history.create_indexes([*made.layouts[1].indexes])
        return made

    @classmethod
    def ensured(cls, mongo: Mongo) -> ReadModels:
        """Return the ones that serve, followed; where none does, an empty generation serves from now on."""
        read = cls.current(mongo)
        if read.number == NONE_YET:
            made = cls.fresh(mongo)
            first = {"_id": _version(), "generation": {"$exists": False}}  # of several who do this one wins
            with as_ours():
                mongo.collection(STATE).update_one(first, {"$set": {"generation": made.number}})
            read.look()
        return read

    @property
    def number(self) -> int:
        """The number of the generation, 0 where none serves yet."""
        if self.is_following and monotonic() - self._seen_at > POINTER_SECONDS:
            self.look()
        return self._number

    def look(self) -> None:
        """Read now which generation serves."""
        if self.is_following:
            with self._turn:
                self._number = serving(self.mongo)
                self._seen_at = monotonic()

    def pinned(self) -> ReadModels:
        """Return the generation that serves now, whatever serves later."""
        return ReadModels(self.mongo, self.number)

    @property
    def documents(self) -> Collection[Fields]:
        """Versions of documents: `{_id: {kind, id, since}, until, body: JSON text}`."""
        return self._part("documents")

    @property
    def history(self) -> Collection[Fields]:
        """Versions of history rows, see `history_rows`."""
        return self._part(INDEXED)

    @property
    def layouts(self) -> tuple[Layout, Layout]:
        """How the two collections must be."""
        documents, history = (f"{_name(self.number)}.{part}" for part in PARTS)
        return Layout(documents), Layout(history, [IndexModel(list(keys)) for keys in INDEXES])

    def progress(self) -> int:
        """Return the position of the last commit that is wholly folded in."""
        with as_ours():
            found = self.mongo.collection(STATE).find_one({"_id": _progress(self.number)})
        return int(found["position"]) if found else 0

    def advance(self, position: int) -> None:
        """Let a position be visible; never goes back."""
        with as_ours():
            here = {"_id": _progress(self.number)}
            self.mongo.collection(STATE).update_one(here, {"$max": {"position": position}}, upsert=True)

    def have_caught_up(self) -> bool:
        """Whether read models of this version were ever as far as the log: before that they lack what is long past."""
        with as_ours():
            state = self.mongo.collection(STATE).find_one({"_id": _version()})
        return bool(state and state.get("caught_up"))

    def note_caught_up(self) -> None:
        """Remember that they were."""
        with as_ours():
            self.mongo.collection(STATE).update_one({"_id": _version()}, {"$set": {"caught_up": True}})

    def _part(self, part: str) -> Collection[Fields]:
        return self.mongo.collection(f"{_name(self.number)}.{part}")


def serving(mongo: Mongo) -> int:
    """Return the number of the generation that serves this version of the projections, 0 where none does."""
    with as_ours():
        state = mongo.collection(STATE).find_one({"_id": _version()})
    return int(state.get("generation", NONE_YET)) if state else NONE_YET


def make_current(mongo: Mongo, generation: int) -> None:
    """Let a generation serve that has come as far as the one before it, which is kept for whoever reads it now.

    Generations older than those two are dropped, as nobody reads them any more; repeated, it does nothing. Raises
    NotAbleError where a younger one serves already: this one may have been dropped while it was written.
    """
    not_younger = {"_id": _version(), "generation": {"$not": {"$gt": generation}}}
    with as_ours():
        state = mongo.collection(STATE).find_one_and_update(not_younger, {"$set": {"generation": generation}})
    if state is None:
        raise NotAbleError(f"A younger generation of the read models serves already than {generation}: rebuild again.")
    before = int(state.get("generation", NONE_YET))
    if before != generation:
        for number in _present(mongo):
            if number < before:
                drop(mongo, number)


def begin_anew(mongo: Mongo) -> None:
    """Let a new, empty generation serve in the place of one that is ahead of the log; the next fold fills it."""
    make_current(mongo, ReadModels.fresh(mongo).number)
    with as_ours():
        mongo.collection(STATE).update_one({"_id": _version()}, {"$unset": {"caught_up": ""}})


def _present(mongo: Mongo) -> list[int]:
    """Return the numbers of the generations of this version that have collections, oldest first."""
    names = {"name": {"$regex": f"^read-{_version()}-[0-9]+[.]{INDEXED}$"}}
    with as_ours():
        found = mongo.database.list_collection_names(filter=names)
    return sorted(int(name.partition(".")[0].rpartition("-")[2]) for name in found)


def pointer_faults(mongo: Mongo) -> Iterator[str]:
    """Yield what is wrong with the document that tells which generation serves, and which comes next."""
    with as_ours():
        state = mongo.collection(STATE).find_one({"_id": _version()}) or {}
    serves, last, there = state.get("generation", NONE_YET), state.get("last", 0), _present(mongo)
    if serves != NONE_YET and serves not in there:
        yield f"generation {serves} of the read models is to serve, and has no collections"
    if max([serves, *there], default=0) > last:
        yield f"the next generation of the read models would be {last + 1}, which is there already"


def drop(mongo: Mongo, generation: int, version: int = VERSION) -> None:
    """Remove a generation; safe to repeat."""
    with as_ours():
        mongo.collection(STATE).delete_one({"_id": _progress(generation, version)})
        for part in PARTS:  # the one by which it is known last
            mongo.collection(f"{_name(generation, version)}.{part}").drop()


def sweep(mongo: Mongo, before: int = VERSION) -> None:
    """Remove what older versions of the projections wrote; only once none of their processes runs any more."""
    for version in range(1, before):
        with as_ours():
            state = mongo.collection(STATE).find_one_and_delete({"_id": _version(version)})
        for number in range(1, int(state["last"]) + 1 if state else 1):
            drop(mongo, number, version)


def _version(version: int = VERSION) -> str:
    return f"v{version}"


def _progress(generation: int, version: int = VERSION) -> str:
    return f"{_version(version)}-{generation}"


def _name(generation: int, version: int = VERSION) -> str:
    return f"read-{_progress(generation, version)}"
