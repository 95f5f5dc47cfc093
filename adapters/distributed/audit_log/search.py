"""The search of the audit log: an index for each filter, on the log itself (docs/decisions/25-audit-log-search.md)."""

from __future__ import annotations

from adapters.audit_log.filters import wanted
from adapters.distributed.log.reader import MongoLogReader
from adapters.distributed.mongo import Fields
from projections.ports import StoredAuditRecord


def search(
    log: MongoLogReader[StoredAuditRecord], filters: dict[str, str], before: int | None, limit: int
) -> list[StoredAuditRecord]:
    """Return records before a position, newest first; `since` and `until` are ISO times with zone, inclusive."""
    asked = wanted(filters)
    places: Fields = {"$gt": 0, "$lt": 2**62 if before is None else before}
    if asked.since is not None:
        places["$gt"] = log.last_until(asked.since - 1)
    if asked.until is not None:
        places["$lte"] = log.last_until(asked.until)
    found = log.find(places, dict(asked.equal), limit=limit, newest=True)
    return [log.schema.from_document(document) for document in found]
