"""What a backend logs: every record in its line, nothing that steers, nothing that is lost, no file without an end."""

from __future__ import annotations

import io
import json
import logging
import re
import stat
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.host.processes import child_environment, python_command
from commands.call import correlated
from server.log_writer import FILES, LARGEST, LONGEST_LINE, keep
from server.logs import LONGEST, JsonFormatter, LogFormat, PrintableFormatter, log_to_standard_error
from tests.cli.hostile import HOSTILE, is_hostile

SECONDS = 30
RECORD = "2026-01-01 00:00:00,000 ERROR "


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Give back what logging was before."""
    logger, before = logging.getLogger(), threading.excepthook
    handlers, level = logger.handlers[:], logger.level
    yield logger
    logger.handlers, threading.excepthook = handlers, before
    logger.setLevel(level)
    logging.captureWarnings(capture=False)


def formatted(message: str, error: BaseException | None = None) -> str:
    record = logging.LogRecord("any", logging.ERROR, "any", 1, "%s", (message,), None)
    if error is not None:
        record.exc_info = (type(error), error, None)
    return PrintableFormatter("up").format(record)


def hostile(text: str) -> str:
    return ascii("".join(filter(is_hostile, text)))


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_a_record_is_one_line_and_its_traceback_begins_none(message: str, of_error: str) -> None:
    line, *traceback = formatted(message + RECORD, ValueError(f"{of_error}\n{RECORD}forged")).split("\n")
    assert line.endswith(RECORD)
    assert all(it.startswith("    ") for it in traceback)
    assert hostile("".join([line, *traceback])) == "''"


def test_all_that_python_prints_by_itself_is_a_record(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    root.handlers = []  # pytest's own, for this call
    log_to_standard_error("up")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(HOSTILE, stacklevel=1)
    broken = threading.Thread(target=lambda: int(HOSTILE))
    broken.start()
    broken.join()
    quiet = threading.Thread(target=lambda: sys.exit(0))
    quiet.start()
    quiet.join()
    lines = capsys.readouterr().err.rstrip("\n").split("\n")
    assert hostile("".join(lines)) == "''"
    assert [line[24:].split(" ")[0] for line in lines if not line.startswith("    ")] == ["WARNING", "ERROR"]


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_record_says_who_and_for_which_call(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], form: LogFormat
) -> None:
    root.handlers = []
    log_to_standard_error("serve-training", form)
    with correlated("a-call-of-ana"):
        logging.getLogger("here").warning("one %s", "two")
    logging.getLogger("here").info("alone")
    lines = capsys.readouterr().err.splitlines()
    if form == "text":
        told = [line[24:] for line in lines]
        assert told == ["WARNING serve-training a-call-of-ana one two", "INFO serve-training - alone"]
    else:
        one, alone = map(json.loads, lines)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", one.pop("time"))
        assert one == {
            "level": "WARNING",
            "service": "serve-training",
            "correlation": "a-call-of-ana",
            "logger": "here",
            "message": "one two",
        }
        assert (alone["level"], alone["correlation"], "traceback" in alone) == ("INFO", None, False)


@given(st.text(st.characters(codec=None)), st.text(st.characters(codec=None)))
def test_a_record_in_json_is_one_line_with_all_that_was_said(message: str, of_error: str) -> None:
    record = logging.LogRecord("any", logging.ERROR, "any", 1, "%s", (message,), None)
    error = ValueError(of_error)
    record.exc_info = (ValueError, error, None)
    line = JsonFormatter("up").format(record)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line)["message"] == message
    assert json.loads(line)["traceback"].startswith("ValueError")


def test_a_record_in_json_is_never_cut_by_the_writer() -> None:
    record = logging.LogRecord("any", logging.ERROR, "any", 1, "\x1b" * 2 * LONGEST, (), None)
    record.exc_info = (ValueError, ValueError("\x1b" * 2 * LONGEST), None)
    assert len(JsonFormatter("up").format(record)) < LONGEST_LINE


def test_files_stay_small_and_few_and_no_line_is_lost(tmp_path: Path) -> None:
    log, largest = tmp_path / "backend.log", 1000
    lines = [f"line {number} {'x' * (number % 50)}" for number in range(1000)]
    keep(io.BytesIO("\n".join(lines).encode()), log, files=4, largest=largest)
    files = [log, *(tmp_path / f"backend.log.{number}" for number in (1, 2, 3))]
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert max(file.stat().st_size for file in files) <= largest
    kept = "".join(file.read_text() for file in reversed(files)).splitlines()
    assert kept == lines[-len(kept) :]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_line_without_an_end_takes_no_memory(tmp_path: Path) -> None:
    log = tmp_path / "backend.log"
    keep(io.BytesIO(b"x" * (3 * LONGEST_LINE)), log)
    assert [len(line) for line in log.read_text().splitlines()] == [LONGEST_LINE] * 3


def test_who_speaks_is_heard_though_nothing_can_be_written(tmp_path: Path) -> None:
    log, said = tmp_path / "backend.log", io.BytesIO(b"a\n" * 1000)
    log.mkdir()
    keep(said, log)
    assert said.read() == b""


def test_an_older_file_becomes_its_owners_alone(tmp_path: Path) -> None:
    log = tmp_path / "backend.log"
    log.write_text("before\n")
    log.chmod(0o644)
    keep(io.BytesIO(b"after"), log)
    assert (log.read_text(), stat.S_IMODE(log.stat().st_mode)) == ("before\nafter\n", 0o600)


def test_the_writer_ends_with_its_last_speaker(tmp_path: Path) -> None:
    log = tmp_path / "backend.log"
    with subprocess.Popen(
        python_command("server.log_writer", str(log)), env=child_environment({}), stdin=subprocess.PIPE
    ) as writer:
        assert writer.stdin is not None
        writer.stdin.write(b"\xff" + HOSTILE.encode(errors="surrogatepass"))
        writer.stdin.close()
        assert writer.wait(SECONDS) == 0
    text = log.read_text()
    assert (hostile(text), "\\x1b" in text, FILES * LARGEST) == ("''", True, 50 << 20)
