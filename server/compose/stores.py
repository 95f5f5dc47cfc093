"""What both modes have: the stores behind the ports, the clock and the master key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from math import inf
from pathlib import Path

from adapters.audit_log.chain import chain_faults as audit_chain_faults
from adapters.audit_log.chain import is_older
from adapters.files.blob_cache import BlobCache
from adapters.files.blobs import FileBlobs, folder_of
from adapters.files.remote_blobs import RemoteBlobs
from adapters.files.spill_table import SqliteSpillTable
from adapters.log.chain import chain_faults
from adapters.log.events import decode
from adapters.log.times import from_microseconds, microseconds_now
from adapters.security.keys import make_master_key, read_master_key
from commands.ports import EventStore
from domain.errors import BadInputError
from projections.ports import ChainFaults, CommitFeed, Decode, OpenSpillTable, StoredAuditRecord
from projections.verification.stores import InspectedStores
from server.compose.folders import BLOB_CACHE, scratch_of
from server.settings import Settings


class SystemClock:
    """The machine's time of day."""

    def now(self) -> datetime:
        """Return the time, UTC; raises NotAbleError for one that no machine has."""
        return from_microseconds(microseconds_now())


@dataclass(kw_only=True)
class Stores(InspectedStores):
    """The stores of an installation.

    `feed` answers questions about the log; projections and event workers follow `follower_feed` (from Kafka in the
    distributed mode; in the embedded mode it is the same feed).
    """

    store: EventStore
    follower_feed: CommitFeed
    blobs: FileBlobs | RemoteBlobs
    chain_faults: ChainFaults = chain_faults
    decode: Decode = decode
    audit_chain_faults: Callable[[Iterable[StoredAuditRecord]], Iterable[tuple[int, str]]] = audit_chain_faults
    is_older: Callable[[StoredAuditRecord], bool] = is_older
    open_spill: OpenSpillTable = SqliteSpillTable


def open_blobs(settings: Settings, scratch: Path | None = None, *, read_only: bool = False) -> FileBlobs | RemoteBlobs:
    """Return the blobs where the settings say; raises BadInputError for a URL that no package here knows.

    `scratch` is for temporary files, by default the folder that all processes of the installation share.
    """
    scratch = scratch or scratch_of(settings)
    if folder_of(settings.blobs_url) is not None:
        return FileBlobs(settings.blobs_url, str(scratch), read_only=read_only)
    cache = BlobCache(settings.data / BLOB_CACHE, settings.blob_cache)
    return RemoteBlobs(settings.blobs_url, str(scratch), cache, read_only=read_only)


def master_key(settings: Settings, store: EventStore) -> bytes:
    """Return the master key; the very first start makes it. A lost one is not replaced: no client could call then."""
    file = settings.key_file
    if file.exists():
        return read_master_key(file)
    if store.streams("client:", 1):
        raise BadInputError(f"The master key {file} is missing, and all clients' keys depend on it: restore the file.")
    return make_master_key(file)


def backup_gauges(last: Callable[[], datetime | None]) -> dict[str, float]:
    """Return how long ago the last back-up was finished, for the metrics; infinite where there was none."""
    at = last()
    return {"backup_age_seconds": inf if at is None else max((SystemClock().now() - at).total_seconds(), 0.0)}


def environment(settings: Settings) -> dict[str, str]:
    """Return the environment by which another process of ours finds the same data."""
    password = settings.mongodb_password_file
    return {
        "AUTOLEARN_MODE": settings.mode,
        "AUTOLEARN_DATA": str(settings.data.absolute()),
        "AUTOLEARN_BLOBS": settings.blobs_url,
        "AUTOLEARN_MASTER_KEY_FILE": str(settings.key_file.absolute()),
        "AUTOLEARN_KAFKA": settings.kafka,
        "AUTOLEARN_MONGODB": settings.mongodb,
        "AUTOLEARN_DATABASE": settings.database,
        **({"AUTOLEARN_MONGODB_PASSWORD_FILE": str(password.absolute())} if password else {}),
    }
