"""Data sets come as raw files: streamed to disk, measured, hashed, and gone when their call is over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from threading import Semaphore
from typing import Any
from urllib.parse import urlencode

import pytest

from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.http.app_state import INGESTS, UPLOADS_OF_ONE
from adapters.http.middleware import bodies
from adapters.http.middleware.limits import FairQueue
from autolearn.outgoing_call import OutgoingCall
from commands.ports import TaskSpec
from domain.errors import DiskReserveError
from tests.http.asgi import Caller, Reply
from tests.http.doubles import PreparedLauncher, PreparedTask
from tests.http.rig import Rig

CONTENT = b"length,target\n" + b"1.5,a\n" * 200_000


def add(caller: Caller, content: bytes = CONTENT, signed: bytes | None = None, **query: object) -> Reply:
    return caller.upload(
        f"/catalog/datasets?{urlencode({'name': 'mine', 'target': 'target', **query})}", content, signed=signed
    )


@pytest.fixture
def scratch(rig: Rig) -> Path:
    return Path(rig.blobs.scratch("")).parent


def test_a_file_reaches_the_task_whole_and_leaves_nothing(
    rig: Rig, ana: Caller, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bytes] = []
    start = PreparedLauncher.start

    def noted(self: PreparedLauncher, spec: TaskSpec) -> PreparedTask:
        seen.append(Path(spec.facts["path"]).read_bytes())
        return start(self, spec)

    monkeypatch.setattr(PreparedLauncher, "start", noted)
    reply = add(ana, format="tsv", gzip=1, licence="CC0")
    assert (reply.status, reply.headers["location"]) == (201, "/catalog/datasets/mine")
    assert seen == [CONTENT]
    facts = rig.tasks[-1].facts
    assert (facts["format"], facts["gzip"], facts["target"]) == ("tsv", True, "target")
    assert list(scratch.iterdir()) == []
    assert rig.audit_log.recent(0)[-1].content.bytes_in == len(CONTENT)


def test_what_the_caller_decides_reaches_the_task(rig: Rig, ana: Caller) -> None:
    assert (
        add(ana, missing='["", "n.d."]', types='{"length": "number"}', drop='["id"]', decimal=",", dayfirst=1).status
        == 201
    )
    assert rig.tasks[-1].facts["given"] == {
        "missing": ["", "n.d."],
        "types": {"length": "number"},
        "drop": ["id"],
        "decimal": ",",
        "dayfirst": True,
    }
    assert add(ana, like="mine@1").status == 200
    given = rig.tasks[-1].facts["given"]
    assert (given["types"], given["columns"]) == ({"length": "number", "target": "category"}, ["length", "target"])


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ({"missing": "NA"}, 422, "missing must be JSON"),
        ({"missing": '{"a": 1}'}, 422, "missing must be a list"),
        ({"types": '["a"]'}, 422, "types must be an object"),
        ({"task": "clustering"}, 422, "task must be"),
        ({"like": "nothing"}, 404, "nothing"),
        ({"like": "iris@7"}, 404, "there is version 1"),
    ],
)
def test_what_cannot_be_decided_so_is_refused(
    rig: Rig, ana: Caller, query: dict[str, Any], status: int, part: str
) -> None:
    before, started = rig.position, len(rig.tasks)
    reply = add(ana, **query)
    assert (reply.status, rig.position, len(rig.tasks)) == (status, before, started)
    assert part in reply.json["detail"]


def test_the_same_content_again_is_200(rig: Rig, ana: Caller) -> None:
    assert add(ana).status == 201
    before = rig.position
    assert (add(ana).status, rig.position) == (200, before)


def test_another_file_than_was_signed_changes_nothing(rig: Rig, ana: Caller, scratch: Path) -> None:
    before, started = rig.position, len(rig.tasks)
    reply = add(ana, signed=b"something else")
    assert (reply.status, reply.json["type"]) == (401, "not-authenticated")
    assert (rig.position, len(rig.tasks)) == (before, started)
    assert list(scratch.iterdir()) == []


def test_a_declared_size_above_the_limit_is_refused_at_once(rig: Rig, ana: Caller) -> None:
    call = ana.outgoing("POST", "/catalog/datasets?name=mine&target=t")
    reply = ana.raw(call, call.file_headers("0" * 64) | {"Content-Length": str(bodies.LARGEST_UPLOAD + 1)}, [b"x"])
    assert (reply.status, reply.json["type"]) == (413, "too-large")
    assert "1 GiB" in reply.json["detail"]


def test_a_file_that_grows_above_the_limit_is_refused(
    rig: Rig, ana: Caller, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.http.middleware.request_context.LARGEST_UPLOAD", 100_000)
    reply = add(ana)
    assert (reply.status, reply.json["type"]) == (413, "too-large")
    assert list(scratch.iterdir()) == []


def test_a_disk_that_fills_up_meanwhile_ends_it(
    rig: Rig, ana: Caller, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def able(_: SqliteAuditLog) -> None:
        calls.append(1)
        if len(calls) > 1:
            raise DiskReserveError("Only 1 byte is free.")

    monkeypatch.setattr(SqliteAuditLog, "check_able", able)
    before = rig.position
    reply = add(ana)
    assert (reply.status, reply.json["type"]) == (507, "disk-full")
    assert rig.position == before
    assert list(scratch.iterdir()) == []


def test_a_caller_who_hangs_up_leaves_nothing(rig: Rig, ana: Caller, scratch: Path) -> None:
    before = rig.position
    call = ana.outgoing("POST", "/catalog/datasets?name=mine&target=target")
    ana.hang_up(call, call.file_headers("0" * 64), [b"x" * 3_000_000])
    assert rig.audit_log.recent(0)[-1].content.outcome == "gone"
    assert rig.position == before
    assert list(scratch.iterdir()) == []
    assert not rig.backend.in_flight.correlations()


def noted_starts(monkeypatch: pytest.MonkeyPatch) -> Semaphore:
    """Return what is released at the start of each task."""
    begun = Semaphore(0)
    start = PreparedLauncher.start

    def noted(self: PreparedLauncher, spec: TaskSpec) -> PreparedTask:
        task = start(self, spec)
        begun.release()
        return task

    monkeypatch.setattr(PreparedLauncher, "start", noted)
    return begun


class ObservedQueue(FairQueue):
    """Tells how many have asked for their turn."""

    def __init__(self) -> None:
        super().__init__(INGESTS)
        self.wanted = Semaphore(0)

    async def _enter(self, client: str) -> None:
        self.wanted.release()
        await super()._enter(client)


def files(caller: Caller, number: int) -> list[tuple[OutgoingCall, bytes]]:
    return [(caller.outgoing("POST", f"/catalog/datasets?name=mine-{n}&target=target"), CONTENT) for n in range(number)]


def test_ingests_wait_for_each_other_and_nobody_else_does(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, before, pools = noted_starts(monkeypatch), len(rig.tasks), rig.app.state.pools
    queue = rig.app.state.ingests = ObservedQueue()
    launcher = rig.hold_back()

    async def look(caller: Caller) -> None:
        for event in [queue.wanted] * (INGESTS + 4) + [begun] * INGESTS:
            assert await asyncio.to_thread(event.acquire, timeout=20)
        assert len(rig.tasks) - before == INGESTS
        assert pools._long.borrowed_tokens == INGESTS
        assert await caller.asked(f"/catalog?after_position={rig.position}") == 200
        launcher.may_end.set()

    assert ana.together(files(ana, INGESTS + 4), look) == [201] * (INGESTS + 4)
    assert len(rig.tasks) - before == INGESTS + 4


def test_clients_take_queue_at_ingests(rig: Rig, ana: Caller, bob: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = rig.app.state.ingests = ObservedQueue()
    launcher, before = rig.hold_back(), rig.position
    of_bob = (bob.outgoing("POST", "/catalog/datasets?name=of-bob&target=target"), CONTENT)

    async def look(caller: Caller) -> None:
        for _ in range(INGESTS + 5):
            assert await asyncio.to_thread(queue.wanted.acquire, timeout=20)
        launcher.may_end.set()

    many = files(ana, INGESTS + 4)
    assert ana.together([*many, of_bob], look) == [201] * (INGESTS + 5)
    names = [event.originator_id for commit in rig.feed.after(before, 100) for event in [commit.event]]
    assert names.index("dataset:of-bob") < len(names) - 1


def test_a_client_has_its_share_of_uploads(rig: Rig, ana: Caller, bob: Caller, scratch: Path) -> None:
    queue = rig.app.state.ingests = ObservedQueue()
    launcher = rig.hold_back()
    refused: list[Reply] = []

    async def look(caller: Caller) -> None:
        for _ in range(UPLOADS_OF_ONE):
            assert await asyncio.to_thread(queue.wanted.acquire, timeout=20)
        call = ana.outgoing("POST", "/catalog/datasets?name=more&target=target")
        refused.append(await ana.exchanged(call, call.file_headers("0" * 64), [CONTENT]))
        launcher.may_end.set()

    assert ana.together(files(ana, UPLOADS_OF_ONE), look) == [201] * UPLOADS_OF_ONE
    assert (refused[0].status, refused[0].json["type"], refused[0].json["limit"]) == (429, "too-many", UPLOADS_OF_ONE)
    assert list(scratch.iterdir()) == []


def test_an_ingest_ends_with_its_call(rig: Rig, ana: Caller, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, before = noted_starts(monkeypatch), rig.position
    rig.hold_back()
    (call, content) = files(ana, 1)[0]
    ana.leave(call, content, lambda: begun.acquire(timeout=20))
    assert rig.audit_log.recent(0)[-1].content.outcome == "gone"
    assert rig.position == before
    assert list(scratch.iterdir()) == []
    assert not rig.backend.in_flight.correlations()


def test_who_hangs_up_while_he_waits_for_his_turn_begins_nothing(rig: Rig, ana: Caller, scratch: Path) -> None:
    started = len(rig.tasks)
    rig.app.state.ingests._free = 0
    (call, content) = files(ana, 1)[0]
    ana.leave(call, content, lambda: None)
    assert rig.audit_log.recent(0)[-1].content.outcome == "gone"
    assert len(rig.tasks) == started
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("query", ["name=x", "name=x&target=t&format=xls", "name=x&target=t&color=red"])
def test_parameters_are_checked(ana: Caller, query: str) -> None:
    assert ana.upload(f"/catalog/datasets?{query}", b"a,b\n").status == 422


def test_a_bad_name_is_refused(ana: Caller) -> None:
    assert add(ana, name="../etc").status == 422


def test_retire(rig: Rig, ana: Caller) -> None:
    add(ana)
    assert ana.post("/catalog/datasets/mine/retirement").status == 200
    rig.settle()
    asked = ana.post("/trainings", {"dataset": "mine", "model": "svm"}), ana.get("/catalog/datasets/mine")
    assert [(reply.status, "'mine' is retired" in reply.json["detail"]) for reply in asked] == [(404, True)] * 2
    nothing = ana.get("/catalog/models/knn").json
    assert nothing["detail"] == "There is no model 'knn': `autolearn catalog models` lists them."


def test_offers_are_withdrawn_by_sys_admins(root: Caller) -> None:
    assert root.post("/catalog/models/svm/withdrawal").status == 200
    assert root.post("/catalog/measures/recall/withdrawal").status == 200
    assert root.post("/trainings", {"dataset": "iris", "model": "svm"}).status == 404
