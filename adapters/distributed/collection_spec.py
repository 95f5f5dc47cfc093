"""Collections as they must be: what kind they are, with which options, indexes and validator; made, and checked."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo import IndexModel
from pymongo.errors import OperationFailure

from adapters.distributed.mongo import Fields, Mongo, as_ours
from domain.errors import ConflictError

logger = logging.getLogger(__name__)

THERE_ALREADY: Final = 48  # NamespaceExists: another process was first
DENIED: Final = {13, 8000}
NO_INDEX: Final = {85, 86, 11000}  # another one has its name, or its keys; what is stored does not fit it
HARMLESS_OPTIONS: Final = {
    "storageEngine", "indexOptionDefaults", "changeStreamPreAndPostImages", "recordPreImages"
}  # fmt: skip
UNCOMPARED: Final = {"v", "ns", "background"}  # what an index says of itself and does not change what it answers
PLAIN: Final = {"key", "name"}
OWN: Final = "_id_"
UNKNOWN_OPTION: Final = {2, 72}  # BadValue, InvalidOptions: a server with another storage engine
# Documents and indexes whose neighbours resemble each other take half as much room as by MongoDB's default, snappy for
# documents and nothing for indexes.
ZSTD: Final[Fields] = {"storageEngine": {"wiredTiger": {"configString": "block_compressor=zstd"}}}


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """One collection. `validator`: the JSON schema that the server holds every write against."""

    name: str
    indexes: Sequence[IndexModel] = ()
    validator: Fields | None = None

    @property
    def options(self) -> Fields:
        if self.validator is None:
            return {}
        schema = {"$jsonSchema": self.validator}
        return {"validator": schema, "validationLevel": "strict", "validationAction": "error"}

    def ensure(self, mongo: Mongo) -> None:
        """Make the collection, or what it lacks; raises NotAbleError, ConflictError where an index cannot be made."""
        with as_ours():
            self._ensure_options(mongo)
            try:
                if self.indexes:
                    mongo.collection(self.name).create_indexes(list(self.indexes))
            except OperationFailure as refused:
                if refused.code not in NO_INDEX:
                    raise
                raise ConflictError(
                    f"An index of {mongo.name}.{self.name} is missing, or is another one, and cannot be made: "
                    f"{str(refused)[:300]}. `autolearn verify` lists what is wrong."
                ) from refused

    def make_compressed(self, mongo: Mongo) -> None:
        """Make a collection that is not there yet, compressed by zstd where the server can, and its indexes.

        Where `_id` has the only index, that one stays as it is: its ids come in no order, so each of its pages would be
        compressed again and again.
        """
        options = ZSTD | {"indexOptionDefaults": ZSTD} if self.indexes else ZSTD
        with as_ours():
            try:
                mongo.database.create_collection(self.name, check_exists=False, **options)
            except OperationFailure as refused:
                if refused.code not in UNKNOWN_OPTION:  # there it is made by the first document
                    raise
        self.ensure(mongo)

    def _ensure_options(self, mongo: Mongo) -> None:
        if not self.options:
            return
        found = _find(mongo, self.name)
        if found is None:
            try:
                mongo.database.create_collection(self.name, check_exists=False, **self.options)
            except OperationFailure as refused:
                if refused.code != THERE_ALREADY:
                    raise
        elif found.get("type") == "collection" and any(
            found["options"].get(name) != value for name, value in self.options.items()
        ):
            self._set_options(mongo)

    def _set_options(self, mongo: Mongo) -> None:
        try:
            mongo.database.command("collMod", self.name, **self.options)
        except OperationFailure as refused:
            if refused.code not in DENIED:
                raise
            logger.warning("%s.%s has not the validator of this version: collMod is denied", mongo.name, self.name)

    def faults(self, mongo: Mongo) -> Iterator[str]:
        """Yield what is otherwise; a collection that is not there is one, where it needs indexes or a validator."""
        with as_ours():
            found = _find(mongo, self.name)
            if found is None:
                if self.indexes or self.validator:
                    yield f"the collection {self.name} is not there"
                return
            yield from self._option_faults(found)
            if found.get("type") != "view":
                indexes = [dict(it) for it in mongo.collection(self.name).list_indexes()]
                yield from self._index_faults(indexes)

    def _option_faults(self, found: Mapping[str, Any]) -> Iterator[str]:
        if (kind := found.get("type")) != "collection":
            yield f"{self.name} is a {kind}, not a collection of its own"
        options = found.get("options", {})
        for name in sorted({*options, *self.options} - HARMLESS_OPTIONS):
            if name not in self.options:
                yield f"the collection {self.name} has the option {name}: {str(options[name])[:200]}"
            elif options.get(name) != self.options[name]:
                has = "another" if name in options else "no"
                yield f"the collection {self.name} has {has} {name}: the next start sets it, where it may collMod"

    def _index_faults(self, found: Sequence[Fields]) -> Iterator[str]:
        described = {str(it.get("name")): {name: it[name] for name in it if name not in UNCOMPARED} for it in found}
        wanted = {str(it["name"]): dict(it) for it in (index.document for index in self.indexes)}
        wanted[OWN] = {"key": {"_id": 1}, "name": OWN}
        for name, index in wanted.items():
            if name not in described:
                yield f"the collection {self.name} lacks the index {name}"
            elif not _are_same(described[name], index):
                yield f"the index {name} of {self.name} is another one: {described[name]}"
        keys = [_key(index) for index in wanted.values()]
        for name in sorted({*described} - {*wanted}):
            if {*described[name]} != PLAIN or _key(described[name]) in keys:
                yield f"the collection {self.name} has the index {name} of somebody else: {described[name]}"


def _find(mongo: Mongo, name: str) -> Mapping[str, Any] | None:
    return next(iter(mongo.database.list_collections(filter={"name": name})), None)


def _are_same(one: Fields, other: Fields) -> bool:
    """Tell whether two indexes are; the order of their keys counts."""
    return one == other and _key(one) == _key(other)


def _key(index: Fields) -> tuple[Any, ...]:
    return tuple(index["key"].items())
