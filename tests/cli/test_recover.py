"""`recover` speaks for the recovery: progress on stderr, what is back on stdout, a refusal as its exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from cli import exit_codes
from domain.errors import AutoLearnError, ConflictError
from server.settings import Settings
from tests.cli.conftest import Run
from tests.cli.fake_backend import FakeBackend, Reply

RECOVERED = {"events": 7, "commits": 3, "communications": 5, "position": 7, "head": "ab" * 32}


def recovering(monkeypatch: pytest.MonkeyPatch, *steps: dict[str, Any] | Exception) -> None:
    """Let the recovery take these steps."""

    def recovery(*_: object) -> Iterator[dict[str, Any]]:
        for step in steps:
            if isinstance(step, Exception):
                raise step
            yield step

    module = ModuleType("server.compose.recovery")
    module.recovery = recovery  # type: ignore[attr-defined] # a double of the module
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_it_says_what_is_back(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    recovering(monkeypatch, {"step": "events", "position": 3, "of": 6}, RECOVERED)
    ran = run("recover", "--from-kafka", "--json")
    assert (ran.code, json.loads(ran.out)) == (0, RECOVERED)
    assert "verify --against kafka" in ran.err
    assert "communications" in run("recover", "--from-kafka").out


def test_without_a_master_key_it_says_which_one_counts(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for fingerprint, said in (("ab12", "that of fingerprint ab12 counts"), (None, "the first process has counts")):
        recovering(monkeypatch, RECOVERED | {"master_key": None, "fingerprint": fingerprint})
        assert said in run("recover", "--from-kafka").err
    recovering(monkeypatch, RECOVERED | {"master_key": "/var/lib/autolearn/master.key"})
    assert "No master key" not in run("recover", "--from-kafka").err


def test_damage_is_a_failure_and_a_full_database_a_conflict(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    recovering(monkeypatch, AutoLearnError("The topic is damaged at position 5.", position=5))
    ran = run("recover", "--from-kafka", "--json")
    assert (ran.code, json.loads(ran.err)["position"]) == (exit_codes.DIFFERENT, 5)
    recovering(monkeypatch, ConflictError("The database holds commits already."))
    assert run("recover", "--from-kafka").code == exit_codes.CONFLICT


def test_it_says_first_which_database_and_kafka_it_acts_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    recovering(monkeypatch, ConflictError("The database holds commits already."))
    assert "on the database 'autolearn' on MongoDB at 127.0.0.1:27017, and Kafka at 127.0.0.1:9092." in (
        run("recover", "--from-kafka").err
    )
    monkeypatch.setenv("AUTOLEARN_MONGODB", "mongodb://ana:pass@word@one:1,two:2/?replicaSet=rs")
    monkeypatch.setenv("AUTOLEARN_KAFKA", "kafka:9?sasl.password=secret")
    monkeypatch.setenv("AUTOLEARN_DATABASE", "team")
    told = run("recover", "--from-kafka").err
    assert told.startswith("This acts on the database 'team' on MongoDB at one:1,two:2, and Kafka at kafka:9.\n")


def test_it_must_be_said_where_from(run: Run) -> None:
    assert run("recover").code == exit_codes.BAD_INPUT


def test_it_is_of_the_distributed_mode_and_needs_no_setting_for_that(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[str] = []

    def recovery(settings: Settings, *_: object) -> Iterator[dict[str, Any]]:
        modes.append(settings.mode)
        yield RECOVERED

    recovering(monkeypatch, RECOVERED)
    monkeypatch.setattr(sys.modules["server.compose.recovery"], "recovery", recovery)
    assert run("recover", "--from-kafka").code == 0
    assert modes == ["distributed"]
    monkeypatch.setenv("AUTOLEARN_MODE", "embedded")
    ran = run("recover", "--from-kafka")
    assert (ran.code, "AUTOLEARN_MODE says embedded" in ran.err) == (exit_codes.BAD_INPUT, True)
    assert modes == ["distributed"]


def test_what_is_given_up_is_said_and_what_to_delete(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def recovery(_: Settings, *until: object) -> Iterator[dict[str, Any]]:
        asked.append(until)
        yield RECOVERED | {"given_up": ["a.events behind position 7, up to 9"], "to_delete": ["a.events"]}

    recovering(monkeypatch, RECOVERED)
    monkeypatch.setattr(sys.modules["server.compose.recovery"], "recovery", recovery)
    ran = run("recover", "--from-kafka", "--until", "7", "--communications-until", "0")
    assert (ran.code, asked) == (0, [(7, 0)])
    assert "Given up: a.events behind position 7, up to 9." in ran.err
    assert "What a.events had beyond that is nowhere else" in ran.err
    assert run("recover", "--from-kafka", "--until", "-1").code == exit_codes.BAD_INPUT


def test_verify_against_kafka_asks_the_backend_for_it(run: Run, backend: FakeBackend) -> None:
    fault = {"position": 4, "what": "the events topic lacks 4"}
    result = {"ok": False, "position": 9, "head": "a" * 64, "faults": [fault], "unanswered": []}
    backend.on("POST", "/verifications", Reply(events=[("result", result)]))
    ran = run("verify", "--against", "kafka", "-o", "json")
    assert (ran.code, json.loads(ran.out)["faults"]) == (exit_codes.DIFFERENT, [fault])
    assert backend.seen[0].body == {"anchor": None, "against": "kafka"}
    assert run("verify", "--against", "nats").code == exit_codes.BAD_INPUT


def test_what_nobody_had_relayed_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    recovering(monkeypatch, RECOVERED | {"lost": ["record 9 of the audit log speaks of 8, the log ends at 7"]})
    ran = run("recover", "--from-kafka")
    assert "speaks of 8" in ran.err
    assert "recover --accept-loss REASON" in ran.err


def test_an_accepted_loss_is_shown_with_the_topics_that_go_on(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    recovering(monkeypatch)
    loss: dict[str, Any] = {"reason": "gone", "evidence": ["the read models are at 8"]}
    for topics, said in (
        (["x.events"], "What x.events had beyond"),
        ([], "Start the processes"),
        (None, "does not answer"),
    ):
        body = loss | {"to_delete": topics}
        module = sys.modules["server.compose.recovery"]
        monkeypatch.setattr(module, "accept_lost_ends", lambda *_, body=body: body, raising=False)
        ran = run("recover", "--accept-loss", "gone", "--json")
        assert (ran.code, json.loads(ran.out)) == (0, body)
        assert said in ran.err


def test_a_loss_is_accepted_alone(run: Run) -> None:
    for more in (["--from-kafka"], ["--until", "3"], ["--communications-until", "3"]):
        ran = run("recover", "--accept-loss", "gone", *more)
        assert (ran.code, "stands alone" in ran.err) == (exit_codes.BAD_INPUT, True)
