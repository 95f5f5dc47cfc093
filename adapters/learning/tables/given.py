"""What a caller may decide about a table instead of having it found: the `given` facts of an ingest."""

from __future__ import annotations

import codecs
from dataclasses import dataclass, field, fields
from typing import Any

from adapters.learning.tables.spellings import NumberSpelling
from domain.errors import BadInputError

TYPES = ("integer", "number", "boolean", "time", "string")
MARKS = {"none": "", "space": " ", "comma": ",", "point": ".", "dot": ".", "apostrophe": "'"}
SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "pipe": "|"}
USUAL_MISSING = (
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "N/A", "NA", "NULL",
    "NaN", "n/a", "nan", "null",
)  # fmt: skip
MOST_MISSING, LONGEST_MISSING = 100, 200


@dataclass(frozen=True)
class Given:
    """None or empty: it is found. `types` and `spellings` are by column; `columns`: exactly these are wanted.

    `missing` are texts instead of the usual ones; empty values are always missing. `earlier` has separator, encoding,
    sheet and positive class of the version that this is read like: they are looked for first.
    """

    separator: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    encoding: str | None = None
    missing: list[str] | None = None
    types: dict[str, str] = field(default_factory=dict)
    spellings: dict[str, str] = field(default_factory=dict)
    columns: list[str] | None = None
    dayfirst: bool = False
    sheet: str | None = None
    drop: list[str] = field(default_factory=list)
    drop_missing_target: bool = False
    positive: str | None = None
    task: str | None = None
    earlier: dict[str, str | None] = field(default_factory=dict)

    @property
    def missing_texts(self) -> list[str]:
        """Return the texts that stand for a missing value."""
        return list(USUAL_MISSING) if self.missing is None else list(dict.fromkeys(["", *self.missing]))


NOTHING_GIVEN = Given()


def read_given(facts: dict[str, Any]) -> Given:
    """Return what was given, words for marks replaced; raises BadInputError for what cannot be."""
    known = {it.name for it in fields(Given)}
    given = Given(**{name: value for name, value in facts.items() if name in known and value is not None})
    separator = _mark("separator", given.separator, SEPARATORS)
    if separator is not None and (len(separator) != 1 or not separator.isascii() or separator in '"\r\n\0'):
        raise BadInputError(f"The separator {separator!r} is not one ASCII character: give one, or `tab`.")
    decimal, thousands = _mark("decimal", given.decimal, MARKS), _mark("thousands", given.thousands, MARKS)
    if decimal not in {None, ".", ","}:
        raise BadInputError(f"The decimal mark {decimal!r} is not allowed: one of . ,")
    if thousands not in {None, "", ".", ",", " ", "'", "_"}:
        raise BadInputError(f"The thousands mark {thousands!r} is not allowed: one of . , ' _ space none")
    if thousands and thousands == decimal:
        raise BadInputError(f"The thousands mark and the decimal mark are both {decimal!r}: they must differ.")
    _check_encoding(given.encoding)
    wrong = [f"{name}={kind}" for name, kind in given.types.items() if kind not in TYPES]
    if wrong:
        raise BadInputError(f"There is no type {wrong[0]!r}: a column's type is one of {', '.join(TYPES)}.")
    if given.missing is not None and (
        len(given.missing) > MOST_MISSING or any(len(text) > LONGEST_MISSING for text in given.missing)
    ):
        raise BadInputError(f"At most {MOST_MISSING} texts for missing values, each of {LONGEST_MISSING} characters.")
    if given.task not in {None, "classification", "regression"}:
        raise BadInputError(f"There is no task {given.task!r}: classification or regression.")
    if any(NumberSpelling.of(name) is None and not name.startswith(("%", "ISO")) for name in given.spellings.values()):
        raise BadInputError("The earlier version has a spelling that this AutoLearn does not know.")
    return Given(**{**vars(given), "separator": separator, "decimal": decimal, "thousands": thousands})


def _mark(what: str, given: str | None, words: dict[str, str]) -> str | None:
    if given == "" and what != "thousands":
        raise BadInputError(f"The {what} is empty: leave it out to have it found.")
    return given if given is None else words.get(given.lower(), given)


def _check_encoding(given: str | None) -> None:
    if given is None:
        return
    try:
        is_text = codecs.lookup(given)._is_text_encoding  # noqa: SLF001 - as `open` asks
    except (LookupError, ValueError):
        is_text = False
    if not is_text:
        raise BadInputError(f"There is no encoding {given!r}: for example utf-8, utf-16, cp1252 or latin-1.")
