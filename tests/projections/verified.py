"""A small world in files, and what verify says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.read_models.database import ReadDatabase
from projections.ports import AuditRecord
from projections.verification.stores import InspectedStores
from projections.verification.verify import verify
from tests.projections.world import World

Report = dict[str, Any]


class CheckedBlobs:
    """Blobs of which some are wrong."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    def check(self, sha256: str) -> str | None:
        """Return what is wrong."""
        return self.wrong.get(sha256)

    def stored(self) -> list[str]:
        """Stream what there is."""
        return list(self.wrong)


def call(correlation: str) -> AuditRecord:
    texts = ("actor", "source", "target", "operation", "outcome", "problem", "causation", "digest_in", "digest_out")
    facts: dict[str, Any] = dict.fromkeys(texts, "x")
    facts |= {"milliseconds": 1.0, "bytes_in": 0, "bytes_out": 0, "domain_position": 0}
    return AuditRecord(kind="call", correlation=correlation, **facts)


class Place:
    """A world in files, all its calls recorded, and what verify says of it."""

    def __init__(self, folder: Path) -> None:
        self.world = World(Database(folder / "events.db"), ReadDatabase(folder / "read.db"))
        self.audit_database = Database(folder / "communications.db")
        self.audit_log = SqliteAuditLog(self.audit_database, "w1")
        self.blobs = CheckedBlobs()
        self.world.register("iris")
        for name in ("a" * 16, "b" * 16):
            self.world.train("ana", name)
            self.world.evaluate("ana", name, {"precision:macro": 0.9})
        self.world.commit("ana", ["a" * 16])
        self.world.decide("ana", "a" * 16, "withdraw", "wrong")
        self.world.catch_up()
        for number in range(1, len(self.world.commits) + 1):
            self.audit_log.append(call(f"call-{number}"))

    @property
    def stores(self) -> InspectedStores:
        checks = (self.world.feed.file_faults, self.world.read.faults, self.audit_log.file_faults)
        return self.world.inspected(blobs=self.blobs, audit_log=self.audit_log, file_checks=checks)

    def report(self, **given: Any) -> Report:
        *_, report = verify(self.stores, **given)
        return report

    def change_log(self, sql: str, *values: Any) -> None:
        with self.world.log.writing() as connection:
            connection.execute(sql, values)

    def change_read(self, sql: str, *values: Any) -> None:
        with self.world.read.writing() as connection:
            connection.execute("PRAGMA ignore_check_constraints = ON")
            assert connection.execute(sql, values).rowcount > 0

    def close(self) -> None:
        self.world.close()
        self.audit_database.close()


def positions(report: Report) -> set[int | None]:
    assert report["ok"] is False
    return {fault["position"] for fault in report["faults"]}
