"""A record of a call that tests of the audit log begin with."""

from __future__ import annotations

from projections.ports import AuditRecord

CALL = AuditRecord(
    kind="call",
    actor="ana",
    source="cli",
    target="training",
    operation="POST /trainings",
    outcome="201",
    problem="",
    milliseconds=12.5,
    bytes_in=120,
    bytes_out=800,
    correlation="c1",
    causation="",
    domain_position=7,
    digest_in="aa" * 32,
    digest_out="bb" * 32,
)
