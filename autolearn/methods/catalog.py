"""The catalog in Python: models, measures and data sets, and tables that become data sets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from autolearn.methods import Methods, Named, dataset_in
from autolearn.moments import Moment
from autolearn.results import Listing, Result, Table
from autolearn.views import View
from autolearn.views.catalog import catalog_blocks, entry_blocks
from autolearn.views.profile import profile_blocks


class Entry(Result):
    """A model or a measure on offer: for which tasks, with which settings."""

    __slots__ = ()
    name: str
    version: str
    tasks: list[str]
    description: str | None
    settings: dict[str, Any] | None
    VIEW: ClassVar[View] = View(entry_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("name", "version")


class Dataset(Result):
    """A version of a data set: how it was read, its columns, and what of it to look at before training."""

    __slots__ = ()
    name: str
    version: int
    target: str
    task: str
    rows: int
    columns: dict[str, str]
    classes: list[str]
    sha256: str
    notes: list[str]
    VIEW: ClassVar[View] = View(entry_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("name", "version", "rows", "target")


class Profile(Table[Result]):
    """What a data set holds; as a table, a row for each column."""

    __slots__ = ()
    name: str
    version: int
    profile: dict[str, Any] | None
    first_rows: list[dict[str, Any]]
    VIEW: ClassVar[View] = View(profile_blocks)
    NAMES: ClassVar[tuple[str, ...]] = ("name", "version")

    def __iter__(self) -> Iterator[Result]:
        return (Result(column, self.proof) for column in (self.profile or {}).get("columns", []))


class Catalog(Result):
    """Everything on offer."""

    __slots__ = ()
    models: list[dict[str, Any]]
    datasets: list[dict[str, Any]]
    measures: list[dict[str, Any]]
    VIEW: ClassVar[View] = View(catalog_blocks)


class CatalogMethods(Methods):
    """What is on offer, and what is added to it."""

    def catalog(self, *, as_of: Moment | None = None) -> Catalog:
        """Return all models, data sets and measures; `models()`, `datasets()` and `measures()` are tables of each."""
        return Catalog.of(self._ask("catalog", as_of=as_of))

    def models(self, *, as_of: Moment | None = None) -> Listing[Entry]:
        return Listing(self._ask("catalog", "models", as_of=as_of), Entry, View(catalog_blocks, rows="models"))

    def model(self, name: str, *, as_of: Moment | None = None) -> Entry:
        """Return a model with its settings: what each does, what it may be, its default."""
        return Entry.of(self._ask("catalog", "models", name, as_of=as_of))

    def measures(self, *, as_of: Moment | None = None) -> Listing[Entry]:
        return Listing(self._ask("catalog", "measures", as_of=as_of), Entry, View(catalog_blocks, rows="measures"))

    def measure(self, name: str, *, as_of: Moment | None = None) -> Entry:
        return Entry.of(self._ask("catalog", "measures", name, as_of=as_of))

    def datasets(self, *, as_of: Moment | None = None) -> Listing[Dataset]:
        return Listing(self._ask("catalog", "datasets", as_of=as_of), Dataset, View(catalog_blocks, rows="datasets"))

    def dataset(self, name: Named, *, as_of: Moment | None = None) -> Dataset:
        """Return a data set, or a version of it: `penguins@1`."""
        return Dataset.of(self._ask("catalog", "datasets", dataset_in(name), as_of=as_of))

    def profile(self, name: Named, *, rows: int | None = None, as_of: Moment | None = None) -> Profile:
        """Return what a data set holds, column by column, with up to 100 of its first rows."""
        return Profile.of(self._ask("catalog", "datasets", dataset_in(name), "profile", rows=rows, as_of=as_of))
