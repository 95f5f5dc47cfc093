"""Makes the audit log's records of calls, and of connections that are refused before they are a call."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

from adapters.http.middleware.request_context import RequestContext
from adapters.http.problems import Problem
from autolearn.protocol.tokens import EMPTY_SHA256
from projections.ports import AuditRecord

NO_REQUEST: Final = "(no request)"  # the operation of what is refused before it is a call
NOBODY: Final = "(unknown)"  # no client's name: those have no brackets


def call_record(
    context: RequestContext,
    outcome: str,
    *,
    problem: str = "",
    position: int = 0,
    head: str = "",
    size: int = 0,
    digest: str = "",
) -> AuditRecord:
    """Return the record of a call: no bodies, no secrets, no raw URL. size and digest are the answer's."""
    call, source = context.call if context.caller else None, context.scope.get("client")
    return AuditRecord(
        kind="call",
        actor=call.client if call else NOBODY,
        source=source[0] if source else "",
        target=context.service,
        operation=context.operation,
        outcome=outcome,
        problem=problem,
        milliseconds=round(context.seconds * 1000, 3),
        bytes_in=context.body.size if context.body else 0,
        bytes_out=size,
        correlation=call.correlation if call else uuid4().hex,
        causation=f"command:{call.command_id}" if call and context.is_command else "",
        domain_position=position,
        digest_in=context.body_sha256,
        digest_out=digest or EMPTY_SHA256,
        head=head,
    )


def refused_connection_record(problem: Problem, source: str) -> AuditRecord:
    """Return the record of a connection that was refused before there was a call."""
    return AuditRecord(
        kind="call",
        actor=NOBODY,
        source=source,
        target="gate",
        operation=NO_REQUEST,
        outcome=str(problem.status),
        problem=problem.slug,
        milliseconds=0.0,
        bytes_in=0,
        bytes_out=0,
        correlation=uuid4().hex,
        causation="",
        domain_position=0,
        digest_in=EMPTY_SHA256,
        digest_out=EMPTY_SHA256,
    )
