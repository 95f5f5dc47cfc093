"""Folders and files of this user alone: what fits is closed to others, what does not is refused, links lead nowhere."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest

from adapters.embedded.read_models.generations import Generations
from adapters.files.blobs import FileBlobs
from adapters.host.files import write_whole
from adapters.host.private_files import append_to, check_folder_of_secret, close_files, discard, make_own_folder
from domain.errors import BadInputError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to others")
NAME = "0123456789abcdef" * 2


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o022, 0o777], ids=oct)
def umask(request: pytest.FixtureRequest) -> object:
    before = os.umask(request.param)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    make_own_folder(tmp_path / "data")
    assert mode(tmp_path / "data") == 0o700


@pytest.mark.parametrize("before", [0o755, 0o750, 0o711, 0o500, 0o000])
def test_a_folder_that_others_may_read_is_closed(tmp_path: Path, before: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(before)
    make_own_folder(tmp_path / "data")
    assert mode(tmp_path / "data") == 0o700


@pytest.mark.parametrize("before", [0o777, 0o1777, 0o770, 0o2775, 0o702, 0o720])
def test_a_folder_that_others_may_write_is_refused_and_stays(tmp_path: Path, before: int) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(before)
    for look in (make_own_folder, check_folder_of_secret):
        with pytest.raises(BadInputError, match=r"Others may write to .*`chmod 700` it"):
            look(tmp_path / "data")
    assert mode(tmp_path / "data") == before


@AS_ROOT
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    os.chown(tmp_path / "data", 65534, 65534)
    for look in (make_own_folder, check_folder_of_secret):
        with pytest.raises(BadInputError, match=r"belongs to another user \(id 65534\)"):
            look(tmp_path / "data")


def test_a_link_is_a_folder_only_where_nothing_is_removed_by_name(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    make_own_folder(tmp_path / "link")
    with pytest.raises(BadInputError, match="is a link"):
        make_own_folder(tmp_path / "link", real=True)


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(BadInputError, match="is not a folder"):
        make_own_folder(tmp_path / "data")


def test_only_files_of_our_names_are_closed_and_through_no_link(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("")
    (tmp_path / "ours").write_text("")
    (tmp_path / "ours-2").symlink_to("theirs")
    for name in ("theirs", "ours"):
        (tmp_path / name).chmod(0o644)
    close_files(tmp_path, re.compile(r"ours.*"))
    assert (mode(tmp_path / "ours"), mode(tmp_path / "theirs")) == (0o600, 0o644)


def test_a_scratch_folder_that_is_a_link_is_not_swept(tmp_path: Path) -> None:
    blobs = FileBlobs(str(tmp_path / "blobs"), str(tmp_path / "scratch"))
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / f"{NAME}.csv").write_text("of somebody")
    (tmp_path / "scratch").rmdir()
    (tmp_path / "scratch").symlink_to(precious)
    assert blobs.sweep() == 0
    assert (precious / f"{NAME}.csv").exists()


@pytest.mark.parametrize("name", ["notes.txt", "precious", f"{NAME}.CSV", f"{NAME}-old", NAME.upper(), f"{NAME}.a.b"])
def test_what_the_product_did_not_make_is_not_swept(tmp_path: Path, name: str) -> None:
    blobs = FileBlobs(str(tmp_path / "blobs"), str(tmp_path / "scratch"))
    stays = tmp_path / "scratch" / name
    stays.write_text("of somebody")
    assert blobs.sweep() == 0
    assert stays.read_text() == "of somebody"


def test_links_in_what_is_swept_lead_nowhere(tmp_path: Path) -> None:
    blobs = FileBlobs(str(tmp_path / "blobs"), str(tmp_path / "scratch"))
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("of somebody")
    area = tmp_path / "scratch" / NAME
    area.mkdir()
    (area / "inside").symlink_to(precious)
    (tmp_path / "scratch" / f"{NAME[::-1]}.csv").symlink_to(precious / "file")
    (tmp_path / "scratch" / ("f" * 32)).symlink_to(precious)
    assert blobs.sweep() == 3
    assert list((tmp_path / "scratch").iterdir()) == []
    assert (precious / "file").read_text() == "of somebody"


@AS_ROOT
def test_what_belongs_to_others_is_not_swept(tmp_path: Path) -> None:
    blobs = FileBlobs(str(tmp_path / "blobs"), str(tmp_path / "scratch"))
    theirs = tmp_path / "scratch" / f"{NAME}.csv"
    theirs.write_text("of somebody")
    os.chown(theirs, 65534, 65534)
    assert blobs.sweep() == 0


def test_a_task_that_made_a_link_of_its_folder_has_only_the_link_removed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("of somebody")
    (tmp_path / "area").symlink_to(precious)
    discard(tmp_path / "area")
    assert not (tmp_path / "area").is_symlink()
    assert (precious / "file").exists()


@pytest.mark.parametrize("name", ["read-models-1.db.backup", "read-models-1.db-copy", "my-read-models-1.db", "x.db"])
def test_only_read_models_and_what_sqlite_has_beside_them_make_way_for_new_ones(tmp_path: Path, name: str) -> None:
    old = [tmp_path / f"read-models-1.db{end}" for end in ("", "-wal", "-shm")]
    stays = [tmp_path / name, tmp_path / "read-models-11.db"]
    (tmp_path / "read-models-3.db").mkdir()
    for path in (*old, *stays, tmp_path / "read-models-11.db-wal"):
        path.write_text("")
    Generations(tmp_path).make_current(tmp_path / "read-models-11.db")
    assert [path.name for path in old if path.exists()] == []
    assert all(path.exists() for path in stays)
    assert (tmp_path / "read-models-11.db-wal").exists()


def test_a_draft_that_is_a_link_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("of somebody")
    (tmp_path / "format.new").symlink_to("precious")
    write_whole(tmp_path / "format.json", "{}")
    assert (tmp_path / "precious").read_text() == "of somebody"
    assert (tmp_path / "format.json").read_text() == "{}"
    assert not (tmp_path / "format.json").is_symlink()


@pytest.mark.parametrize("kind", ["link", "FIFO", "folder"])
def test_a_log_is_appended_to_a_plain_file_only(tmp_path: Path, kind: str) -> None:
    precious, file = tmp_path / "precious", tmp_path / "backend.log"
    precious.write_text("of somebody")
    if kind == "link":
        file.symlink_to(precious)
    elif kind == "FIFO":
        os.mkfifo(file)
    else:
        file.mkdir()
    with pytest.raises(BadInputError, match="must be a plain file"):
        append_to(file)
    assert precious.read_text() == "of somebody"
