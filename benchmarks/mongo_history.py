"""History pages on MongoDB at 10k and 100k experiments (HISTORY_SIZES=10000,…), now and as of past positions.

The same made-up rows and the same cases as `benchmarks.history`, p50 in ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter
from uuid import uuid4

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from benchmarks import Figure
from benchmarks.history import SIZES, Filled, figures, fill
from benchmarks.mongo_append import server

TIMEOUT_SECONDS = 60.0  # filling writes thousands of rows at once


def filled(mongo: Mongo, size: int) -> Filled:
    """Fill a generation."""
    read = ReadModels.ensure(mongo)
    documents = ProjectorDocuments(read)
    started = perf_counter()
    fill(documents, size)
    return Filled(MongoHistory(read), documents.position(), perf_counter() - started)


def measure() -> Iterator[Figure]:
    """Measure all cases at each size."""
    with server() as uri:
        for size in SIZES:
            mongo = Mongo(uri, f"bench-{uuid4().hex[:12]}", seconds=TIMEOUT_SECONDS)
            try:
                yield from figures("MongoDB history", filled(mongo, size), size)
            finally:
                mongo.client.drop_database(mongo.name)
                mongo.close()


if __name__ == "__main__":
    for figure in measure():
        print(f"{figure.value:8.2f}  {figure.what}  [{figure.note}]")
