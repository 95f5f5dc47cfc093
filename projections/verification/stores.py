"""What verify and replay read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from projections.ports import (
    Anchor,
    AuditLog,
    BlobCheck,
    ChainFaults,
    Decode,
    Documents,
    Feed,
    History,
    OpenSpillTable,
    StoredAuditRecord,
)
from projections.verification.topic_check import Topics


@dataclass(kw_only=True)
class InspectedStores:
    """The stores, and the functions that recompute hashes: (position, what) of each fault.

    `file_checks` return what a store finds wrong with its own file. Only the distributed mode has `topics`.
    `is_older` tells a record of an older version. `receipts` are the backend's own of `log` and `audit`.
    `stream_names` returns up to so many names of streams with a prefix.
    `offline`: no backend runs, so read models that a crash left behind the log stay there until the next start.
    """

    feed: Feed
    documents: Documents
    history: History
    blobs: BlobCheck
    audit_log: AuditLog
    chain_faults: ChainFaults
    decode: Decode
    audit_chain_faults: Callable[[Iterable[StoredAuditRecord]], Iterable[tuple[int, str]]]
    open_spill: OpenSpillTable
    file_checks: tuple[Callable[[], Iterable[str]], ...] = ()
    topics: Topics | None = None
    is_older: Callable[[StoredAuditRecord], bool] = lambda _: False
    receipts: Callable[[], Mapping[str, Anchor]] = dict
    stream_names: Callable[[str, int], Sequence[str]] = lambda _, __: ()
    offline: bool = False
