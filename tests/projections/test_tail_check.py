"""What claims show of a log's end: lost, another log's, or as it should be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.errors import ConflictError
from domain.loss import LOSSES, LostTail, TailLossAccepted
from projections.ports import StoredAuditRecord
from projections.verification.tail_check import (
    LogEnd,
    PositionClaim,
    check_tail,
    claims_of_records,
    find_contradictions,
    refuse_contradictions,
    refuse_lost_tails,
)
from tests.wire.test_audit_chain import chained

HASHES = {0: bytes(32), 3: b"3" * 32, 7: b"7" * 32}
LOG = LogEnd("the log", 7, HASHES[7], HASHES.get)


def record(position: int, domain_position: int, head: bytes = b"") -> StoredAuditRecord:
    it = chained("a")[0]
    record = replace(it.content, domain_position=domain_position, head=head.hex())
    return replace(it, position=position, content=record)


def test_what_is_not_beyond_the_end_shows_no_loss() -> None:
    check = check_tail(
        LOG, [PositionClaim("the read models are at", 7), PositionClaim("receipts.json has the log at", 3, HASHES[3])]
    )
    assert (check.is_lost, check.until, check.evidence) == (False, 7, ())
    refuse_lost_tails(check, check, override_command="up")


def test_a_lost_end_is_refused_with_what_was_found_and_the_way_out() -> None:
    check = check_tail(
        LOG, [PositionClaim("the read models are at", 9), PositionClaim("record 4 of the audit log speaks of", 12)]
    )
    assert check.fact() == LostTail(position=7, head=HASHES[7].hex(), until=12)
    with pytest.raises(ConflictError) as refused:
        refuse_lost_tails(check, check_tail(LOG, []), override_command="autolearn up --accept-loss REASON")
    assert refused.value.sentence == (
        "The end of the log is lost: the read models are at 9, the log ends at 7; record 4 of the audit log speaks of "
        "12, the log ends at 7. Restore the back-up that has it. To go on without what is lost: `autolearn up "
        "--accept-loss REASON`; that is kept in the log for ever."
    )


@pytest.mark.parametrize(
    ("claim", "differs"),
    [
        (PositionClaim("it is at", 3, HASHES[3]), False),
        (PositionClaim("it is at", 3, HASHES[7]), True),
        (PositionClaim("it is at", 5, HASHES[7]), True),  # no commit ends there
        (PositionClaim("it is at", 0, HASHES[0]), False),
        (PositionClaim("it is at", 3), False),
        (PositionClaim("it is at", 9, HASHES[3]), False),  # lost, not different
    ],
)
def test_another_hash_at_a_position_is_a_contradiction(claim: PositionClaim, differs: bool) -> None:
    found = find_contradictions(LOG, [claim])
    assert bool(found) == differs
    if differs:
        with pytest.raises(ConflictError, match=r"do not belong together: it is at \d with another hash"):
            refuse_contradictions(found)


def test_records_claim_the_furthest_position_the_furthest_hash_and_that_within_the_log() -> None:
    records = [record(1, 3, HASHES[3]), record(2, 12, b"x" * 32), record(3, 14), record(4, 1)]
    assert claims_of_records(records, LOG) == [
        PositionClaim("record 3 of the audit log speaks of", 14),
        PositionClaim("record 2 of the audit log speaks of", 12, b"x" * 32),
        PositionClaim("record 1 of the audit log speaks of", 3, HASHES[3]),
    ]
    assert claims_of_records([], LOG) == []
    assert claims_of_records([record(1, 2)], LOG) == [PositionClaim("record 1 of the audit log speaks of", 2)]


def test_records_from_before_an_accepted_loss_claim_nothing() -> None:
    gone = LostTail(position=2, head="", until=12)
    loss = TailLossAccepted(
        originator_id=LOSSES,
        originator_version=1,
        reason="disk",
        log=gone,
        audit=replace_position(gone, 2),
        evidence=(),
    )
    records = [record(2, 12, b"x" * 32), record(3, 7)]
    assert claims_of_records(records, LOG, [loss]) == [PositionClaim("record 3 of the audit log speaks of", 7)]


def replace_position(tail: LostTail, position: int) -> LostTail:
    return tail.model_copy(update={"position": position})
