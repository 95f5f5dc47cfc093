"""Fixtures of real servers: Kafka's bootstrap servers, MongoDB's URI, and names that no other test uses."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from adapters.distributed.mongo import Mongo


@pytest.fixture(scope="session")
def kafka() -> str:
    """Bootstrap servers of a real Kafka."""
    return os.environ["AUTOLEARN_TEST_KAFKA"]


@pytest.fixture(scope="session")
def mongodb() -> str:
    """The URI of a real MongoDB, a replica set."""
    return os.environ["AUTOLEARN_TEST_MONGODB"]


@pytest.fixture
def installation() -> str:
    """The name of a database, and the prefix of topics, that no other test has."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
def mongo(mongodb: str, installation: str) -> Iterator[Mongo]:
    """A database that goes with its test."""
    opened = Mongo(mongodb, installation)
    yield opened
    opened.client.drop_database(installation)
    opened.close()
