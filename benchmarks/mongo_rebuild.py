"""First fold, rebuild and recovery on MongoDB and Kafka, of a log in commits as life makes them.

REBUILD_EVENTS=100000 says how many events. The servers are those of AUTOLEARN_TEST_MONGODB and AUTOLEARN_TEST_KAFKA, or
else ones of its own. Each step is a process of its own. "Per core in use" divides by the seconds of CPU of that process
and of mongod together, whoever else keeps the machine or (beside ones of its own) mongod busy.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, Final
from uuid import uuid4

from confluent_kafka import Producer

from adapters.distributed.installation import set_installation_id
from adapters.distributed.log.commit_schema import EVENT_LOG
from adapters.distributed.log.feed import MongoFeed
from adapters.distributed.mongo import Mongo
from adapters.distributed.projection.projector import BATCH
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.store import MongoReadModelStore
from adapters.distributed.recovery.recovery import Recovery
from adapters.distributed.topics.cloud_events import commit_messages, origin
from adapters.distributed.topics.feed import KafkaFeed
from adapters.distributed.topics.kafka import settings
from adapters.distributed.topics.topics import ensure_topics, topics_of
from benchmarks import Figure
from benchmarks.life_log import EVENTS_OF_A_SESSION, OF_A_SESSION, life_log
from benchmarks.relay import server
from projections.rebuild import rebuild
from projections.runner import ProjectionRunner
from tests.servers.fixtures import delete_topics, drop_database
from tests.servers.kafka import KafkaServer
from tests.servers.mongod import MongoServer

EVENTS: Final = int(os.environ.get("REBUILD_EVENTS", "100000"))
AT_ONCE: Final = 2000  # commits
MIB: Final = 1024
INSTALLATION: Final = "ab" * 16
# Of each step: events a second for each core in use, and by the clock.
GOALS: Final = (("first fold", ">= 15000", ""), ("rebuild", ">= 15000", ""), ("recovery", "", ">= 20000"))


def fill(mongodb: str, kafka: str, database: str) -> int:
    """Store the log in MongoDB and publish it; return its end."""
    mongo = Mongo(mongodb, database, seconds=None)
    EVENT_LOG.collection.ensure(mongo)
    set_installation_id(mongo, INSTALLATION)
    ensure_topics(kafka, database)
    topic, source = topics_of(database)[0], origin(database, INSTALLATION)
    producer = Producer(settings(kafka, transactional_id=topic, compression_type="lz4"))
    producer.init_transactions(30)
    position, commits = 0, life_log(EVENTS)
    while some := list(islice(commits, AT_ONCE)):
        mongo.collection(EVENT_LOG.name).insert_many(map(EVENT_LOG.to_document, some))
        producer.begin_transaction()
        for key, value, headers in (message for commit in some for message in commit_messages(commit, source)):
            producer.produce(topic, value, key, 0, headers=[*headers])
            producer.poll(0)
        producer.commit_transaction(30)
        position = some[-1].position
    mongo.close()
    return position


def first_fold(mongo: Mongo, kafka: str) -> int:
    """Fold the topic as the process `project` does."""
    feed, documents = KafkaFeed(kafka, mongo.name), MongoReadModelStore(mongo).serving_generation()
    runner, end = ProjectionRunner(feed, documents, BATCH), MongoFeed(mongo).end()[0]
    while runner.position < end:
        runner.step()
    feed.close()
    return end


def rebuilt(mongo: Mongo, _: str) -> int:
    """Fold the log in MongoDB as `rebuild --all` does."""
    number, fresh = MongoReadModelStore(mongo).make_generation(None)
    end = MongoFeed(mongo).end()[0]
    for step in rebuild(MongoFeed(mongo), fresh, end):
        position = int(step["position"])
    for collection in ReadModels(mongo, number).layouts:
        mongo.collection(collection.name).drop()
    return position


def recovered(mongo: Mongo, kafka: str) -> int:
    """Bring the log back from the topic."""
    mongo.client.drop_database(mongo.name)
    *_, result = Recovery(mongo, kafka).run()
    return int(result["position"])


STEPS: Final[dict[str, Callable[[Mongo, str], int]]] = {
    "first fold": first_fold,
    "rebuild": rebuilt,
    "recovery": recovered,
}


def run_step(name: str, mongodb: str, kafka: str, database: str) -> dict[str, float]:
    """Run a step in this process; return events, seconds, seconds of CPU here and of mongod, and MiB at most."""
    mongo = Mongo(mongodb, database, seconds=None)
    before, cpu, started = _mongod_cpu(mongo), time.process_time(), time.perf_counter()
    events = STEPS[name](mongo, kafka)
    seconds, own = time.perf_counter() - started, time.process_time() - cpu
    server_cpu = _mongod_cpu(mongo) - before
    mongo.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB
    return {"events": events, "seconds": seconds, "own": own, "mongod": server_cpu, "memory": memory}


def _mongod_cpu(mongo: Mongo) -> float:
    used = mongo.client.admin.command("serverStatus")["extra_info"]
    return float(used["user_time_us"] + used["system_time_us"]) / 1_000_000


def stored_bytes(mongodb: str, database: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield of each collection of the read models its name, and the bytes of documents, storage, and indexes."""
    mongo = Mongo(mongodb, database, seconds=None)
    mongo.client.admin.command("fsync")
    for collection in ReadModels.current(mongo).layouts:
        found = mongo.database.command("collStats", collection.name)
        yield collection.name, int(found["size"]), int(found["storageSize"]), int(found["totalIndexSize"])
    mongo.close()


def in_own_process(name: str, *places: str) -> dict[str, Any]:
    """Run a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.mongo_rebuild", name, *places]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return dict(json.loads(done.stdout))


def measure() -> Iterator[Figure]:
    """Measure each step, and what the read models take."""
    with ExitStack() as opened:
        mongodb = opened.enter_context(server(MongoServer, "AUTOLEARN_TEST_MONGODB"))
        kafka = opened.enter_context(server(KafkaServer, "AUTOLEARN_TEST_KAFKA"))
        database = f"bench-{uuid4().hex[:12]}"
        opened.callback(delete_topics, kafka, database)
        opened.callback(drop_database, mongodb, database)
        events = fill(mongodb, kafka, database)
        for name, per_core, whole in GOALS:
            if name == "rebuild":
                yield from _sizes(mongodb, database, events)
            took = in_own_process(name, mongodb, kafka, database)
            used = f"{events:,} events, CPU: {took['own']:.1f} s here, {took['mongod']:.1f} s mongod"
            yield Figure(
                f"{name}, MongoDB, per core in use", events / (took["own"] + took["mongod"]), "events/s", per_core, used
            )
            yield Figure(f"{name}, MongoDB, whole", events / took["seconds"], "events/s", whole, used)
            yield Figure(f"memory of {name}, MongoDB", took["memory"], "MiB", "<= 300", used)


def _sizes(mongodb: str, database: str, events: int) -> Iterator[Figure]:
    experiments = events / EVENTS_OF_A_SESSION * OF_A_SESSION
    found = list(stored_bytes(mongodb, database))
    note = "; ".join(
        f"{name}: {size:,} bytes as {held:,} and {index:,} of indexes" for name, size, held, index in found
    )
    taken = sum(held + index for _, _, held, index in found)
    yield Figure("read models on MongoDB, each experiment", taken / experiments / MIB, "KiB", "<= 7.5", note)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(run_step(*sys.argv[1:])))
    else:
        for figure in measure():
            print(f"{figure.value:12,.1f} {figure.unit:9} {figure.what}  [{figure.note}]")
