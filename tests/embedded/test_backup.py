"""Back-up and restore of a data directory: one position, nothing of it changed, nothing half restored."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest

from adapters.embedded.audit_log.record_schema import AUDIT_LOG
from adapters.embedded.backup.folder import locked, read_note
from adapters.embedded.backup.log_copy import LogCopy
from adapters.embedded.directory.last_backup import last_backup
from adapters.host.directory_lock import DirectoryLock
from domain.errors import BadInputError, ConflictError
from server.compose import backup as composed
from server.compose import copies
from server.compose.backup import back_up
from server.compose.restore import restore
from server.inspection.inspections import inspect_offline
from server.settings import Settings, read_settings
from tests.embedded.test_lost_tails import live, opened


def last(steps: Iterator[dict[str, Any]]) -> dict[str, Any]:
    *_, result = steps
    return result


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A data directory with two clients, and so with two positions in its log."""
    made = read_settings(data=tmp_path / "data")
    live(made, "ana", "bob")
    return made


@pytest.fixture
def to(tmp_path: Path) -> Path:
    return tmp_path / "backup"


def into(tmp_path: Path, name: str = "restored") -> Settings:
    return read_settings(data=tmp_path / name)


def positions(settings: Settings) -> list[tuple[int, bytes]]:
    """Return position and hash of each commit of a directory."""
    with closing(sqlite3.connect(f"{(settings.data / 'events.db').as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT position, hash FROM commits ORDER BY position").fetchall()


def verified(folder: Path) -> dict[str, Any]:
    *_, step = inspect_offline("verify", str(folder), {})
    return dict(step["result"])


def put_key(settings: Settings, other: Settings) -> None:
    """Give an installation the master key of another one, as its administrator would."""
    other.data.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(settings.key_file, other.key_file)


def test_what_was_backed_up_while_a_backend_ran_is_restored(settings: Settings, to: Path, tmp_path: Path) -> None:
    with opened(settings):
        made = last(back_up(settings, to))
    assert (made["ok"], made["position"], made["faults"]) == (True, 2, [])
    assert verified(to)["ok"]
    fresh = into(tmp_path)
    put_key(settings, fresh)
    restored = last(restore(fresh, to))
    assert (restored["ok"], restored["head"]) == (True, made["head"])
    assert positions(fresh) == positions(settings)
    live(fresh, "cem")
    assert verified(fresh.data)["ok"]


def test_a_second_back_up_adds_what_is_new(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to))
    before = (to / "backup.json").read_text()
    live(settings, "cem")
    assert last(back_up(settings, to))["position"] == 3
    assert (to / "backup.json").read_text() != before
    fresh = into(tmp_path)
    last(restore(fresh, to))
    assert positions(fresh) == positions(settings)


def test_a_folder_with_something_else_is_refused_and_stays(settings: Settings, to: Path) -> None:
    to.mkdir(mode=0o700)
    (to / "letter.txt").write_text("keep me")
    with pytest.raises(ConflictError, match=r"not empty and no back-up: it has letter\.txt"):
        last(back_up(settings, to))
    assert [path.name for path in to.iterdir()] == ["letter.txt"]


def test_it_goes_into_no_folder_that_is_backed_up(settings: Settings) -> None:
    for folder in (settings.data, settings.data / "backup", settings.data / "blobs" / "aa"):
        with pytest.raises(BadInputError, match="which is backed up"):
            last(back_up(settings, folder))


def test_nothing_is_backed_up_where_there_is_no_log(tmp_path: Path, to: Path) -> None:
    with pytest.raises(BadInputError, match="has no log"):
        last(back_up(into(tmp_path, "nowhere"), to))
    assert not to.exists()


def test_the_back_up_of_another_installation_is_not_continued(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to))
    other = into(tmp_path, "other")
    live(other, "ana", "bob", "cem")
    with pytest.raises(ConflictError, match="something else at position 2: it is another installation's"):
        last(back_up(other, to))
    assert last(restore(into(tmp_path), to))["position"] == 2


def test_an_older_log_does_not_continue_a_newer_back_up(settings: Settings, to: Path, tmp_path: Path) -> None:
    shutil.copytree(settings.data, tmp_path / "before")
    live(settings, "cem")
    last(back_up(settings, to))
    with pytest.raises(ConflictError, match="the log ends at 2, that in the back-up at 3"):
        last(back_up(read_settings(data=tmp_path / "before"), to))


def test_two_cannot_write_to_one_folder(settings: Settings, to: Path) -> None:
    steps = back_up(settings, to)
    next(steps)
    with pytest.raises(ConflictError, match="Another process writes or reads"):
        last(back_up(settings, to))
    assert last(steps)["ok"]


def test_what_another_process_finished_meanwhile_is_not_undone(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_another(folder: Path) -> AbstractContextManager[None]:
        monkeypatch.undo()
        last(back_up(settings, folder))
        return locked(folder)

    monkeypatch.setattr(composed, "locked", after_another)
    steps = back_up(settings, to)
    next(steps)
    steps.close()  # type: ignore[attr-defined] # a generator
    note = read_note(to)
    assert note is not None
    assert note.finished


def test_a_folder_that_was_only_made_is_continued(
    settings: Settings, to: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Settings) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(composed, "prepare_places", killed)
    with pytest.raises(KeyboardInterrupt):
        last(back_up(settings, to))
    (to / "backup.json").rename(to / "backup.new")
    monkeypatch.undo()
    assert last(back_up(settings, to))["ok"]


def test_the_master_key_is_in_it_only_if_asked_for(settings: Settings, to: Path, tmp_path: Path) -> None:
    key = settings.key_file.read_bytes().strip()
    assert last(back_up(settings, to))["master_key"] == "not in the back-up"
    assert not any(key in path.read_bytes() for path in to.rglob("*") if path.is_file())
    assert last(back_up(settings, to, with_master_key=True))["master_key"] == "in the back-up"
    assert stat.S_IMODE((to / "master.key").stat().st_mode) == 0o600
    fresh = into(tmp_path)
    last(restore(fresh, to))
    assert fresh.key_file.read_bytes().strip() == key
    live(fresh, "cem")


def test_another_master_key_is_refused_before_anything_is_written(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to))
    other, fresh = into(tmp_path, "other"), into(tmp_path)
    live(other, "eva")
    put_key(other, fresh)
    with pytest.raises(BadInputError, match="does not fit the back-up"):
        last(restore(fresh, to))
    assert [path.name for path in fresh.data.iterdir()] == ["master.key"]


def test_a_folder_others_may_write_to_is_refused(settings: Settings, to: Path) -> None:
    to.mkdir()
    to.chmod(0o777)
    with pytest.raises(BadInputError, match="Others may write"):
        last(back_up(settings, to))


def test_only_an_empty_directory_is_restored_into(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to))
    before = positions(settings)
    with pytest.raises(ConflictError, match="is not empty"):
        last(restore(settings, to))
    assert positions(settings) == before
    fresh = into(tmp_path)
    with DirectoryLock(fresh.data), pytest.raises(ConflictError):
        last(restore(fresh, to))


def test_an_interrupted_restore_is_told_and_can_be_repeated(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to, with_master_key=True))
    fresh = into(tmp_path)
    steps = restore(fresh, to)
    assert next(steps)["step"] == "log"
    steps.close()  # type: ignore[attr-defined] # a generator
    with pytest.raises(ConflictError, match="was interrupted: call `autolearn restore` again"):
        live(fresh)
    assert any("was interrupted" in it["what"] for it in verified(fresh.data)["faults"])
    assert last(restore(fresh, to))["ok"]
    live(fresh, "cem")
    assert verified(fresh.data)["ok"]


def test_after_an_interrupted_back_up_the_one_before_can_be_restored(
    settings: Settings, to: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = last(back_up(settings, to))
    live(settings, "cem")
    with monkeypatch.context() as patched:
        patched.setattr(composed, "check_files", lambda *_: iter([{"damage": ["x"], "faults": []}]))
        interrupted = last(back_up(settings, to))
    assert (interrupted["ok"], interrupted["position"]) == (False, 3)
    assert last(restore(into(tmp_path), to))["head"] == first["head"]
    assert last(back_up(settings, to))["ok"]
    assert last(restore(into(tmp_path, "again"), to))["position"] == 3


def test_after_a_killed_back_up_the_one_before_can_be_restored(settings: Settings, to: Path, tmp_path: Path) -> None:
    first = last(back_up(settings, to))
    live(settings, "cem")
    steps = back_up(settings, to)
    assert next(steps)["step"] == "log"
    killed = shutil.copytree(to, tmp_path / "killed")
    assert last(steps)["ok"]
    assert (killed / "events.db-wal").stat().st_size
    assert last(restore(into(tmp_path), killed))["head"] == first["head"]
    assert last(back_up(settings, killed))["position"] == 3
    assert not (killed / "events.db-wal").exists()
    assert last(restore(into(tmp_path, "again"), killed))["position"] == 3


def test_what_is_wrong_with_an_installation_hinders_no_back_up(settings: Settings, to: Path, tmp_path: Path) -> None:
    for path in settings.data.glob("communications.db*"):
        path.unlink()
    with closing(LogCopy(settings.data / "communications.db", AUDIT_LOG, "The audit log")):
        pass
    made = last(back_up(settings, to))
    assert (made["ok"], made["damage"]) == (False, [])
    assert "the audit log is empty" in made["faults"][0]["what"]
    restored = last(restore(into(tmp_path), to))
    assert (restored["ok"], restored["faults"]) == (False, made["faults"])
    assert positions(into(tmp_path)) == positions(settings)


def test_a_damaged_copy_is_not_finished(
    settings: Settings, to: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*given: Any) -> Iterator[dict[str, Any]]:
        change(to / "events.db", "UPDATE stored_events SET state = x'00' WHERE rowid = 2")
        yield from copies.check_files(*given)

    monkeypatch.setattr(composed, "check_files", damaged)
    made = last(back_up(settings, to))
    assert (made["ok"], made["damage"]) == (False, ["the log at 2: the stored bytes do not have the stored hash"])
    with pytest.raises(BadInputError, match="was never finished"):
        last(restore(into(tmp_path), to))


def test_a_first_back_up_that_never_ended_cannot_be_restored(settings: Settings, to: Path, tmp_path: Path) -> None:
    steps = back_up(settings, to)
    next(steps)
    steps.close()  # type: ignore[attr-defined] # a generator
    with pytest.raises(BadInputError, match="was never finished"):
        last(restore(into(tmp_path), to))
    assert last(back_up(settings, to))["ok"]
    with pytest.raises(BadInputError, match=r"is not a back-up: it has no backup\.json"):
        last(restore(into(tmp_path), settings.data))


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
        connection.commit()


def test_what_is_damaged_is_not_copied(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to))
    live(settings, "cem")
    change(settings.data / "events.db", "UPDATE stored_events SET state = x'00' WHERE rowid = 3")
    with pytest.raises(ConflictError, match=r"The log is damaged after position 2.* What comes before is copied"):
        last(back_up(settings, to))
    assert last(restore(into(tmp_path), to))["position"] == 2


@pytest.mark.parametrize(
    ("file", "statement"),
    [
        ("events.db", "UPDATE stored_events SET state = x'00' WHERE rowid = 1"),
        ("events.db", "DELETE FROM commits WHERE position = 2"),
        ("communications.db", "UPDATE communications SET actor = 'eva' WHERE position = 1"),
        ("communications.db", "DELETE FROM communications WHERE position > 1"),
    ],
)
def test_a_damaged_back_up_is_not_restored(
    settings: Settings, to: Path, tmp_path: Path, file: str, statement: str
) -> None:
    last(back_up(settings, to, with_master_key=True))
    change(to / file, statement)
    fresh = into(tmp_path)
    with pytest.raises(ConflictError, match="damaged"):
        last(restore(fresh, to))
    if (fresh.data / "events.db").exists():
        with pytest.raises(ConflictError, match="was interrupted"):
            live(fresh)


def test_a_restore_says_what_to_do_about_a_damaged_back_up(settings: Settings, to: Path, tmp_path: Path) -> None:
    last(back_up(settings, to))
    change(to / "events.db", "UPDATE stored_events SET state = x'00' WHERE rowid = 1")
    with pytest.raises(ConflictError, match=r"The log of the back-up is damaged .* restore another back-up") as refused:
        last(restore(into(tmp_path), to))
    assert f"`autolearn verify --data {to}`" in refused.value.sentence
    assert "copied" not in refused.value.sentence


def test_the_last_finished_back_up_is_noted_for_the_metrics(settings: Settings, to: Path) -> None:
    with opened(settings) as runner:
        gauges = runner.require_services().backend.gauges
        assert gauges()["backup_age_seconds"] == float("inf")
        last(back_up(settings, to))
        assert 0 <= gauges()["backup_age_seconds"] < 60
        (settings.data / "last-backup.json").write_text("{")
        assert last_backup(settings.data) is None


@pytest.mark.parametrize("garbled", ["", "{}", '{"format": 1}', "[1]", '{"lost_blobs": 3}'])
def test_a_garbled_note_is_told(settings: Settings, to: Path, garbled: str) -> None:
    last(back_up(settings, to))
    (to / "backup.json").write_text(garbled)
    with pytest.raises(BadInputError, match="cannot be read"):
        read_note(to)
    with pytest.raises(BadInputError, match="cannot be read"):
        last(back_up(settings, to))
