"""A data directory knows its format and the master key it was begun with, and refuses others with one sentence."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from adapters.embedded.directory.format import DirectoryFormat, check_format, check_master_key, read_format
from adapters.embedded.directory.integrity import small_file_faults
from adapters.embedded.log.event_store import SqliteEventStore
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.generations import Generations
from adapters.embedded.schema import FORMAT
from adapters.security.keys import client_key, fingerprint, make_master_key, read_master_key
from autolearn.credentials import Credentials
from domain.errors import BadInputError, ConflictError


def test_the_format_of_a_new_directory_is_written(tmp_path: Path) -> None:
    check_format(tmp_path / "data")
    check_format(tmp_path / "data")
    content = json.loads((tmp_path / "data" / "format.json").read_text())
    assert (content["format"], read_format(tmp_path / "data")) == (FORMAT, DirectoryFormat(FORMAT))


def test_data_of_a_newer_version_are_refused_and_kept(tmp_path: Path) -> None:
    content = json.dumps({"format": FORMAT + 1})
    (tmp_path / "format.json").write_text(content)
    with pytest.raises(ConflictError, match="newer AutoLearn wrote"):
        check_format(tmp_path)
    assert (tmp_path / "format.json").read_text() == content


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "x"}', '{"format": null}'])
def test_a_broken_format_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "format.json").write_text(content)
    with pytest.raises(ConflictError, match="not a data directory of AutoLearn"):
        check_format(tmp_path)


def test_another_master_key_is_refused_and_the_first_one_stays(tmp_path: Path) -> None:
    check_format(tmp_path)
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    with pytest.raises(BadInputError, match=rf"master key .*other.key does not fit the data directory {tmp_path}"):
        check_master_key(tmp_path, "bb", tmp_path / "other.key")
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    check_format(tmp_path)
    content = json.loads((tmp_path / "format.json").read_text())
    assert (content["format"], content["master_key"]) == (FORMAT, "aa")


@pytest.fixture
def with_log(tmp_path: Path) -> Path:
    """A data directory with a log, its format and its key noted."""
    check_format(tmp_path)
    database = Database(tmp_path / "events.db")
    SqliteEventStore(database)
    database.close()
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    return tmp_path


def garbled_in_each_bit(path: Path) -> Iterator[bytes]:
    """Yield the file's content with one bit changed, each in turn; it stands in the file meanwhile."""
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        yield bytes(changed)


def test_a_format_file_with_any_bit_changed_is_mended(with_log: Path) -> None:
    path = with_log / "format.json"
    true = path.read_bytes()
    for changed in garbled_in_each_bit(path):
        check_format(with_log)
        check_master_key(with_log, "aa", with_log / "master.key", lambda: "aa")
        assert read_format(with_log) == DirectoryFormat(FORMAT, "aa"), changed
    assert path.read_bytes() == true


def test_a_garbled_format_file_lets_no_other_key_in(with_log: Path) -> None:
    (with_log / "format.json").write_text("{")
    check_format(with_log)
    with pytest.raises(BadInputError, match="does not fit"):
        check_master_key(with_log, "bb", with_log / "master.key", lambda: "aa")


def test_a_garbled_format_file_beside_a_newer_log_is_refused(with_log: Path) -> None:
    with closing(sqlite3.connect(with_log / "events.db")) as log:
        log.execute(f"PRAGMA user_version = {FORMAT + 1}")
    (with_log / "format.json").write_text("{")
    with pytest.raises(ConflictError, match="newer AutoLearn wrote"):
        check_format(with_log)


def test_a_directory_of_the_format_before_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "format.json").write_text(json.dumps({"format": 1, "master_key": "aa"}))
    check_format(tmp_path)
    with pytest.raises(BadInputError, match="does not fit"):
        check_master_key(tmp_path, "bb", tmp_path / "other.key")
    check_master_key(tmp_path, "aa", tmp_path / "master.key")
    assert read_format(tmp_path) == DirectoryFormat(FORMAT, "aa")


def test_a_pointer_with_any_bit_changed_leads_to_read_models_that_are_there_or_new(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    ReadDatabase(tmp_path / "read-models-1.db").close()
    generations.make_current(tmp_path / "read-models-1.db")
    assert generations.current().name == "read-models-1.db"
    for changed in garbled_in_each_bit(tmp_path / "read-models.current"):
        assert generations.current().name in {"read-models-1.db", "read-models-2.db"}, changed


@pytest.fixture
def keys(with_log: Path) -> Path:
    """The same with its master key and the credentials of `local`."""
    master = make_master_key(with_log / "master.key")
    (with_log / "format.json").write_text(DirectoryFormat(FORMAT, fingerprint(master)).text)
    Credentials("local", 1, client_key(master, "local", 1)).write(with_log / "credentials.json")
    ReadDatabase(with_log / "read-models-1.db").close()
    Generations(with_log).make_current(with_log / "read-models-1.db")
    return with_log


@pytest.mark.parametrize("name", ["master.key", "credentials.json", "format.json", "read-models.current"])
def test_json_that_is_nested_too_deeply_is_reported_as_garbled(keys: Path, name: str) -> None:
    (keys / name).write_text("[" * 100_000)
    assert len(list(small_file_faults(keys, keys / "master.key"))) == 1


@pytest.mark.parametrize("content", ["{", "[" * 100_000])
def test_a_garbled_format_file_stops_no_start(with_log: Path, content: str) -> None:
    (with_log / "format.json").write_text(content)
    check_format(with_log)
    check_master_key(with_log, "aa", with_log / "master.key", lambda: "aa")
    assert read_format(with_log) == DirectoryFormat(FORMAT, "aa")


@pytest.mark.parametrize("name", ["master.key", "credentials.json", "format.json", "read-models.current"])
def test_any_bit_changed_in_a_small_file_is_reported_or_says_the_same(keys: Path, name: str) -> None:
    def said() -> object:
        credentials = Credentials.read(keys / "credentials.json")
        key = read_master_key(keys / "master.key")
        return (
            key,
            credentials.client,
            credentials.key_generation,
            credentials.key,
            read_format(keys),
            Generations(keys).named(),
        )

    true = said()
    assert list(small_file_faults(keys, keys / "master.key")) == []
    reported = 0
    for changed in garbled_in_each_bit(keys / name):
        if list(small_file_faults(keys, keys / "master.key")):
            reported += 1
        else:
            assert said() == true, changed
    assert reported > len((keys / name).read_bytes())
