"""The master key's file, derived keys and credentials."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier

import pytest

from adapters.security.keys import Keyring, client_key, fingerprint, make_master_key, read_master_key
from autolearn.credentials import Credentials
from autolearn.errors import InvalidInputError
from domain.errors import BadInputError, NotFoundError

MASTER = bytes(range(32))


def test_a_made_master_key_is_read_again_and_only_its_owner_can(tmp_path: Path) -> None:
    made = make_master_key(tmp_path / "master")
    assert read_master_key(tmp_path / "master") == made
    assert (tmp_path / "master").stat().st_mode & 0o777 == 0o600


def test_making_it_twice_keeps_the_first(tmp_path: Path) -> None:
    assert make_master_key(tmp_path / "master") == make_master_key(tmp_path / "master")


def _made_together(start: Barrier, file: Path) -> bytes:
    start.wait()
    return make_master_key(file)


def test_of_several_that_make_it_at_the_same_moment_all_get_the_key_of_the_first(tmp_path: Path) -> None:
    """The first start of several processes: once, one read a file that another was still writing (a red CI)."""
    with ThreadPoolExecutor(4) as starters:
        for number in range(50):
            file = tmp_path / f"master-{number}"
            made = starters.map(partial(_made_together, Barrier(4)), [file] * 4)
            assert set(made) == {read_master_key(file)}
    assert len(list(tmp_path.iterdir())) == 50  # no draft stays


def test_a_master_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    make_master_key(tmp_path / "master")
    (tmp_path / "master").chmod(0o640)
    with pytest.raises(BadInputError, match="chmod 600"):
        read_master_key(tmp_path / "master")


def test_fingerprints_tell_keys_apart_and_hold_no_part_of_any_key_or_of_what_is_derived() -> None:
    found = fingerprint(MASTER)
    assert found == fingerprint(bytes(range(32))) != fingerprint(bytes(32))
    assert len(found) == 32
    secret = {MASTER.hex(), base64.urlsafe_b64decode(client_key(MASTER, "", 0)).hex()}
    assert not any(found in one or found[:8] in one for one in secret)


@pytest.mark.parametrize("text", ["", "short", "not base64 at all é"])
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "master").write_text(text)
    (tmp_path / "master").chmod(0o600)
    with pytest.raises(BadInputError, match="no master key"):
        read_master_key(tmp_path / "master")


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_master_key(tmp_path / "master")


def test_a_derived_key_is_pinned() -> None:
    """A change of derivation would lock every client out."""
    assert client_key(MASTER, "ana", 1) == b"Tb62a-RB-4fQ0d_T_CMLh-mtogqeP6qzIL86UJa-AGI="


def test_clients_and_generations_have_keys_of_their_own() -> None:
    ring = Keyring(MASTER)
    keys = {ring.key(client, generation) for client in ("ana", "ana-1", "bob") for generation in (1, 2, 11)}
    assert len(keys) == 9
    assert ring.key("ana", 1) == client_key(MASTER, "ana", 1)


def test_credentials_survive_their_file_and_show_no_key(tmp_path: Path) -> None:
    made = Credentials("ana", 2, client_key(MASTER, "ana", 2))
    made.write(tmp_path / "ana.json")
    made.write(tmp_path / "ana.json")
    assert Credentials.read(tmp_path / "ana.json") == made
    assert (tmp_path / "ana.json").stat().st_mode & 0o777 == 0o600
    assert made.key.decode() not in repr(made)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"client": "ana"}',
        '{"client": "ana", "generation": 1, "key": ""}',
        '{"client": "ana", "generation": 1, "key": "AAAA"}',
        '{"client": "ana", "generation": Infinity, "key": "AAAA"}',
        '{"client": "\\ud800", "generation": 1, "key": "AAAA"}',
    ],
)
def test_a_file_without_credentials_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "ana.json").write_text(text)
    (tmp_path / "ana.json").chmod(0o600)
    with pytest.raises(InvalidInputError, match="no credentials"):
        Credentials.read(tmp_path / "ana.json")
