"""A data directory knows its format and the master key it was begun with, and refuses others with one sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.embedded.data_format import FORMAT, check_format, check_master_key
from domain.errors import BadInputError, ConflictError


def test_the_format_of_a_new_directory_is_written(tmp_path: Path) -> None:
    check_format(tmp_path / "data")
    check_format(tmp_path / "data")
    assert json.loads((tmp_path / "data" / "format.json").read_text()) == {"format": FORMAT}


def test_data_of_a_newer_version_are_refused_and_kept(tmp_path: Path) -> None:
    content = json.dumps({"format": FORMAT + 1})
    (tmp_path / "format.json").write_text(content)
    with pytest.raises(ConflictError, match="newer AutoLearn wrote"):
        check_format(tmp_path)
    assert (tmp_path / "format.json").read_text() == content


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}', '{"format": null}'])
def test_a_broken_format_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "format.json").write_text(content)
    with pytest.raises(ConflictError, match="no data directory of AutoLearn"):
        check_format(tmp_path)


def test_another_master_key_is_refused_and_the_first_one_stays(tmp_path: Path) -> None:
    check_format(tmp_path)
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    with pytest.raises(BadInputError, match=rf"master key .*other.key does not fit the data directory {tmp_path}"):
        check_master_key(tmp_path, "bb", tmp_path / "other.key")
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    check_format(tmp_path)
    assert json.loads((tmp_path / "format.json").read_text()) == {"format": FORMAT, "master_key": "aa"}
