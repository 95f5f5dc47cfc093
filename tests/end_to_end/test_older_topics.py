"""The topics of an installation of release 0.1.0: today's code recovers its database from them and answers the same.

`tests/golden/topics-0.1.0.tar.xz` holds both topics as that release's relay wrote them (a line of JSON for each
transaction), its master key, its blobs, and what it answered as of 67 and 93. Trainings on penguins and iris were
committed at 67, two more (on the second version of penguins, and on breast-cancer) at 89; later one was annotated and
reproduced, penguins was retired, and a training on wine left uncommitted.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.distributed.topics.cloud_events import Message
from tests.distributed.published import Published
from tests.end_to_end.fleet import Fleet
from tests.end_to_end.place import Shell
from tests.servers.fixtures import delete_topics, drop_database

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PACKED = Path(__file__).parents[1] / "golden" / "topics-0.1.0.tar.xz"
DATABASE = "release-0-1-0"  # stands in every record
LAST = 99
ANCHOR = "89:34f2e56f6ca1fe3150501009533386a46bbbcb506458c9c9426edb4b979e1484"
AUDIT_ANCHOR = "22:c6a8016ee4c73bb6e51733b64746b089b02decaf9becb6b4bc27dde8d957d8fb"
ENDS = (67, 93)


@pytest.fixture(scope="module")
def older(kafka: str, mongodb: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, Path]]:
    """A backend of today on a database that was recovered from those topics, and the folder of the old answers."""
    folder = tmp_path_factory.mktemp("older")
    with tarfile.open(PACKED) as packed:
        packed.extractall(folder, filter="data")
    data = folder / "installation"
    fleet = Fleet(data, kafka, mongodb, DATABASE)
    remove_old(kafka, mongodb)
    try:
        publish(kafka, folder)
        recovered = json.loads(fleet.run("recover", "--from-kafka", "--json").stdout)
        assert (recovered["events"], recovered["lost"]) == (LAST, []), recovered
        backend = fleet.ready(fleet.begin("up", "--mode", "distributed"))
        yield Shell(backend.url, data / "credentials.json", data, {"AUTOLEARN_MODE": "distributed"}), folder
    finally:
        fleet.stop()
        remove_old(kafka, mongodb)


def publish(kafka: str, folder: Path) -> None:
    """Write both topics as they were, transaction by transaction."""
    published = Published(kafka, DATABASE)
    for topic in (published.events, published.audit_log):
        lines = (folder / f"{topic.removeprefix(DATABASE + '.')}.jsonl").read_text(encoding="utf-8").splitlines()
        published.messages(topic, [[as_message(it) for it in json.loads(line)] for line in lines])


def as_message(record: dict[str, Any]) -> Message:
    headers = [(name, text.encode()) for name, text in record["headers"]]
    return Message(record["key"].encode(), record["value"].encode(), headers)


def remove_old(kafka: str, mongodb: str) -> None:
    drop_database(mongodb, DATABASE)
    delete_topics(kafka, f"{DATABASE}.")


def test_it_verifies_against_the_topics_and_the_receipts_of_then(older: tuple[Shell, Path]) -> None:
    shell, _ = older
    receipts = ("--anchor", ANCHOR, "--audit-anchor", AUDIT_ANCHOR)
    assert shell("verify", "--against", "kafka", *receipts).json["faults"] == []


@pytest.mark.parametrize("end", ENDS)
def test_it_answers_as_of_then_what_was_answered_then(older: tuple[Shell, Path], end: int) -> None:
    shell, folder = older
    then = json.loads((folder / f"history-at-{end}.json").read_bytes())["experiments"]
    assert shell("replay", "--as-of", f"@{end}").json["matches_read_models"]
    now = shell("history", "--as-of", f"@{end}").json["experiments"]
    assert [{key: row[key] for key in before} for row, before in zip(now, then, strict=True)] == then


def test_it_is_rebuilt_reproduced_and_trained_on(older: tuple[Shell, Path]) -> None:
    shell, folder = older
    before = shell("history").json
    shell("rebuild", "--all")
    assert shell("history").json["experiments"] == before["experiments"]
    for row in json.loads((folder / "history-at-93.json").read_bytes())["experiments"][:2]:
        assert shell("reproduce", row["experiment"]).json["verdict"] in {"bit-identical", "metric-equal"}
    new = shell("train", "wine@1", "decision-tree", "--seed", "7").json
    assert new["experiment"] in shell("commit").json["experiments"]
    assert shell("verify", "--against", "kafka").json["faults"] == []
