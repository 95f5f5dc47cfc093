"""How versions of a document are stored: the first one whole, the next as differences, so that most stay short.

`{**before, **difference}` is the version, with its keys in their order. The column `whole` says which version is the
whole one to begin with; at most MOST_DIFFERENCES build on it, which bounds what reading one version takes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from operator import is_not
from typing import Any, Final, NamedTuple

from pydantic_core import from_json, to_json

from adapters.embedded.read_models.database import json_or_text
from projections.ports import OPEN, Batch, Body

MOST_DIFFERENCES: Final = 15
LAST: Final = f"""
SELECT since, whole, (SELECT count(*) FROM document v WHERE v.kind=d.kind AND v.id=d.id AND v.since>d.whole)
FROM document d WHERE kind=? AND id=? AND until={OPEN}"""  # noqa: S608 - a constant
CLOSE: Final = "UPDATE document SET until=? WHERE kind=? AND id=? AND since=?"
INSERT: Final = "INSERT INTO document(kind,id,since,until,whole,body) VALUES (?,?,?,?,?,?)"
Key = tuple[str, str]
Row = tuple[str, str, int, int, int, str]  # the values of INSERT


class StoredVersion(NamedTuple):
    """The version that is true before a batch: its body, where that is known, and on how many differences it stands."""

    since: int
    whole: int
    differences: int
    body: Body | None


def write_documents(connection: sqlite3.Connection, batch: Batch) -> None:
    """Write the versions of a batch, and close those before them."""
    versions: dict[Key, list[tuple[int, Body | None]]] = {}
    for kind, id, since, body in batch.documents:
        versions.setdefault((kind, id), []).append((since, body))
    rows: list[Row] = []
    closed: list[tuple[int, str, str, int]] = []
    for key in sorted(versions):  # in the order of the table, which then touches each page once
        before = _stored(connection, key, batch)
        if before is not None:
            closed.append((versions[key][0][0], *key, before.since))
        rows += _rows(key, versions[key], before)
    connection.executemany(CLOSE, closed)
    connection.executemany(INSERT, rows)


def _stored(connection: sqlite3.Connection, key: Key, batch: Batch) -> StoredVersion | None:
    """Return the version that is true before the batch; its body is left out where the batch does not know it."""
    known = batch.before.get(key)
    if known is None and key in batch.before:
        return None
    found = connection.execute(LAST, key).fetchone()
    if found is None:
        return None
    since, whole, differences = found
    return StoredVersion(since, whole, differences, known)


def _rows(key: Key, versions: Sequence[tuple[int, Body | None]], stored: StoredVersion | None) -> Iterator[Row]:
    """Yield the rows of a document's new versions, each as a difference where it can be one."""
    _, whole, differences, before = stored or (0, 0, 0, None)
    ends = [since for since, _ in versions[1:]] + [OPEN]
    for (since, body), until in zip(versions, ends, strict=True):
        changed = None
        if body is not None and before is not None and differences < MOST_DIFFERENCES:
            changed = difference(before, body)
        whole, differences = (since, 0) if changed is None else (whole, differences + 1)
        if body is not None:
            yield *key, since, until, whole, to_json(body if changed is None else changed).decode()
        before = body


def difference(before: Body, after: Body) -> Body | None:
    """Return what `{**before, **it}` takes to be `after`; None where nothing does, as a key has gone or moved."""
    keys = list(after)
    if keys[: len(before)] != list(before):
        return None
    others = compress(keys, map(is_not, before.values(), after.values()))  # most values are the very same objects
    changed = [key for key in others if not _is_same(before[key], after[key])]
    return {key: after[key] for key in (*changed, *keys[len(before) :])}


def _is_same(before: Any, after: Any) -> bool:
    """Tell whether two values are the same JSON. To Python 1, 1.0 and True are equal, and so are keys in any order."""
    return bool(before == after) and to_json(before) == to_json(after)


def merged(bodies: Iterable[str]) -> Any:
    """Return the last version of stored bodies, the first of which is whole."""
    first, *differences = bodies
    body = from_json(first)
    for one in differences:
        body.update(from_json(one))
    return body


class MergedBodies:
    """Bodies of rows that come in the order of the table, each with the differences before it.

    Of a damaged file: what builds on something else than the whole version before it comes back as unreadable, and
    so does what is no object.
    """

    def __init__(self) -> None:
        self._whole: tuple[str, str, int] | None = None
        self._stored: str | bytes | None = None  # of the whole version, until a difference needs it
        self._body: Any = None

    def of(self, kind: str, id: str, since: int, whole: int, stored: Any) -> Any:
        if since == whole:
            self._whole, self._body = (kind, id, whole), json_or_text(stored)
        else:
            self._merge((kind, id, whole), stored)
        return self._body

    def encoded(self, kind: str, id: str, since: int, whole: int, stored: bytes) -> bytes:
        """Return the JSON that was stored of a whole version, or the JSON of what differences make."""
        if since == whole:
            self._whole, self._stored, self._body = (kind, id, whole), stored, None
            return stored
        if self._body is None:
            self._body = json_or_text(self._stored)
        self._merge((kind, id, whole), stored)
        return to_json(self._body)

    def _merge(self, whole: tuple[str, str, int], stored: Any) -> None:
        change = json_or_text(stored)
        fits = self._whole == whole and isinstance(self._body, dict) and isinstance(change, dict)
        self._body = {**self._body, **change} if fits else {"unreadable": str(stored)}
