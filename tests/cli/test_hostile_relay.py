"""A relay between the real client and the real application changes one thing at a time: each change is noticed.

Noticed means: no output, no position kept, a sentence that says so, and exit code 3 (2 or 4 for a refusal that is not
sealed because it comes before the key is known). What intermediaries do as well (other chunks, a header that nobody
acts on) must not be noticed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from autolearn.credentials import Credentials
from cli.main import main
from commands.ports import TaskDone
from tests.cli.conftest import Ran
from tests.cli.relay import Answered, Change, Relay
from tests.cli.relay_changes import CHANGES, HARMLESS
from tests.deploy.echoes import served
from tests.http.doubles import PreparedLauncher
from tests.http.outcomes import FIT
from tests.http.rig import Rig

MODEL = b"a model of skops" * 1000
NOTICED = (
    "Somebody changed the answer",
    "not the backend's",
    "was not sealed",
    "is not sealed",
    "broke off",
    "No backend answers",
    "is no AutoLearn backend",
    "is not known",
)


@dataclass
class Between:
    """A command line whose backend is behind a relay."""

    rig: Rig
    relay: Relay
    home: Path
    run: Callable[..., Ran]
    trained: str = ""

    def positions(self) -> dict[str, int]:
        file = self.home / "positions.json"
        return json.loads(file.read_text()) if file.exists() else {}

    def honest(self, command: str) -> Ran:
        self.relay.change, self.relay.before = (lambda answered: answered.raw), (lambda request: request)
        return self.spoken(command)

    def spoken(self, command: str) -> Ran:
        words = command.replace("TRAINED", self.trained).replace("FILE", str(self.home / "m.skops")).split()
        return self.run(*words)


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    rig = Rig.prepared(tmp_path_factory.mktemp("rig"))
    file = tmp_path_factory.mktemp("model") / "model"
    file.write_bytes(MODEL)
    rig.blobs.put_file(str(file))
    blob = {"sha256": hashlib.sha256(MODEL).hexdigest(), "size": len(MODEL)}
    assert isinstance(rig.launcher, PreparedLauncher)
    rig.launcher.outcomes["fit"] = TaskDone(FIT | {"model_blob": blob})
    steps = [{"progress": 0.5, "what": "chain"}]
    rig.inspector.steps = [*steps, {"result": {"ok": False, "position": 7, "faults": [], "unanswered": []}}]
    yield rig
    rig.close()


@pytest.fixture(scope="module")
def backend_url(rig: Rig) -> Iterator[str]:
    with served(rig.app) as url:
        yield url


@pytest.fixture(scope="module")
def trained(rig: Rig) -> str:
    reply = rig.caller("root").post("/trainings", {"dataset": "iris", "model": "svm"})
    rig.settle()
    return str(reply.json["experiment"])


@pytest.fixture
def between(
    rig: Rig,
    backend_url: str,
    trained: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> Iterator[Between]:
    for name in ("AUTOLEARN_CREDENTIALS", "COLUMNS", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AUTOLEARN_DATA", str(tmp_path))
    monkeypatch.setattr("autolearn.retries.PAUSES", (0.0,) * 4)
    relay = Relay(backend_url)
    monkeypatch.setenv("AUTOLEARN_URL", relay.url)
    Credentials("root", 1, rig.backend.keyring.key("root", 1)).write(tmp_path / "credentials.json")

    def run(*arguments: str) -> Ran:
        code = main(list(arguments))
        out, err = capfdbinary.readouterr()
        return Ran(code, out.decode("latin-1"), err.decode())

    between = Between(rig, relay, tmp_path, run)
    between.trained = trained
    yield between
    relay.stop()


REFUSED_OR_NOT_BELIEVED = {2, 3, 4}  # 2: an unsealed 400, 413, 414 or 431, as of a proxy's limits
NO_CHANGE = {  # a parameter of the media type that nobody reads, and what comes behind the end of a stream
    ("verify", change) for change in ("content-type text/event-stream", "body twice", "body longer", "chunks cut")
}
COMMANDS = {
    "history --json": 0,
    "show TRAINED --json": 0,
    "train iris svm --json": 0,
    "train iris svm --no-wait --json": 0,
    "train iris nothing": 5,
    "client revoke nobody": 5,
    "client list --json": 0,
    "verify": 1,
    "export TRAINED FILE --force": 0,
    "predict TRAINED --row {} --json": 0,
    "predictions --json": 0,
    "call GET /experiments/TRAINED/model": 0,
    "call GET /health/nothing": 5,
    "cancel TRAINED": 6,
    "log --limit 1 --json": 0,
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_noticed(between: Between, command: str, change: str) -> None:
    touched: list[bool] = []

    def changed(answered: Answered) -> bytes:
        done = CHANGES[change](answered)
        touched.append(done != answered.raw and (bool(done) or "cut" in change))
        return done if touched[-1] else answered.raw

    position = between.positions()
    between.relay.change = changed
    ran = between.spoken(command)
    if not any(touched) or (command, change) in NO_CHANGE:
        assert ran.code == COMMANDS[command]
        return
    assert ran.code in REFUSED_OR_NOT_BELIEVED, ran
    assert ran.out == ""
    assert any(sign in ran.err for sign in NOTICED), ran.err
    assert between.positions() == position
    assert not list(between.home.glob("m.skops*.new"))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("change", HARMLESS)
def test_what_intermediaries_do_is_no_change(between: Between, command: str, change: str) -> None:
    between.relay.change = HARMLESS[change]
    ran = between.spoken(command)
    assert ran.code == COMMANDS[command], ran


@pytest.mark.parametrize("command", COMMANDS)
def test_the_answer_of_an_earlier_equal_call_is_noticed(between: Between, command: str) -> None:
    between.honest(command)
    earlier = between.relay.kept[-1]
    between.relay.change = lambda _: earlier.raw
    ran = between.spoken(command)
    assert (ran.code, ran.out) == (3, "")
    assert "not the backend's answer to this call" in ran.err


@pytest.mark.parametrize("parts", ["head", "body", "seal"])
@pytest.mark.parametrize("command", [it for it in COMMANDS if "model" not in it and "export" not in it])
def test_parts_of_an_earlier_answer_are_noticed(between: Between, command: str, parts: str) -> None:
    between.honest(command)
    earlier = between.relay.kept[-1]
    mixed: dict[str, Change] = {
        "head": lambda it: earlier.of(it.body).raw,
        "body": lambda it: it.of(earlier.body).raw,
        "seal": lambda it: it.having("autolearn-seal", earlier.header("autolearn-seal")).raw,
    }
    between.relay.change = mixed[parts]
    ran = between.spoken(command)
    assert (ran.code, ran.out) == (3, "")
    assert any(sign in ran.err for sign in NOTICED)


def test_the_answer_to_another_client_is_noticed(between: Between, rig: Rig) -> None:
    own = between.home / "credentials.json"
    own.rename(between.home / "root.json")
    Credentials("bob", 1, rig.backend.keyring.key("bob", 1)).write(own)
    between.honest("history --json")
    of_bob = between.relay.kept[-1]
    own.unlink()
    (between.home / "root.json").rename(own)
    between.relay.change = lambda _: of_bob.raw
    assert between.spoken("history --json").code == 3


def frames(body: bytes) -> list[bytes]:
    return [frame + b"\n\n" for frame in body.split(b"\n\n") if frame]


STREAMS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "without its end": lambda it: it[:-1],
    "without its beginning": lambda it: it[1:],
    "empty": lambda _: [],
    "turned round": lambda it: it[::-1],
    "doubled": lambda it: [it[0], *it],
    "progress as result": lambda it: [it[0].replace(b"event: progress", b"event: result"), *it[1:]],
    "result as problem": lambda it: [*it[:-1], it[-1].replace(b"event: result", b"event: problem")],
    "result as progress": lambda it: [*it[:-1], it[-1].replace(b"event: result", b"event: progress")],
    "a number changed": lambda it: [it[-1].replace(b"id: 2", b"id: 1")],
    "a plain event before": lambda it: [b'event: result\nid: 1\ndata: {"ok": true}\n\n', *it],
}


@pytest.mark.parametrize("change", STREAMS)
def test_a_changed_stream_is_noticed(between: Between, change: str) -> None:
    between.relay.change = lambda it: it.of(b"".join(STREAMS[change](frames(it.body)))).chunked
    ran = between.spoken("verify")
    assert (ran.code, ran.out) == (3, "")
    assert any(sign in ran.err for sign in NOTICED)


def test_a_file_is_in_place_only_if_it_is_the_one_that_was_sent(between: Between) -> None:
    file: Any = between.home / "m.skops"
    between.relay.change = lambda it: (it.of(b"x" + it.body[1:]) if it.body == MODEL else it).raw
    ran = between.spoken("export TRAINED FILE")
    assert (ran.code, file.exists()) == (3, False)
    assert "another file came than was sent" in ran.err
    assert between.honest("export TRAINED FILE").code == 0
    assert file.read_bytes() == MODEL


def test_a_refusal_before_the_key_is_known_says_that_it_is_not_sealed(between: Between, rig: Rig) -> None:
    Credentials("root", 1, rig.backend.keyring.key("bob", 1)).write(between.home / "credentials.json")
    ran = between.honest("session --json")
    assert (ran.code, json.loads(ran.err)["type"]) == (4, "not-authenticated")
    assert "carried out" not in ran.err
    ran = between.honest("train iris svm")
    assert ran.code == 4
    assert "check that the command was not carried out" in ran.err
