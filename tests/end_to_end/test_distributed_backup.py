"""The restore drill of the distributed mode: an empty database, and topics that are gone, or have more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli import exit_codes
from cli.up import start_backend
from domain.errors import ConflictError
from tests.end_to_end.place import SECONDS, Shell
from tests.end_to_end.test_backup import TRAIN, answers, blobs
from tests.servers.fixtures import delete_topics, drop_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def data(tmp_path: Path, kafka: str, mongodb: str, installation: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory, and an environment that names the servers."""
    for name, value in {"KAFKA": kafka, "MONGODB": mongodb, "DATABASE": installation}.items():
        monkeypatch.setenv(f"AUTOLEARN_{name}", value)
    monkeypatch.setenv("AUTOLEARN_MODE", "distributed")
    return tmp_path / "data"


@contextmanager
def backend(data: Path) -> Iterator[Shell]:
    """Run `up` for a while."""
    process, url = start_backend(data, 0)
    try:
        yield Shell(url, data / "credentials.json", data)
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_a_restored_database_answers_as_before(
    data: Path, tmp_path: Path, kafka: str, mongodb: str, installation: str
) -> None:
    to = tmp_path / "backup"
    with backend(data) as shell:
        shell(*TRAIN, "--seed", "7")
        first = shell("backup", str(to)).json
        old = blobs(to)
        assert first["blobs_copied"] == len(old) > 0
        shell(*TRAIN, "--seed", "8")
        second = shell("backup", str(to)).json
        assert second["blobs_copied"] == len(blobs(to)) - len(old) > 0
        expected = {made["position"]: answers(shell, made["position"]) for made in (first, second)}
        shell("client", "add", "ana")  # after the back-up: in the topic alone, soon
        assert shell("verify", "--against", "kafka").json["ok"]
        looked = shell.plain("doctor", "--json")
        assert json.loads(looked.out)["ok"], looked.out
    drop_database(mongodb, installation)
    key = data / "master.key"
    key.rename(tmp_path / "kept.key")
    shutil.rmtree(data)

    offline = Shell("http://127.0.0.1:1", data / "credentials.json", data)
    restored = offline("restore", str(to)).json
    assert (restored["ok"], restored["head"]) == (True, second["head"])
    shutil.copy(tmp_path / "kept.key", key)
    with pytest.raises(ConflictError, match="MongoDB was restored from an older back-up"):
        start_backend(data, 0)
    assert offline("doctor", code=exit_codes.CONFLICT).json["ok"] is False
    delete_topics(kafka, f"{installation}.")
    with backend(data) as shell:
        assert {position: answers(shell, position) for position in expected} == expected
        shell(*TRAIN, "--seed", "9")
        anchor = f"{first['position']}:{first['head']}"
        verified = shell("verify", "--anchor", anchor, "--against", "kafka").json
        assert (verified["ok"], verified["lost_calls"]) == (True, 0)
