"""The catalog in Python: models, measures and data sets, and tables that become data sets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from autolearn.errors import InvalidInputError
from autolearn.methods import Methods, Named, dataset_in, id_in
from autolearn.moments import Moment
from autolearn.requests import dataset_query, file_query
from autolearn.results import Listing, Result, Table
from autolearn.table_files import TableSource, table_file
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

    def add_dataset(
        self,
        table: TableSource,
        name: str,
        *,
        target: str | None = None,
        licence: str | None = None,
        source: str | None = None,
        separator: str | None = None,
        decimal: str | None = None,
        thousands: str | None = None,
        encoding: str | None = None,
        missing: Sequence[str] = (),
        types: Mapping[str, str] | None = None,
        dayfirst: bool = False,
        sheet: str | None = None,
        drop: Sequence[str] = (),
        drop_missing_target: bool = False,
        positive: str | None = None,
        task: str | None = None,
        like: Named | None = None,
    ) -> Dataset:
        """Add a file, a frame or a list of dictionaries to the catalog; other content of a known name is a new version.

        How a file is written is found where it leaves no doubt; every decision can be given. `target` is the column to
        predict, by default that of `like`, an earlier version.
        """
        if target is None and like is None:
            raise InvalidInputError("Name the column to predict, target=, or an earlier version, like=.")
        facts = dataset_query(
            name=name,
            target=target,
            licence=licence,
            source=source,
            separator=separator,
            decimal=decimal,
            thousands=thousands,
            encoding=encoding,
            missing=missing,
            types=types,
            dayfirst=dayfirst,
            sheet=sheet,
            drop=drop,
            drop_missing_target=drop_missing_target,
            positive=positive,
            task=task,
            like=None if like is None else dataset_in(like),
        )
        with table_file(table) as file:
            return Dataset.of(self.client.upload("catalog", "datasets", file=file, **file_query(file), **facts))

    def retire_dataset(self, name: Named) -> Result:
        """Take a data set off the catalog; what was trained on it stays reproducible."""
        return Result.of(self.client.post("catalog", "datasets", id_in(name, "name"), "retirement"))
