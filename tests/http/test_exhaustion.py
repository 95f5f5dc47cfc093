"""Out of threads, processes, descriptors or memory: a known caller gets a sealed 503 and comes again."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from anyio._backends._asyncio import WorkerThread

from tests.http.asgi import Caller
from tests.http.rig import Rig

LACKS = [
    BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
    OSError(errno.EMFILE, "Too many open files"),
    OSError(errno.ENFILE, "Too many open files in system"),
    OSError(errno.ENOMEM, "Cannot allocate memory"),
    MemoryError(),
    RuntimeError("can't start new thread"),
    ExceptionGroup("several", [OSError(errno.EMFILE, "Too many open files")]),
]


def fails(monkeypatch: pytest.MonkeyPatch, kind: type, method: str, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(kind, method, fail)


@pytest.mark.parametrize("lack", LACKS, ids=repr)
def test_a_lack_is_a_sealed_503(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch, lack: Exception) -> None:
    fails(monkeypatch, type(rig.backend.queries), "session", lack)
    reply = ana.get("/session")
    assert (reply.status, reply.json["type"], reply.headers["retry-after"]) == (503, "not-able-now", "1")
    assert reply.headers["content-type"] == "application/vnd.autolearn.sealed"
    record = rig.audit_log.recent(0)[-1].content
    assert (record.actor, record.outcome, record.problem) == ("ana", "503", "not-able-now")


@pytest.mark.parametrize("lack", LACKS, ids=repr)
def test_a_lack_while_archiving_is_a_sealed_503(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch, lack: Exception
) -> None:
    fails(monkeypatch, type(rig.audit_log), "append", lack)
    reply = ana.get("/session")
    assert (reply.status, reply.json["type"], reply.headers["retry-after"]) == (503, "not-able-now", "1")


def test_without_a_thread_calls_are_refused_sealed_and_recorded(
    rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rig.position
    with monkeypatch.context() as patched:
        fails(patched, WorkerThread, "start", RuntimeError("can't start new thread"))
        for reply in (ana.get("/session"), ana.post("/trainings", {"dataset": "iris", "model": "svm"})):
            assert (reply.status, reply.json["type"], reply.headers["retry-after"]) == (503, "not-able-now", "1")
            assert rig.audit_log.recent(0)[-1].content.outcome == "503"
        assert ana.raw(ana.outgoing("GET", "/session"), {}, [b""]).status == 401
    assert rig.position == before
    assert ana.get("/session").status == 200


def test_other_errors_of_the_system_stay_faults(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    fails(monkeypatch, type(rig.backend.queries), "session", PermissionError(errno.EACCES, "Permission denied"))
    assert ana.get("/session").status == 500
