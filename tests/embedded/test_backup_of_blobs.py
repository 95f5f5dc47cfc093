"""Blobs of a back-up: one that cannot be copied leaves it unfinished; one that is lost or damaged is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.embedded.backup.folder import read_note
from adapters.embedded.directory.last_backup import last_backup
from domain.dataset import DatasetContent, DatasetRegistered
from domain.errors import ConflictError, NotAbleError
from server.compose.backup import back_up
from server.compose.restore import restore
from server.settings import Settings, read_settings
from tests.contracts.events import header
from tests.embedded.test_backup import into, last, positions, put_key
from tests.embedded.test_lost_tails import live, opened


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data directory with two clients, and so with two positions in its log."""
    made = read_settings(data=tmp_path / "data")
    live(made, "ana", "bob")
    return made


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def add_blob(settings: Settings, content: bytes) -> str:
    """Store a blob that an event of the log names; return its name."""
    with opened(settings) as runner:
        ports = runner.require_services().application.ports
        path = Path(ports.blobs.scratch(""))
        path.write_bytes(content)
        blob = ports.blobs.put_file(str(path))
        described = DatasetContent(blob=blob, rows=1, columns={"a": "number"}, target="a", classes=())
        stream = f"dataset:{content.decode()}"
        registered = DatasetRegistered(originator_id=stream, originator_version=1, version=1, content=described)
        ports.store.append([registered], header())
    return blob.sha256


def unreadable(file: Path) -> None:
    """Let a file be of no use until it is removed: its name is a folder's."""
    file.unlink()
    file.mkdir()


def file_of(folder: Path, blob: str) -> Path:
    return next((folder / "blobs").glob(f"*/*/{blob}"))


def test_a_back_up_that_lacks_a_blob_of_the_installation_is_not_finished(
    settings: Settings, to: Path, tmp_path: Path
) -> None:
    add_blob(settings, b"first")
    assert last(back_up(settings, to))["blobs_copied"] == 1
    before, noted = read_note(to), last_backup(settings.data)
    file = file_of(settings.data, add_blob(settings, b"second"))
    kept = file.read_bytes()
    unreadable(file)
    with pytest.raises(NotAbleError, match=r"Blob .* cannot be copied"):
        last(back_up(settings, to))
    assert (read_note(to), last_backup(settings.data)) == (before, noted)
    assert last(restore(into(tmp_path), to))["position"] == 3
    file.rmdir()
    file.write_bytes(kept)
    made = last(back_up(settings, to))
    assert (made["position"], made["blobs_copied"], made["lost_blobs"]) == (4, 1, [])


def test_a_restore_that_cannot_read_a_blob_is_not_finished(settings: Settings, to: Path, tmp_path: Path) -> None:
    blob = add_blob(settings, b"rows")
    last(back_up(settings, to))
    file = file_of(to, blob)
    unreadable(file)
    with pytest.raises(NotAbleError, match=r"Blob .* cannot be copied"):
        last(restore(into(tmp_path), to))
    put_key(settings, into(tmp_path))
    with pytest.raises(ConflictError, match="was interrupted"):
        live(into(tmp_path))
    file.rmdir()
    file.write_bytes(b"rows")
    assert last(restore(into(tmp_path), to))["blobs_copied"] == 1


def test_a_blob_that_was_changed_in_the_back_up_is_told_from_one_that_was_lost(
    settings: Settings, to: Path, tmp_path: Path
) -> None:
    lost, changed = add_blob(settings, b"lost"), add_blob(settings, b"changed")
    file_of(settings.data, lost).unlink()
    assert last(back_up(settings, to))["lost_blobs"] == [lost]
    file_of(to, changed).chmod(0o600)
    file_of(to, changed).write_bytes(b"other")
    restored = last(restore(into(tmp_path), to))
    assert (restored["ok"], restored["lost_blobs"], restored["damaged_blobs"]) == (False, [lost], [changed])
    assert positions(into(tmp_path)) == positions(settings)
