"""`doctor` finds what would keep a backend from starting, says what to do, and changes nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest

from adapters.host.directory_lock import DirectoryLock
from adapters.security.keys import make_master_key
from cli import exit_codes
from domain.errors import BadInputError, NotAbleError
from server import doctor
from server.doctor import Finding, findings
from server.settings import Settings, read_settings
from tests.cli.conftest import Run
from tests.cli.test_verify_at_rest import as_it_is
from tests.embedded.test_lost_tails import live


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data=tmp_path / "data")


def states(ran: Any) -> dict[str, str]:
    return {it["check"]: it["state"] for it in json.loads(ran.out)["checks"]}


def found(ran: Any, check: str) -> str:
    return next(str(it["found"]) for it in json.loads(ran.out)["checks"] if it["check"] == check)


def test_a_place_without_anything_is_fit_for_a_first_start_and_stays_so(run: Run, tmp_path: Path) -> None:
    ran = run("doctor", "--data", str(tmp_path / "nowhere"), "--json")
    assert ran.code == 0, ran.out
    assert set(states(ran).values()) == {"ok"}
    assert found(ran, "master key").endswith("is not there: the first start makes it")
    assert not (tmp_path / "nowhere").exists()


def test_a_sound_installation_is_told_line_by_line_and_not_changed(run: Run, settings: Settings) -> None:
    live(settings, "ana")
    before = as_it_is(settings.data)
    ran = run("doctor", "--data", str(settings.data), "--json")
    assert (ran.code, json.loads(ran.out)["ok"]) == (0, True), ran.out
    assert found(ran, "log") == "format 2, log at position 1, audit log at 1"
    assert "autolearn backup FOLDER" in found(ran, "last back-up")
    assert as_it_is(settings.data) == before
    table = run("doctor", "--data", str(settings.data))
    assert "master key" in table.out


def lose_key(settings: Settings) -> None:
    settings.key_file.unlink()


def other_key(settings: Settings) -> None:
    settings.key_file.unlink()
    make_master_key(settings.key_file)


def open_to_all(settings: Settings) -> None:
    settings.data.chmod(0o777)


def lost_end(settings: Settings) -> None:
    for path in settings.data.glob("communications.db*"):
        path.unlink()
    shutil.copy(settings.data.parent / "before" / "communications.db", settings.data)


@pytest.mark.parametrize(
    ("harm", "check", "told", "code"),
    [
        (lose_key, "master key", "is missing, and all clients' keys depend on it", exit_codes.BAD_INPUT),
        (other_key, "master key", "but the installation's is", exit_codes.BAD_INPUT),
        (open_to_all, "data directory", "Others may write to", exit_codes.BAD_INPUT),
        (lost_end, "log", "The end of the audit log is lost", exit_codes.CONFLICT),
    ],
)
def test_trouble_is_named_with_its_exit_code(
    run: Run, settings: Settings, harm: Callable[[Settings], None], check: str, told: str, code: int
) -> None:
    live(settings, "ana")
    shutil.copytree(settings.data, settings.data.parent / "before")
    live(settings, "bob")
    harm(settings)
    ran = run("doctor", "--data", str(settings.data), "--json")
    assert (ran.code, [name for name, state in states(ran).items() if state != "ok"]) == (code, [check])
    assert told in found(ran, check)


def test_a_misspelt_setting_is_told(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOLEARN_DATABSE", "team")
    ran = run("doctor", "--data", str(tmp_path / "nowhere"), "--json")
    assert (ran.code, states(ran)["settings"]) == (exit_codes.BAD_INPUT, "trouble")
    assert "Nearest: AUTOLEARN_DATABASE" in found(ran, "settings")


def test_the_first_trouble_decides_and_the_others_are_told_too() -> None:
    def raises(error: Exception) -> Callable[[], str]:
        def look() -> str:
            raise error

        return look

    made = list(
        findings(
            [
                ("one", lambda: "fine"),
                ("two", raises(NotAbleError("It is away."))),
                ("three", raises(BadInputError("It is wrong."))),
                ("four", raises(PermissionError(13, "Permission denied", "/etc/x"))),
            ]
        )
    )
    assert made[0] == Finding("one", "fine")
    assert [it.found for it in made[1:]] == ["It is away.", "It is wrong.", "/etc/x: Permission denied."]
    assert [it.check for it in made if it.trouble] == ["two", "three", "four"]


@pytest.mark.parametrize(
    ("patched", "value", "look", "told"),
    [
        ("platform.python_version", "3.9.1", "_python", "This is Python 3.9.1"),
        ("version", "0.1", "_packages", "is 0.1, and must be"),
    ],
)
def test_versions_that_do_not_fit_are_named(
    monkeypatch: pytest.MonkeyPatch, patched: str, value: str, look: str, told: str
) -> None:
    monkeypatch.setattr(f"server.doctor.{patched}", lambda *_: value)
    with pytest.raises(BadInputError, match=told):
        getattr(doctor, look)()


class Ready(BaseHTTPRequestHandler):
    """Answers as a backend does that is ready, or not."""

    answer: ClassVar[tuple[int, bytes]] = (200, b"")

    def do_GET(self) -> None:
        status, body = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize(
    ("answer", "code", "told"),
    [
        ((200, b'{"status": "ready", "position": 7}'), 0, "is ready at position 7"),
        ((503, b'{"fault": "The disk is full."}'), exit_codes.NOT_ABLE, "is not ready: The disk is full."),
        ((503, b"<html>"), exit_codes.NOT_ABLE, "is not ready: status 503."),
        ((200, b"<html>"), exit_codes.NOT_ABLE, "does not answer"),
    ],
)
def test_a_backend_that_runs_is_asked(
    run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, bytes], code: int, told: str
) -> None:
    monkeypatch.setattr(Ready, "answer", answer)
    settings.data.mkdir(mode=0o700)
    with ThreadingHTTPServer(("127.0.0.1", 0), Ready) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        lock = DirectoryLock(settings.data)
        lock.acquire(f"http://127.0.0.1:{server.server_port}")
        ran = run("doctor", "--data", str(settings.data), "--json")
        lock.release()
        server.shutdown()
    assert (ran.code, told in found(ran, "backend")) == (code, True), ran.out
