"""A data directory that lost the end of its log, or of its audit log, is not served as if nothing had been."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapters.embedded.directory.receipts import NAME, ReceiptKeeper, read_receipts
from commands.storage.add_client import AddClient
from domain.errors import BadInputError, ConflictError
from projections.ports import AuditRecord
from projections.verification.tail_check import LogEnd
from server.compose import lock_directory, open_runner
from server.compose.services import Services
from server.runner import Runner
from server.settings import Settings, read_settings
from server.start_up import process_call

READ_MODELS = "read-models-*.db"
HASHES = "ab" * 32, "00" * 32
FORGED = f'{{"log": "2:{HASHES[0]}", "audit": "0:{HASHES[1]}"}}'


@contextmanager
def opened(settings: Settings, accept_loss: str | None = None) -> Iterator[Runner]:
    """Open the directory as a backend does, which folds and writes receipts meanwhile, and answers nobody."""
    with lock_directory(settings) as lock:
        runner = open_runner(settings, lock, accept_loss=accept_loss)
        try:
            receipts, _, projection = runner.followers
            receipts.start()
            projection.start()
            yield runner
        finally:
            runner.close()


def live(settings: Settings, *clients: str, accept_loss: str | None = None) -> list[str]:
    """Open the directory, add these clients, each by a call with its record, fold, and close; return the heads."""
    with opened(settings, accept_loss) as runner:
        services = runner.require_services()
        heads = [called(services, client) for client in clients]
        assert services.backend.documents.wait(services.log_position, 30)
    return heads


def called(services: Services, client: str) -> str:
    """Add a client as a call of the gate would, with its record in the audit log."""
    start = uuid4().hex
    answer = services.application.handle(AddClient(client), process_call(client, start))
    texts: dict[str, Any] = dict.fromkeys(("source", "target", "operation", "problem", "digest_in", "digest_out"), "")
    facts = texts | {"milliseconds": 1.0, "bytes_in": 1, "bytes_out": 1, "outcome": "201", "causation": ""}
    place: dict[str, Any] = {"correlation": start, "domain_position": answer.position, "head": answer.head}
    call = AuditRecord(kind="call", actor=client, **facts, **place)
    services.backend.audit_log.append(call)
    return f"{answer.position}:{answer.head}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings(data=tmp_path / "data")


@pytest.fixture
def before(settings: Settings, tmp_path: Path) -> Path:
    """A copy of the directory as it was before its last three calls."""
    live(settings, "ana", "bob")
    shutil.copytree(settings.data, tmp_path / "before")
    live(settings, "cem", "dan", "eva")
    return tmp_path / "before"


def restore(settings: Settings, before: Path, *names: str) -> None:
    """Put older files in the place of today's."""
    for pattern in names:
        for path in [*settings.data.glob(pattern), *settings.data.glob(f"{pattern}-*")]:
            path.unlink()
        for path in before.glob(pattern):
            shutil.copy(path, settings.data)


def keep(settings: Settings, *patterns: str) -> None:
    """Remove whatever else could show a loss."""
    for pattern in {READ_MODELS, NAME} - set(patterns):
        for path in settings.data.glob(f"{pattern}*"):
            path.unlink()


LOST_LOG: list[tuple[str, tuple[str, ...], str]] = [
    ("the audit log tells", ("communications.db",), r"record \d+ of the audit log speaks of 5, the log ends at 2"),
    ("the read models tell", (READ_MODELS,), "the read models are at 5, the log ends at 2"),
    ("the receipts tell", (NAME,), "receipts.json has the log at 5, the log ends at 2"),
]


@pytest.mark.parametrize(("_", "kept", "told"), LOST_LOG)
def test_a_log_that_lost_its_end_is_refused(
    settings: Settings, before: Path, _: str, kept: tuple[str, ...], told: str
) -> None:
    restore(settings, before, "events.db", *({"communications.db"} - set(kept)))
    keep(settings, *kept)
    if "communications.db" not in kept and NAME in kept:
        cut_audit_receipt(settings)
    for _attempt in range(2):  # the evidence stays
        with pytest.raises(ConflictError, match=told) as refused:
            live(settings)
        assert "autolearn up --accept-loss REASON" in refused.value.sentence


def test_a_refused_start_leaves_no_read_models_of_its_own(settings: Settings, before: Path) -> None:
    restore(settings, before, "events.db")
    (settings.data / "read-models.current").unlink()
    there = sorted(settings.data.glob("read-models*"))
    with pytest.raises(ConflictError):
        live(settings)
    assert sorted(settings.data.glob("read-models*")) == there


def cut_audit_receipt(settings: Settings) -> None:
    """Let the receipts know of the log alone."""
    file = settings.data / NAME
    file.write_text(json.dumps(json.loads(file.read_text()) | {"audit": f"0:{'0' * 64}"}))


def test_an_audit_log_that_lost_its_end_is_refused(settings: Settings, before: Path) -> None:
    restore(settings, before, "communications.db")
    with pytest.raises(ConflictError, match=r"The end of the audit log is lost: receipts.json has the audit log at"):
        live(settings)


def test_an_audit_log_that_was_removed_is_refused_even_without_receipts(settings: Settings, before: Path) -> None:
    restore(settings, before.with_name("nowhere"), "communications.db")
    keep(settings)
    with pytest.raises(ConflictError, match="each has its call: there was a record 1, the audit log ends at 0"):
        live(settings)


def test_files_of_two_lives_are_refused_and_no_reason_helps(settings: Settings, before: Path, tmp_path: Path) -> None:
    other = read_settings(data=tmp_path / "other")
    live(other, "eve", "eva", "fay", "gil", "hal", "ida")
    restore(settings, other.data, "events.db")
    for accepted in (None, "because"):
        with pytest.raises(ConflictError, match=r"do not belong together: record \d+ of the audit log speaks of"):
            live(settings, accept_loss=accepted)


def test_an_accepted_loss_is_an_event_and_the_life_goes_on(settings: Settings, before: Path) -> None:
    restore(settings, before, "events.db")
    (settings.data / "positions.json").write_text("{}")
    live(settings, "fay", accept_loss="The disk of 3 May is gone.")
    live(settings, "gil", "hal", "ida")
    with opened(settings) as runner:
        services = runner.require_services()
        (event,) = services.application.ports.store.stream("installation:losses")
        facts = event.model_dump()
        assert (facts["reason"], facts["log"]["position"], facts["log"]["until"]) == (
            "The disk of 3 May is gone.",
            2,
            5,
        )
        assert facts["audit"]["until"] == facts["audit"]["position"] > 0
        assert any("the read models are at 5" in what for what in facts["evidence"])
        assert services.backend.documents.position() == services.log_position == 2 + 1 + 4
    assert not (settings.data / "positions.json").exists()


def test_a_second_loss_is_refused_though_a_first_one_was_accepted(
    settings: Settings, before: Path, tmp_path: Path
) -> None:
    restore(settings, before, "events.db")
    live(settings, "fay", accept_loss="first")
    shutil.copytree(settings.data, tmp_path / "second")
    live(settings, "gil")
    restore(settings, tmp_path / "second", "events.db")
    keep(settings)
    with pytest.raises(ConflictError, match="the log ends at 4"):
        live(settings)
    live(settings, accept_loss="second")


def test_a_reason_where_nothing_is_lost_is_refused(settings: Settings, before: Path) -> None:
    with pytest.raises(BadInputError, match="Nothing of the log is lost"):
        live(settings, accept_loss="just in case")
    restore(settings, before, "events.db")
    with pytest.raises(BadInputError, match="reason must have"):
        live(settings, accept_loss=" ")
    with pytest.raises(ConflictError, match="lost"):
        live(settings)


@pytest.mark.parametrize(
    "damage", [lambda path: path.unlink(), lambda path: os.truncate(path, path.stat().st_size // 2)]
)
def test_a_write_ahead_log_that_a_killed_backend_left_and_that_is_lost_is_noticed(
    settings: Settings, damage: Callable[[Path], None]
) -> None:
    """The process ends at once, with everything still in the files `-wal`; each loses its own."""
    code = (
        "import os, sys; from server.settings import read_settings\n"
        "from tests.embedded.test_lost_tails import called, opened\n"
        "from pathlib import Path\n"
        "with opened(read_settings(data=Path(sys.argv[1]))) as runner:\n"
        "    for number in range(20): called(runner.require_services(), f'c{number}')\n"
        "    runner.followers[0].write(); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code, str(settings.data)], check=True)
    damage(settings.data / "events.db-wal")
    with pytest.raises(ConflictError, match="The end of the log is lost"):
        live(settings)


def ends(hashes: dict[str, dict[int, bytes]]) -> dict[str, LogEnd]:
    """Return ends of logs that have these hashes."""
    return {name: LogEnd(name, max(it), it[max(it)], it.get) for name, it in hashes.items()}


def test_receipts_follow_what_is_stored_and_a_broken_file_is_no_evidence(tmp_path: Path) -> None:
    hashes: dict[str, dict[int, bytes]] = {name: {0: bytes(32)} for name in ("log", "audit")}
    keeper = ReceiptKeeper(tmp_path, lambda: ends(hashes))
    keeper.start()
    assert read_receipts(tmp_path) == {"log": (0, bytes(32)), "audit": (0, bytes(32))}
    hashes["log"][4] = b"z" * 32
    keeper.stop()
    assert read_receipts(tmp_path) == {"log": (4, b"z" * 32), "audit": (0, bytes(32))}
    for broken in ("", "[]", '{"log": "3:xx", "audit": "1:aa"}', '{"log": 3, "audit": 4}'):
        (tmp_path / NAME).write_text(broken)
        assert read_receipts(tmp_path) == {}


@pytest.mark.parametrize("forged", [None, "", FORGED])
def test_receipts_that_were_taken_away_or_forged_beside_a_cut_log_come_again(
    tmp_path: Path, forged: str | None
) -> None:
    hashes = {"log": {0: bytes(32), 2: b"\xab" * 32, 3: b"x" * 32}, "audit": {0: bytes(32)}}
    keeper = ReceiptKeeper(tmp_path, lambda: ends(hashes))
    keeper.write()
    del hashes["log"][3]
    (tmp_path / NAME).unlink()
    if forged is not None:
        (tmp_path / NAME).write_text(forged)
    keeper.write()
    assert read_receipts(tmp_path) == {"log": (3, b"x" * 32), "audit": (0, bytes(32))}


@pytest.mark.parametrize("changed", [{0: bytes(32), 3: b"y" * 32}, {0: bytes(32)}, {0: bytes(32), 7: b"x" * 32}])
def test_a_receipt_that_does_not_hold_any_more_stays(tmp_path: Path, changed: dict[int, bytes]) -> None:
    hashes = {"log": {0: bytes(32), 3: b"x" * 32}, "audit": {0: bytes(32)}}
    keeper = ReceiptKeeper(tmp_path, lambda: ends(hashes))
    keeper.write()
    hashes["log"] = changed
    hashes["audit"][5] = b"a" * 32
    keeper.write()
    assert read_receipts(tmp_path) == {"log": (3, b"x" * 32), "audit": (5, b"a" * 32)}
