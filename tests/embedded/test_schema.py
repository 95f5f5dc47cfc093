"""The tables of both logs stay word for word as they are in every data directory: `verify` compares them."""

from __future__ import annotations

from hashlib import sha256

import pytest

from adapters.embedded.audit_log.record_schema import AUDIT_LOG
from adapters.embedded.log.commit_schema import EVENT_LOG
from adapters.embedded.schema import Schema


@pytest.mark.parametrize(
    ("schema", "digest"),
    [
        (EVENT_LOG.file, "c89f57f7a1bbe7f58c9366d1d7d510c6bca5b10a573ab6fcbdc7e296fc650b47"),
        (AUDIT_LOG.file, "76b3f1cc63a1ba3d972d555758ec48083a3aa4ec5c408895921676aaa73ac6d3"),
    ],
    ids=["event log", "audit log"],
)
def test_the_statements_of_format_2_stay(schema: Schema, digest: str) -> None:
    assert sha256("\n".join(schema.statements).encode()).hexdigest() == digest
