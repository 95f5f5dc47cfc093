"""A small data directory with a whole life in it, at rest or as a killed backend leaves it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from adapters.audit_log.request_ids import FirstAnswer
from adapters.embedded.audit_log.request_ids import SqliteRequestIds
from adapters.embedded.audit_log.store import SqliteAuditLog
from adapters.embedded.database import Database
from adapters.embedded.directory.format import check_format, check_master_key
from adapters.embedded.directory.receipts import AUDIT, LOG, write_receipts
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.generations import Generations
from adapters.files.blobs import FileBlobs
from adapters.security.keys import client_key, fingerprint, make_master_key
from autolearn.credentials import Credentials
from commands.unit_of_work import load
from domain.client import Client
from domain.dataset import ProfileSummary
from domain.values import BlobRef
from tests.projections import world as lives
from tests.projections.verified import call

EXPERIMENT, OTHER = "a" * 16, "b" * 16
CONTENT = {digit: f"bytes of blob {digit}".encode() for digit in "abcd"}
DIGESTS = {digit: hashlib.sha256(content).hexdigest() for digit, content in CONTENT.items()}


def make(data: Path, *, killed: bool = False) -> Path:
    """Make it; `killed`: with the write-ahead logs of a process that did not close them."""
    living = data.with_name(f"{data.name}-living")
    living.mkdir(mode=0o700)
    world = lives.World(Database(living / "events.db"), ReadDatabase(living / "read-models-1.db"))
    audit_database = Database(living / "communications.db")
    with with_real_blobs():
        live(world)
    audit_log = SqliteAuditLog(audit_database, "embedded-1")
    for number in range(1, len(world.commits) + 1):
        audit_log.append(call(f"call-{number}"))
    SqliteRequestIds(audit_database).keep("ana", "request-1", FirstAnswer(409, (), b"refused", "call"))
    small_files(living, world, audit_log)
    if killed:
        shutil.copytree(living, data, ignore=shutil.ignore_patterns("*-shm"))
    world.close()
    audit_database.close()
    if not killed:
        shutil.copytree(living, data)
    shutil.rmtree(living)
    return data


def live(world: lives.World) -> None:
    """Add and revoke a client; train, evaluate, commit, withdraw; discard something; fold it all."""
    for name in ("local", "eve"):
        client = load(world.store, Client, f"client:{name}")
        client.add(("analyst", "sys-admin"))
        world.append("system", client)
    eve = load(world.store, Client, "client:eve")
    eve.revoke()
    world.append("local", eve)
    world.register("iris")
    world.train("ana", EXPERIMENT)
    world.evaluate("ana", EXPERIMENT, {"precision:macro": 0.9})
    world.train("ana", OTHER)
    world.commit("ana", [EXPERIMENT])
    world.decide("ana", EXPERIMENT, "withdraw", "wrong")
    world.catch_up()


def small_files(data: Path, world: lives.World, audit_log: SqliteAuditLog) -> None:
    """Write everything else that a backend keeps there."""
    blobs = FileBlobs(str(data / "blobs"), str(data / "scratch"))
    for content in CONTENT.values():
        source = Path(blobs.scratch(".x"))
        source.write_bytes(content)
        blobs.put_file(str(source))
    master = make_master_key(data / "master.key")
    check_format(data)
    check_master_key(data, fingerprint(master), data / "master.key")
    Credentials("local", 1, client_key(master, "local", 1)).write(data / "credentials.json")
    Generations(data).make_current(data / "read-models-1.db")
    last = audit_log.recent(0)[-1]
    write_receipts(data, {LOG: world.feed.end(), AUDIT: (last.position, last.hash)})
    (data / "lock").write_text("")


@contextmanager
def with_real_blobs() -> Iterator[None]:
    """Let events name blobs that are there."""
    content, result = lives.content, lives.result

    def real_content(digit: str = "a") -> Any:
        blobs = {it: BlobRef(sha256=DIGESTS[it], size=len(CONTENT[it])) for it in (digit, "d")}
        return content().model_copy(update={"blob": blobs[digit], "profile": ProfileSummary(blob=blobs["d"])})

    def real_result(digit: str = "b") -> Any:
        blobs = {name: BlobRef(sha256=DIGESTS[it], size=20) for name, it in (("model", digit), ("learned", "c"))}
        return result().model_copy(update={f"{name}_blob": blob for name, blob in blobs.items()})

    lives.content, lives.result = real_content, real_result
    try:
        yield
    finally:
        lives.content, lives.result = content, result
