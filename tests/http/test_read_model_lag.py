"""While read models are behind, answers as of now say how far, `ready` says so too, and both say how long it takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from adapters.http.read_model_lag import FRESH_SECONDS, Lag, LagMeter
from adapters.http.routes.health import readiness
from domain.errors import NotAbleError
from tests.http.asgi import Caller
from tests.http.rig import Rig

HEADER = "autolearn-lag"


@pytest.fixture
def late(rig: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch) -> Rig:
    """Hold read models back that lack a training, which was asked for 20 seconds ago."""
    monkeypatch.setattr("adapters.http.read_model_lag.FRESH_SECONDS", 0.0)  # the app has measured as it began
    rig.projecting.paused.set()
    ana.post("/trainings", {"dataset": "iris", "model": "svm"})
    rig.clock.offset = timedelta(seconds=20)
    return rig


def test_an_answer_that_lacks_nothing_says_nothing(rig: Rig, ana: Caller) -> None:
    assert HEADER not in ana.get("/session").headers
    assert readiness(rig.backend)["status"] == "ready"
    assert readiness(rig.backend)["catching_up"] is None


def test_an_answer_says_where_the_read_models_stand(late: Rig, ana: Caller) -> None:
    answer = ana.get("/session")
    reached, end = late.documents.position(), late.position
    assert answer.headers[HEADER].partition(";")[0] == f"{reached}/{end}"
    assert answer.json["position"] == reached < end
    ready = ana.raw(ana.outgoing("GET", "/health/ready"), {}, [b""])
    assert (ready.status, ready.json["status"], ready.json["fault"]) == (200, "catching-up", None)
    assert f"position {reached:,} of {end:,}" in ready.json["catching_up"]


def test_an_answer_about_the_past_or_from_the_log_lacks_nothing(late: Rig, ana: Caller, root: Caller) -> None:
    assert HEADER not in ana.get(f"/session?as_of=@{late.documents.position()}").headers
    assert HEADER not in root.get("/clients").headers
    assert HEADER not in root.get("/log").headers


def test_what_has_waited_for_less_than_a_second_is_not_told(rig: Rig, ana: Caller) -> None:
    assert Lag(5, 10, age=0.9).header_value(5) == ""
    assert not Lag(5, 10, age=0.9).is_behind
    assert Lag(5, 10, age=-400.0).is_behind, "the clock went back"
    assert Lag(5, 10, age=2.0).header_value(10) == "", "they have caught up since"
    assert Lag(5, 10, age=2.0).header_value(4) == "", "a later page, as of an older position"
    assert Lag(5, 10, 2.0, to_go=3.4).header_value(6) == "6/10; seconds=3"


def test_the_seconds_to_go_are_of_the_measured_rate(late: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.http.read_model_lag.FRESH_SECONDS", FRESH_SECONDS)
    now, folded, end = [0.0], [0], late.position
    monkeypatch.setattr(late.backend.documents, "position", lambda: folded[0])
    meter = LagMeter(late.backend, lambda: now[0])
    assert meter.recent().to_go is None, "nothing was seen to be folded"
    now[0], folded[0] = FRESH_SECONDS / 2, 2
    assert meter.recent().folded == 0, "one measurement serves many answers"
    now[0] = 2.0
    assert meter.recent().to_go == pytest.approx(end - 2)
    folded[0] = 1
    now[0] = 4.0
    assert meter.recent().to_go is None, "other read models serve now"
    folded[0] = end
    assert (meter.measure().events, meter.measure().is_behind) == (0, False)


def test_a_log_that_cannot_be_asked_takes_no_answer_away(
    late: Rig, ana: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise NotAbleError("It cannot be read.")

    monkeypatch.setattr(late.backend.feed, "raw_after", broken)
    answer = ana.get("/session")
    assert (answer.status, HEADER in answer.headers) == (200, False)
