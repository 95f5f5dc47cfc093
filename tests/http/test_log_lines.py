"""Log lines have the correlation id of the call that they are about, in whichever thread they are written."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from commands import tasks
from commands.call import CORRELATION
from commands.ports import TaskBroken
from tests.http.asgi import Caller
from tests.http.doubles import PreparedLauncher
from tests.http.rig import Rig


class Recorder(logging.Handler):
    """Keeps what is logged, with the correlation id at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((CORRELATION.get(), record.getMessage()))


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    handler = Recorder()
    logging.getLogger().addHandler(handler)
    yield handler
    logging.getLogger().removeHandler(handler)


def correlations(rig: Rig, operation: str) -> list[str]:
    """Return those of the calls in the audit log."""
    records = [record.content for record in rig.audit_log.recent(0)]
    return [it.correlation for it in records if it.operation == operation]


def test_a_call_that_fails_inside(rig: Rig, ana: Caller, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(type(rig.application), "begin", fail)
    assert ana.post("/trainings", {"dataset": "iris", "model": "svm"}).status == 500
    assert [it for it, text in recorder.lines if "failed" in text] == correlations(rig, "POST /trainings")


def test_a_task_of_a_call(rig: Rig, ana: Caller, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.001)
    assert isinstance(rig.launcher, PreparedLauncher)
    rig.launcher.outcomes["fit"] = TaskBroken("killed", "It was killed.")
    ana.post("/trainings", {"dataset": "iris", "model": "svm"})
    said = [it for it, text in recorder.lines if "was lost: It was killed." in text]
    assert said == correlations(rig, "POST /trainings") * 3
