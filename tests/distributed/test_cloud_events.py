"""Commits and communications as CloudEvents: exact both ways, by the rules of the spec, and nothing foreign passes."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.topics.cloud_events import DamagedRecordError, Message, commit_messages, origin
from adapters.log.times import from_microseconds
from projections.ports import AuditRecord, RawCommit, RawEvent, StoredAuditRecord
from tests.distributed.log_sources import record_message, records_in
from tests.distributed.relayed import commits_of

SOURCE = origin("autolearn", "ab" * 16)
ATTRIBUTE = re.compile(r"[a-z0-9]{1,20}")
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")

texts = st.text(st.characters(exclude_categories=["Cs"]))
hashes = st.binary(min_size=32, max_size=32)
times = st.datetimes(timezones=st.just(UTC))
raw_events = st.builds(RawEvent, texts, st.integers(1, 2**63 - 1), texts, st.binary())


@st.composite
def commits(draw: st.DrawFn) -> RawCommit:
    events = tuple(draw(st.lists(raw_events, min_size=1, max_size=4)))
    first = draw(st.integers(1, 2**62))
    facts = (draw(times), draw(st.uuids()), draw(st.uuids()), draw(texts), draw(hashes))
    return RawCommit(first, first + len(events) - 1, *facts, events)


stored = st.builds(
    StoredAuditRecord,
    position=st.integers(1, 2**62),
    at=times,
    writer=texts,
    number=st.integers(1, 2**62),
    previous=hashes,
    hash=hashes,
    content=st.builds(
        AuditRecord,
        **dict.fromkeys(("kind", "actor", "source", "target", "operation", "outcome", "problem"), texts),
        milliseconds=st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 10**6),
        **dict.fromkeys(("bytes_in", "bytes_out", "domain_position"), st.integers(0, 2**62)),
        **dict.fromkeys(("correlation", "causation", "digest_in", "digest_out"), texts),
    ),
)


@given(st.lists(commits(), max_size=3))
def test_commits_come_back_exactly(some: list[RawCommit]) -> None:
    firsts = [replace(commit, first=n * 10 + 1, position=n * 10 + len(commit.events)) for n, commit in enumerate(some)]
    assert commits_of([message for commit in firsts for message in commit_messages(commit, SOURCE)]) == firsts


@given(stored)
def test_communications_come_back_exactly(record: StoredAuditRecord) -> None:
    (back,) = records_in([record_message(record, SOURCE)])
    assert back == record
    assert repr(back.content.milliseconds) == repr(record.content.milliseconds)


COMMIT = RawCommit(
    first=7,
    position=8,
    at=from_microseconds(1_764_032_523_000_004),
    command_id=UUID(int=1),
    append_id=UUID(int=2),
    digest="",
    hash=bytes(range(32)),
    events=(RawEvent("session:ana:1", 3, "session-opened.v1", b"{}"), RawEvent("e", 1, "x.v1", b'{"a":1}')),
)


def test_the_headers_are_those_that_integrators_were_told() -> None:
    first, second = commit_messages(COMMIT, SOURCE)
    assert (first.key, first.value) == (b"session:ana:1", b"{}")
    assert dict(first.headers) == {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": b"7",
        "ce_source": b"/autolearn/autolearn/abababababababababababababababab",
        "ce_type": b"session-opened.v1",
        "ce_time": b"2025-11-25T01:02:03.000004Z",
        "ce_subject": b"session:ana:1",
        "ce_partitionkey": b"session:ana:1",
        "ce_sequence": b"7",
        "ce_streamversion": b"3",
        "ce_commitfirst": b"7",
        "ce_commitlast": b"8",
        "ce_commandid": b"00000000-0000-0000-0000-000000000001",
        "ce_appendid": b"00000000-0000-0000-0000-000000000002",
        "ce_digest": b"",
        "ce_commithash": bytes(range(32)).hex().encode(),
    }
    assert dict(second.headers)["ce_id"] == b"8"


CALL = StoredAuditRecord(
    position=5,
    at=datetime(2026, 1, 1, tzinfo=UTC),
    writer="w1",
    number=2,
    previous=bytes(32),
    hash=b"h" * 32,
    content=AuditRecord("call", "ana", "a", "b", "GET /x", "200", "", 1.5, 1, 2, "c", "", 9, "", ""),
)


@pytest.mark.parametrize("message", [*commit_messages(COMMIT, SOURCE), record_message(CALL, SOURCE)])
def test_the_rules_of_the_spec_hold(message: Message) -> None:
    """CloudEvents 1.0.2, "Context attributes" and the Kafka binding, 3.2."""
    headers = {name: value.decode() for name, value in message.headers}
    attributes = {name.removeprefix("ce_"): value for name, value in headers.items() if name.startswith("ce_")}
    assert set(headers) - {f"ce_{name}" for name in attributes} == {"content-type"}
    assert all(ATTRIBUTE.fullmatch(name) for name in attributes)
    assert attributes["specversion"] == "1.0"
    assert all(attributes[required] for required in ("id", "source", "type", "subject"))
    assert RFC_3339.fullmatch(attributes["time"])
    assert "data" not in attributes


def changed(message: Message, **headers: bytes | None) -> Message:
    kept = {**dict(message.headers), **headers}
    return message._replace(headers=[(name, value) for name, value in kept.items() if value is not None])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ce_sequence": None}, "no header 'ce_sequence'"),
        ({"ce_sequence": b"x", "ce_id": b"x"}, "invalid literal"),
        ({"ce_specversion": b"0.3"}, "not those that a relay writes"),
        ({"ce_id": b"9"}, "not those that a relay writes"),
        ({"ce_subject": b"other"}, "not those that a relay writes"),
        ({"ce_commitfirst": b"6"}, "positions 7 to 8"),
        ({"ce_commandid": b"1"}, "position 7"),
        ({"ce_commithash": b"00"}, "do not agree"),
        ({"ce_time": b"yesterday"}, "do not agree"),
        ({"ce_digest": b"ab"}, "do not agree"),
        ({"ce_source": b"/autolearn/other"}, "do not agree"),
    ],
)
def test_a_foreign_or_damaged_record_is_named(wrong: dict[str, bytes | None], said: str) -> None:
    first, second = commit_messages(COMMIT, SOURCE)
    with pytest.raises(DamagedRecordError, match=said):
        commits_of([changed(first, **wrong), second])


@pytest.mark.parametrize(
    "header", [("ce_commithash", b"00" * 31), ("ce_time", b"2026-01-01T00:00:00Z"), ("ce_appendid", b"\xff")]
)
def test_what_all_records_of_a_commit_say_is_checked_too(header: tuple[str, bytes]) -> None:
    with pytest.raises(DamagedRecordError, match="position 7 is damaged"):
        commits_of([changed(message, **dict([header])) for message in commit_messages(COMMIT, SOURCE)])


def test_a_part_of_a_commit_is_none() -> None:
    first, second = commit_messages(COMMIT, SOURCE)
    for part in ([first], [second], [first, first], [second, first]):
        with pytest.raises(DamagedRecordError, match="of its commit only"):
            commits_of(part)


def test_a_record_without_a_value_or_with_a_header_twice_is_damaged() -> None:
    first, _ = commit_messages(COMMIT, SOURCE)
    with pytest.raises(DamagedRecordError):
        commits_of([first._replace(value=None)])  # type: ignore[arg-type] # as Kafka gives a tombstone
    with pytest.raises(DamagedRecordError, match="not those"):
        commits_of([first._replace(headers=[*first.headers, ("ce_id", b"7")])])


@pytest.mark.parametrize("value", [b"", b"[]", b"{}", b'{"kind": 1}'])
def test_a_communication_with_other_facts_is_damaged(value: bytes) -> None:
    with pytest.raises(DamagedRecordError, match="position 5"):
        records_in([record_message(CALL, SOURCE)._replace(value=value)])


def test_times_are_utc_whatever_the_year() -> None:
    early = replace(COMMIT, at=datetime(1, 1, 1, tzinfo=UTC) + timedelta(microseconds=1))
    assert commits_of(commit_messages(early, SOURCE)) == [early]
