"""What a process records of itself in the audit log: its start, each event that it acted on, and lost calls."""

from __future__ import annotations

from typing import Final

from domain.events import Event
from projections.ports import AuditLog, AuditRecord
from projections.verification.audit_check import CORRELATION, LOST, SETTLED, SINCE

KEY: Final = "master-key:"  # and its fingerprint: nothing else in the audit log tells whose key the clients' come from


class SystemRecorder:
    """Fulfils `commands.ports.HandledEvents`; `key` is the master key's fingerprint."""

    def __init__(self, audit_log: AuditLog, worker: str, key: str) -> None:
        self._audit_log = audit_log
        self._worker = worker
        self._key = key

    def record_start(self, correlation: str, position: int) -> None:
        """Record the start of this process; its own appends carry the same correlation."""
        self._record(
            "process",
            "process start",
            "started",
            correlation=correlation,
            position=position,
            causation=KEY + self._key,
        )

    def record_lost_call(self, correlation: str, position: int) -> None:
        """Record that the call which appended at a position got no record: its process died first."""
        self._record("process", LOST, "lost", correlation=correlation, position=position, causation=f"event:{position}")

    def record_settled(self, since: int, until: int) -> None:
        """Record that each commit after one position and up to another has the record of its call."""
        causation = f"{SINCE}{since}"
        self._record("process", SETTLED, "settled", correlation=CORRELATION, position=until, causation=causation)

    def record_event(self, event: Event, position: int, outcome: str, milliseconds: float) -> None:
        self._record(
            "message",
            event.NAME,
            outcome,
            correlation=event.metadata.correlation,
            position=position,
            causation=f"event:{position}",
            milliseconds=milliseconds,
        )

    def _record(
        self,
        kind: str,
        operation: str,
        outcome: str,
        *,
        correlation: str,
        position: int,
        causation: str = "",
        milliseconds: float = 0.0,
    ) -> None:
        self._audit_log.append(
            AuditRecord(
                kind=kind,
                actor=f"worker:{self._worker}",
                source="log",
                target=self._worker,
                operation=operation,
                outcome=outcome,
                problem="",
                milliseconds=milliseconds,
                bytes_in=0,
                bytes_out=0,
                correlation=correlation,
                causation=causation,
                domain_position=position,
                digest_in="",
                digest_out="",
            )
        )
