"""The read models' collections in MongoDB, by generations: one serves, a rebuild makes the next.

`read-documents-3` and `read-history-3` were made for generation 3. In `read-models`, `{_id: "generation-3", version,
versions, collections, positions}` says of each projection which version it is, in which collection, and how far;
`{_id: "v5", generation, caught_up}` which generation serves the programs whose versions sum up to 5; `{_id: "last",
number}` counts. A rebuild of one projection, and a program with another version of one, share the other collections
with the generation before: what a projection writes follows from the log alone, so several processes may write it. What
that projection had in a shared collection stays there and is read no more.
"""

from __future__ import annotations

from collections.abc import Collection as AnyOf
from collections.abc import Iterator, Mapping
from threading import Lock
from time import monotonic
from typing import Final

from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection

from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.mongo import Fields, Mongo, as_ours
from adapters.distributed.read_models.history_indexes import INDEXES
from domain.errors import NotAbleError
from projections.fold import PROJECTION_OF, VERSION, VERSIONS

POINTER_SECONDS: Final = 0.25  # how late a switch to another generation is seen
STATE: Final = "read-models"
HISTORY: Final = "history"
NONE_YET: Final = 0
COLLECTION: Final = "read-(documents|history)-[0-9]+"
FIRST_FORM: Final = r"v[0-9]+-[0-9]+"  # of read models with one version for all: `v1-3`, `read-v1-3.documents`


class ReadModels:
    """One generation where its number is given, else whichever serves at the time of each question.

    Where none serves yet, all is empty and the position 0. Raises NotAbleError where MongoDB cannot answer.
    """

    def __init__(self, mongo: Mongo, generation: int | None = None) -> None:
        self.mongo = mongo
        self.is_following = generation is None
        self._current: tuple[int, Mapping[str, str]] = NONE_YET, {}
        self._seen_at = float("-inf")
        self._turn = Lock()
        if generation:
            self._load(generation)

    @classmethod
    def current(cls, mongo: Mongo) -> ReadModels:
        """Return the ones that serve, followed through every switch."""
        return cls(mongo)

    @classmethod
    def fresh(cls, mongo: Mongo, projection: str | None = None) -> ReadModels:
        """Make the next generation: all of it empty, or one projection, beside the others of the one that serves."""
        base = None if projection is None else _generation(mongo, serving(mongo))
        return _make(mongo, base, {*VERSIONS} - {projection})

    @classmethod
    def ensure(cls, mongo: Mongo) -> ReadModels:
        """Return the ones that serve, followed; where none does, a generation serves from now on.

        It shares the collections of an older program's generation whose projections have the same versions.
        """
        read = cls.current(mongo)
        if read.number == NONE_YET:
            base = _generation(mongo, _serving_older(mongo))
            made = _make(mongo, base, [it for it in VERSIONS if base and base["versions"].get(it) == VERSIONS[it]])
            first = {"$set": {"generation": {"$ifNull": ["$generation", made.number]}}}
            with as_ours():  # of several who do this one wins
                mongo.collection(STATE).update_one({"_id": _pointer()}, [first], upsert=True)
            read.look()
        return read

    @property
    def number(self) -> int:
        """The number of the generation, 0 where none serves yet."""
        return self._served()[0]

    def look(self) -> None:
        """Read now which generation serves."""
        if self.is_following:
            with self._turn:
                self._load(serving(self.mongo))
                self._seen_at = monotonic()

    def pinned(self) -> ReadModels:
        """Return the generation that serves now, whatever serves later."""
        return ReadModels(self.mongo, self.number)

    def collection(self, projection: str) -> Collection[Fields]:
        """Return versions of documents, `{_id: {kind, id, since}, until, body: JSON text}`, or of history rows."""
        return self.mongo.collection(self._served()[1].get(projection, _collection(projection, NONE_YET)))

    def documents(self, kind: str) -> Collection[Fields]:
        return self.collection(PROJECTION_OF[kind])

    @property
    def history(self) -> Collection[Fields]:
        """Versions of history rows, see `history_rows`."""
        return self.collection(HISTORY)

    @property
    def layouts(self) -> list[CollectionSpec]:
        """How the collections must be."""
        indexes = [IndexModel(list(keys)) for keys in INDEXES]
        documents = {self.collection(name).name for name in VERSIONS if name != HISTORY}
        return [*map(CollectionSpec, sorted(documents)), CollectionSpec(self.history.name, indexes)]

    def positions(self) -> dict[str, int]:
        """Return how far each projection is."""
        found = _generation(self.mongo, self.number)
        return {name: int(found["positions"][name]) if found else 0 for name in VERSIONS}

    def progress(self) -> int:
        """Return the position of the last commit that is wholly folded in."""
        return min(self.positions().values())

    def advance(self, position: int, projections: AnyOf[str] = tuple(VERSIONS)) -> None:
        """Let a position of some projections be visible; never goes back."""
        reached = {f"positions.{name}": position for name in projections}
        with as_ours():
            self.mongo.collection(STATE).update_one({"_id": _name(self.number)}, {"$max": reached})

    def have_caught_up(self) -> bool:
        """Whether read models of this version were ever as far as the log: before that they lack what is long past."""
        with as_ours():
            state = self.mongo.collection(STATE).find_one({"_id": _pointer()})
        return bool(state and state.get("caught_up"))

    def note_caught_up(self) -> None:
        with as_ours():
            self.mongo.collection(STATE).update_one({"_id": _pointer()}, {"$set": {"caught_up": True}})

    def _served(self) -> tuple[int, Mapping[str, str]]:
        if self.is_following and monotonic() - self._seen_at > POINTER_SECONDS:
            self.look()
        return self._current

    def _load(self, number: int) -> None:
        if number != self._current[0]:
            found = _generation(self.mongo, number)
            self._current = number, found["collections"] if found else {}


def _make(mongo: Mongo, base: Fields | None, shared: AnyOf[str]) -> ReadModels:
    """Make a generation that shares collections with another one; nobody else gets its number."""
    state = mongo.collection(STATE)
    with as_ours():
        counted = state.find_one_and_update(
            {"_id": "last"}, {"$inc": {"number": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        number = int(counted["number"] if counted else 1)
        collections = {name: _collection(name, number) for name in VERSIONS}
        positions = dict.fromkeys(VERSIONS, 0)
        if base is not None:
            collections |= {name: base["collections"][name] for name in shared}
            positions |= {name: base["positions"][name] for name in shared}
        made = {"version": VERSION, "versions": {**VERSIONS}, "collections": collections, "positions": positions}
        state.insert_one({"_id": _name(number), **made})
        # Told before it was looked for: whoever removes that one from now on knows what this one shares.
        if shared and base is not None and state.find_one({"_id": base["_id"]}) is None:
            state.delete_one({"_id": _name(number)})
            raise NotAbleError("Other read models serve since a moment ago: begin again.")
    read = ReadModels(mongo, number)
    for collection in read.layouts:
        if _number(collection.name) == number:
            collection.make_compressed(mongo)
    return read


def serving(mongo: Mongo) -> int:
    """Return the number of the generation that serves this version of the projections, 0 where none does."""
    with as_ours():
        state = mongo.collection(STATE).find_one({"_id": _pointer()})
    return int(state.get("generation", NONE_YET)) if state else NONE_YET


def make_current(mongo: Mongo, number: int) -> None:
    """Let a generation serve that has come as far as the one before it, which is kept for whoever reads it now.

    Generations older than those two go, as nobody reads them any more; repeated, it does nothing. Raises NotAbleError
    where a younger one serves already, or another one than that with which it shares collections.
    """
    before, made = serving(mongo), _generation(mongo, number)
    if before == number:
        return
    served = (_generation(mongo, before) or {"collections": {}})["collections"].values()
    foreign = [it for it in (made or {"collections": {}})["collections"].values() if _number(it) != number]
    if before > number or made is None or not set(foreign) <= set(served):
        raise NotAbleError(f"A younger generation of the read models serves already than {number}: rebuild again.")
    expected = {"_id": _pointer(), "generation": before or {"$exists": False}}
    with as_ours():
        pointer = mongo.collection(STATE)
        changed = pointer.update_one(expected, {"$set": {"generation": number}}, upsert=before == NONE_YET)
    if not (changed.matched_count or changed.upserted_id):
        raise NotAbleError(f"Another generation of the read models began to serve before {number}: rebuild again.")
    older = [name for name, it in _generations(mongo).items() if it["version"] == VERSION and _number(name) < before]
    if older:
        _remove(mongo, older, before)


def begin_anew(mongo: Mongo) -> None:
    """Let a new, empty generation serve in the place of one that is ahead of the log; the next fold fills it."""
    make_current(mongo, ReadModels.fresh(mongo).number)
    with as_ours():
        mongo.collection(STATE).update_one({"_id": _pointer()}, {"$unset": {"caught_up": ""}})


def sweep(mongo: Mongo, before: int = VERSION) -> list[int]:
    """Remove what only older versions of the projections have, and return which: once none of their processes runs."""
    with as_ours():
        found = list(mongo.collection(STATE).find({"_id": {"$regex": "^v[0-9]+$"}}, {"_id": 1}))
        versions = [version for it in found if (version := int(it["_id"][1:])) < before]
        if versions:
            mongo.collection(STATE).delete_many({"_id": {"$in": [_pointer(version) for version in versions]}})
            mongo.collection(STATE).delete_many({"_id": {"$regex": f"^{FIRST_FORM}$"}})
            for name in mongo.database.list_collection_names(filter={"name": {"$regex": f"^read-{FIRST_FORM}[.]"}}):
                mongo.collection(name).drop()
    if versions:
        _remove(mongo, [name for name, it in _generations(mongo).items() if it["version"] < before])
    return versions


def _remove(mongo: Mongo, names: AnyOf[str], before: float = float("inf")) -> None:
    """Remove generations, and collections made for one before a number that no generation has any more."""
    with as_ours():
        mongo.collection(STATE).delete_many({"_id": {"$in": [*names]}})
    kept = {name for it in _generations(mongo).values() for name in it["collections"].values()}
    for name, made_for in _present(mongo).items():
        if made_for < before and name not in kept:
            with as_ours():
                mongo.collection(name).drop()


def pointer_faults(mongo: Mongo) -> Iterator[str]:
    """Yield what is wrong with the documents that tell which generation serves, what it has, and which comes next."""
    generations, present, serves = _generations(mongo), _present(mongo), serving(mongo)
    with as_ours():
        last = (mongo.collection(STATE).find_one({"_id": "last"}) or {}).get("number", 0)
    if serves != NONE_YET:
        yield from _generation_faults(serves, generations.get(_name(serves)), present)
    if max([serves, *present.values(), *map(_number, generations)], default=0) > last:
        yield f"the next generation of the read models would be {last + 1}, which is there already"


def _generation_faults(number: int, served: Fields | None, present: AnyOf[str]) -> Iterator[str]:
    if served is None or served["collections"].get(HISTORY) not in present:
        yield f"generation {number} of the read models is to serve, and has no collections"
        return
    it, collections, positions = f"generation {number} of the read models", served["collections"], served["positions"]
    if (served["version"], served["versions"]) != (VERSION, VERSIONS):
        yield f"{it} is of the versions {served['versions']} ({served['version']}), and serves {VERSIONS} ({VERSION})"
    names = {name: _collection(name, _number(str(of_it))) for name, of_it in collections.items()}
    if {*collections} != {*VERSIONS} or names != collections:
        yield f"{it} has other collections than those of its projections: {collections}"
    if {*positions} != {*VERSIONS} or any(not isinstance(it, int) or it < 0 for it in positions.values()):
        yield f"{it} has other positions than those of its projections: {positions}"
    elif len({*positions.values()}) > 1:
        yield f"the projections are not all as far: one is being rebuilt, or their positions are wrong: {positions}"


def _serving_older(mongo: Mongo) -> int:
    """Return the number of the generation that serves the next older version of the projections."""
    with as_ours():
        found = list(mongo.collection(STATE).find({"_id": {"$regex": "^v[0-9]+$"}}))
    older = {int(it["_id"][1:]): int(it.get("generation", NONE_YET)) for it in found}
    return older.get(max((it for it in older if it < VERSION), default=0), NONE_YET)


def _generation(mongo: Mongo, number: int) -> Fields | None:
    with as_ours():
        return mongo.collection(STATE).find_one({"_id": _name(number)})


def _generations(mongo: Mongo) -> dict[str, Fields]:
    with as_ours():
        return {it["_id"]: it for it in mongo.collection(STATE).find({"_id": {"$regex": "^generation-[0-9]+$"}})}


def _present(mongo: Mongo) -> dict[str, int]:
    """Return the collections that are there, and for which generation each was made."""
    with as_ours():
        found = mongo.database.list_collection_names(filter={"name": {"$regex": f"^{COLLECTION}$"}})
    return {name: _number(name) for name in found}


def _collection(projection: str, number: int) -> str:
    return f"read-{HISTORY if projection == HISTORY else 'documents'}-{number}"


def _number(name: str) -> int:
    number = name.rpartition("-")[2]
    return int(number) if number.isdecimal() else NONE_YET


def _name(number: int) -> str:
    return f"generation-{number}"


def _pointer(version: int = VERSION) -> str:
    return f"v{version}"
