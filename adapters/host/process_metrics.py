"""What a process measures of itself for `/metrics`, whatever its roles (docs/metrics.md)."""

from __future__ import annotations

import platform
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

TASK_BUCKETS = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
SERVER_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

disable_created_metrics()  # type: ignore[no-untyped-call] # a series for each other one, and all begin with the process, whose start is told
REGISTRY = CollectorRegistry()  # one for the process, as what it measures is not of one application
ProcessCollector(registry=REGISTRY)

TASK_SECONDS = Histogram(
    "autolearn_task_seconds",
    "Seconds that a task process took for a task, by what it was to do and how that ended",
    ("task", "outcome"),
    buckets=TASK_BUCKETS,
    registry=REGISTRY,
)
MONGODB_SECONDS = Histogram(
    "autolearn_mongodb_seconds",
    "Seconds until MongoDB answered a command",
    ("command",),
    buckets=SERVER_BUCKETS,
    registry=REGISTRY,
)
MONGODB_FAILURES = Counter(
    "autolearn_mongodb_failures", "Commands that MongoDB refused or did not answer", ("command",), registry=REGISTRY
)
KAFKA_SECONDS = Histogram(
    "autolearn_kafka_seconds",
    "Seconds until Kafka answered: a whole transaction of the relay, or where a topic begins and ends",
    ("operation",),
    buckets=SERVER_BUCKETS,
    registry=REGISTRY,
)
BLOB_SECONDS = Histogram(
    "autolearn_blob_seconds",
    "Seconds until the store of blobs had done what was asked, or was given up",
    ("operation",),
    buckets=(*SERVER_BUCKETS, 30, 60, 300),
    registry=REGISTRY,
)
BLOB_FAILURES = Counter(
    "autolearn_blob_failures", "What the store of blobs refused or did not do", ("operation",), registry=REGISTRY
)
Gauge("autolearn_build_info", "1, with the versions of this process", ("version", "python"), registry=REGISTRY).labels(
    version("autolearn"), platform.python_version()
).set(1)
