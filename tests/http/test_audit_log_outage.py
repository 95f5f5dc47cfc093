"""Nothing is answered before it is recorded, and nothing is done that could not be."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest

from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.log.feed import SqliteFeed
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import AuditRecord, StoredAuditRecord
from tests.http.asgi import Caller
from tests.http.rig import Rig

TRAINING = {"dataset": "iris", "model": "svm"}


def broken(monkeypatch: pytest.MonkeyPatch, method: str, error: Exception, kind: type[Any] = SqliteAuditLog) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(kind, method, fail)


def test_the_record_is_there_before_the_first_byte(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    append = SqliteAuditLog.append

    def noted(self: SqliteAuditLog, record: AuditRecord) -> StoredAuditRecord:
        stored = append(self, record)
        order.append(stored.content.outcome)
        return stored

    def sent(_: int) -> bool:
        order.append("sent")
        return False

    monkeypatch.setattr(SqliteAuditLog, "append", noted)
    for method, target in (("GET", "/session"), ("GET", "/log"), ("GET", "/nowhere"), ("DELETE", "/trainings/zzzz")):
        call = ana.outgoing(method, target)
        ana.raw(call, call.headers(), [b""], until=sent)
    ana.raw(call, {}, [b""], until=sent)
    assert order == [part for status in (200, 403, 404, 404, 401) for part in (str(status), "sent", "sent")]


def test_what_the_record_says(rig: Rig, ana: Caller) -> None:
    reply = ana.post("/trainings", TRAINING)
    record = rig.audit_log.recent(0)[-1].content
    assert (record.kind, record.actor, record.source, record.target) == ("call", "ana", "127.0.0.1", "training")
    assert (record.operation, record.outcome, record.problem) == ("POST /trainings", "201", "")
    assert record.correlation == reply.call.request_id == reply.headers["autolearn-request"]
    assert record.domain_position == reply.position
    assert record.head == reply.head == rig.feed.end()[1].hex()
    assert record.count == 1
    assert record.bytes_out == len(reply.content)
    assert record.digest_out == hashlib.sha256(reply.plain).hexdigest()
    assert record.causation.startswith("command:")
    assert record.milliseconds > 0


def audit_of(record: StoredAuditRecord) -> str:
    return f"{record.position}:{record.hash.hex()}"


def test_each_answer_to_a_known_caller_says_under_its_seal_where_its_record_is(rig: Rig, ana: Caller) -> None:
    replies = [ana.post("/trainings", TRAINING), ana.get("/session"), ana.get("/log"), ana.get("/trainings/zzzz")]
    assert [reply.status for reply in replies] == [201, 200, 403, 404]
    records = rig.audit_log.recent(0)
    told = [reply.facts.headers["autolearn-audit"] for reply in replies if reply.facts]
    assert told == [audit_of(it) for it in records]


def test_a_stream_says_where_the_record_of_its_beginning_is(rig: Rig, ana: Caller) -> None:
    task = ana.post("/trainings", TRAINING).json["experiment"]
    reply = ana.get(f"/trainings/{task}/events")
    opened, _closed = rig.audit_log.recent(1)
    assert reply.facts is not None
    assert reply.facts.headers["autolearn-audit"] == audit_of(opened)


def test_no_answer_names_a_record_that_is_not_there(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    call = ana.outgoing("GET", "/session")
    assert "autolearn-audit" not in ana.raw(call, {}, [b""]).headers  # without a token
    with monkeypatch.context() as patched:
        broken(patched, "append", NotAbleError("no"))
        assert "autolearn-audit" not in ana.get("/session").headers


def test_only_the_record_of_a_command_has_the_chain_hash(rig: Rig, ana: Caller) -> None:
    ana.get("/session")
    ana.post("/trainings", {"dataset": "iris", "model": "nothing"})
    assert [it.content.head for it in rig.audit_log.recent(0)] == ["", ""]


def test_it_has_no_session_data_and_no_raw_url(rig: Rig, ana: Caller) -> None:
    trained = ana.post("/trainings", TRAINING).json
    ana.get(f"/trainings/{trained['experiment']}?as_of=@3")
    told = repr(rig.audit_log.recent(0))
    for secret in ("iris", "svm", trained["experiment"], "@3"):
        assert secret not in told


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [(NotAbleError("no"), 503, "not-able-now"), (DiskReserveError("full"), 507, "disk-full")],
)
def test_no_command_runs_that_could_not_be_recorded(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, slug: str
) -> None:
    before = rig.position
    with monkeypatch.context() as patched:
        broken(patched, "check_able", error)
        reply = ana.post("/trainings", TRAINING)
        assert ana.get("/session").status == 200
    assert (reply.status, reply.json["type"]) == (status, slug)
    assert rig.position == before


@pytest.mark.parametrize("error", [NotAbleError("no"), OSError("broken")])
def test_a_command_whose_record_failed_says_that_it_was_done(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    call = ana.outgoing("POST", "/trainings")
    with monkeypatch.context() as patched:
        broken(patched, "append", error)
        reply = ana.send(call, b'{"dataset": "iris", "model": "svm"}')
    assert (reply.status, reply.json["type"], reply.headers["retry-after"]) == (503, "outcome-recorded", "1")
    done = rig.position
    again = ana.send(call, b'{"dataset": "iris", "model": "svm"}')
    assert (again.status, again.position) == (201, done)
    assert rig.position == done


def test_a_question_whose_record_failed_is_not_answered(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        broken(patched, "append", NotAbleError("no"))
        reply = ana.get("/catalog")
    assert (reply.status, reply.json["type"]) == (503, "not-able-now")
    assert b"svm" not in reply.plain


@pytest.fixture
def standing_still(ana: Caller, monkeypatch: pytest.MonkeyPatch) -> Iterator[Caller]:
    """Let neither the audit log answer any more, nor the log where it ends."""
    with monkeypatch.context() as patched:
        broken(patched, "append", NotAbleError("no"))
        broken(patched, "end", NotAbleError("no"), SqliteFeed)
        yield ana


def test_a_command_after_which_all_stood_still_says_so(standing_still: Caller) -> None:
    reply = standing_still.post("/trainings", TRAINING)
    assert (reply.status, reply.json["type"]) == (503, "outcome-recorded")
    assert reply.position > 0


def test_a_question_to_stores_that_stand_still_is_a_problem(standing_still: Caller) -> None:
    for target in ("/catalog?as_of=@1", "/catalog/models/nothing"):
        reply = standing_still.get(target)
        assert (reply.status, reply.json["type"]) == (503, "not-able-now")


def test_a_stream_that_cannot_be_recorded_does_not_open(
    rig: Rig, root: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = root.post("/trainings", TRAINING)
    with monkeypatch.context() as patched:
        broken(patched, "append", NotAbleError("no"))
        reply = root.get(f"/trainings/{trained.json['experiment']}/events?after_position={trained.position}")
    assert (reply.status, reply.json["type"]) == (503, "not-able-now")


def test_an_unexpected_fault_tells_nothing_of_the_inside(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(type(rig.backend.queries), "session", fail)
    reply = ana.get("/session")
    assert (reply.status, reply.json["type"]) == (500, "internal-error")
    assert b"secret" not in reply.plain
    assert rig.audit_log.recent(0)[-1].content.outcome == "500"
