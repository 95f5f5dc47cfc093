"""What must outlast a loss of power is flushed in this order: its bytes, its name, and only then the old file goes."""

from __future__ import annotations

import errno
import os
from contextlib import nullcontext
from pathlib import Path

import pytest

from adapters.embedded.directory.format import check_format, check_master_key
from adapters.embedded.read_models.generations import Generations
from autolearn.secret_files import flush, write_secret


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return what is flushed: its name, and the names that its folder (or it, if it is one) has then."""
    seen: list[list[str]] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        folder = path if path.is_dir() else path.parent
        seen.append([path.name, *sorted(it.name for it in folder.iterdir() if not it.name.startswith("."))])
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    return seen


def test_a_data_directorys_format_and_key(tmp_path: Path, flushed: list[list[str]]) -> None:
    check_format(tmp_path)
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    assert flushed == [
        ["format.new", "format.new"],
        [tmp_path.name, "format.json"],
        ["format.new", "format.json", "format.new"],
        [tmp_path.name, "format.json"],
    ]


def test_which_read_models_serve_before_the_others_go(tmp_path: Path, flushed: list[list[str]]) -> None:
    for number in (1, 2):
        (tmp_path / f"read-models-{number}.db").touch()
    Generations(tmp_path).make_current(tmp_path / "read-models-2.db")
    assert [names[0] for names in flushed] == ["read-models.new", tmp_path.name]
    assert flushed[1][1:] == ["read-models-1.db", "read-models-2.db", "read-models.current"]
    assert sorted(it.name for it in tmp_path.iterdir()) == ["read-models-2.db", "read-models.current"]


def test_a_secret(tmp_path: Path, flushed: list[list[str]]) -> None:
    write_secret(tmp_path / "master.key", "x")
    assert flushed[-1] == [tmp_path.name, "master.key"]


@pytest.mark.parametrize(("code", "is_harmless"), [(errno.EINVAL, True), (errno.EIO, False)])
def test_only_a_folder_that_cannot_be_flushed_at_all_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, *, is_harmless: bool
) -> None:
    def refuse(_: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with nullcontext() if is_harmless else pytest.raises(OSError, match=os.strerror(code)):
        flush(tmp_path)
