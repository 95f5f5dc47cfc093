"""Fixtures of real servers: Kafka's bootstrap servers, MongoDB's URI, servers to kill, names that no other test has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn
from uuid import uuid4

import pytest
from confluent_kafka.admin import AdminClient

from adapters.distributed.mongo import Mongo
from tests.servers import places
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer
from tests.servers.process import Server
from tests.servers.s3 import KEYS, S3Server
from tests.servers.shared import shared

SECONDS = 60.0


def not_here(missing: LookupError) -> NoReturn:
    """Skip a test whose server cannot be had; in CI a missing server is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(missing), pytrace=False)
    pytest.skip(str(missing))


def run_folder(base: Path) -> Path:
    """Return the folder that all processes of this test run share; pytest-xdist gives each a folder in it."""
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@contextmanager
def of_the_run(kind: str, run: Path, *programs: places.Search) -> Iterator[str]:
    """Use the server that the environment names, else the run's own."""
    if given := os.environ.get(f"AUTOLEARN_TEST_{kind.upper()}"):
        yield given
        return
    try:
        for found in programs:
            found()
    except LookupError as missing:
        not_here(missing)
    with shared(kind, run) as url:
        yield url


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a real Kafka that the whole run shares: never stop it."""
    with of_the_run("kafka", run_folder(tmp_path_factory.getbasetemp()), places.java, places.jars) as url:
        yield url


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real MongoDB, a replica set that the whole run shares: never stop it."""
    with of_the_run("mongodb", run_folder(tmp_path_factory.getbasetemp()), places.mongod) as url:
        yield url


@contextmanager
def own(kind: Callable[[Path], Server], folder: Path) -> Iterator[Server]:
    """Run a server of a test's own, and remove its files, which are large."""
    try:
        server = kind(folder)
    except LookupError as missing:
        not_here(missing)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[Server]:
    """A Kafka of the test's own, started: kill(), restart(), freeze(), thaw(), url."""
    with own(KafkaServer, tmp_path / "kafka") as server:
        yield server


@pytest.fixture
def own_mongodb(tmp_path: Path) -> Iterator[Server]:
    """A MongoDB of the test's own, started: kill(), restart(), freeze(), thaw(), url."""
    with own(MongoServer, tmp_path / "mongodb") as server:
        yield server


@pytest.fixture(scope="module")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 with one bucket for the tests of a module."""
    with own(S3Server, tmp_path_factory.mktemp("s3")) as server:
        assert isinstance(server, S3Server)
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The module's S3, found by clients that are made in the test."""
    point_to(s3_server, monkeypatch)
    return s3_server


def point_to(endpoint: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let S3's clients of this process, and of those that it starts, find an endpoint."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": endpoint.url}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def installation(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a database, and the prefix of topics, that no other test has; both go with the test."""
    name = f"test-{uuid4().hex[:12]}"
    yield name
    if "mongodb" in request.fixturenames:
        drop_database(request.getfixturevalue("mongodb"), name)
    if "kafka" in request.fixturenames:
        delete_topics(request.getfixturevalue("kafka"), f"{name}.")


@pytest.fixture
def mongo(mongodb: str, installation: str) -> Iterator[Mongo]:
    """A database that goes with its test."""
    opened = Mongo(mongodb, installation)
    yield opened
    opened.close()


def drop_database(uri: str, name: str) -> None:
    """Remove what a test has written to MongoDB."""
    opened = Mongo(uri, name)
    opened.client.drop_database(name)
    opened.close()


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Remove a test's topics from Kafka."""
    admin = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
    names = [name for name in admin.list_topics(timeout=SECONDS).topics if name.startswith(prefix)]
    for deleted in admin.delete_topics(names).values() if names else ():
        deleted.result(SECONDS)
