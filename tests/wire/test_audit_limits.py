"""Whatever a record is made of, each of its fields has a limit, and its hash can be computed."""

from __future__ import annotations

from dataclasses import fields
from typing import get_type_hints

from hypothesis import given
from hypothesis import strategies as st

from adapters.audit_log.chain import record_hash
from adapters.audit_log.limits import GREATEST, LONGEST, limited
from projections.ports import AuditRecord

ANY = {
    str: st.one_of(st.text(), st.text(min_size=1, max_size=3).map(lambda text: text * 2 * LONGEST), st.just("\ud800")),
    int: st.integers(),
    float: st.floats(),
}
KINDS = get_type_hints(AuditRecord)
GENESIS = bytes(32)


@given(st.builds(AuditRecord, **{name: ANY[kind] for name, kind in KINDS.items()}))
def test_every_field_has_a_limit(made: AuditRecord) -> None:
    kept = limited(made)
    for field in fields(kept):
        value = getattr(kept, field.name)
        assert type(value) is KINDS[field.name]
        if isinstance(value, str):
            assert len(value) <= LONGEST
            assert value.isprintable()
        else:
            assert abs(value) <= GREATEST or isinstance(value, float)
    assert limited(kept) == kept
    assert len(record_hash(GENESIS, position=1, at=1, writer="w", number=1, record=kept)) == 32
