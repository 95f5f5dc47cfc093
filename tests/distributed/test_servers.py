"""The support itself: servers of a test's own lose nothing in a kill, stand still when frozen, and end with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from pymongo import MongoClient
from pymongo.errors import NetworkTimeout
from pymongo.write_concern import WriteConcern

from tests.servers.process import Server

SECONDS = 30.0


def test_a_killed_mongodb_keeps_what_it_acknowledged(own_mongodb: Server) -> None:
    with MongoClient(own_mongodb.url) as client:
        journaled = client["kept"].get_collection("kept", write_concern=WriteConcern("majority", j=True))
        journaled.insert_one({"_id": 1})
        own_mongodb.kill()
        own_mongodb.start()
        assert client["kept"]["kept"].find_one() == {"_id": 1}


def test_a_frozen_mongodb_does_not_answer_until_it_thaws(own_mongodb: Server) -> None:
    with MongoClient(own_mongodb.url, timeoutMS=500, serverSelectionTimeoutMS=500) as client:
        client["kept"].command("ping")
        own_mongodb.freeze()
        with pytest.raises(NetworkTimeout):
            client["kept"].command("ping")
        own_mongodb.thaw()
        client["kept"].command("ping")


def test_a_killed_kafka_keeps_what_it_acknowledged(own_kafka: Server) -> None:
    topic = "kept.events"
    admin = AdminClient({"bootstrap.servers": own_kafka.url, "log_level": 0})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(SECONDS)
    producer = Producer({"bootstrap.servers": own_kafka.url, "transactional.id": "kept", "log_level": 0})
    producer.init_transactions(SECONDS)
    producer.begin_transaction()
    producer.produce(topic, b"fact")
    producer.commit_transaction(SECONDS)
    own_kafka.kill()
    own_kafka.start()
    consumer = Consumer({"bootstrap.servers": own_kafka.url, "group.id": "kept", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    [message] = consumer.consume(1, SECONDS)
    consumer.close()
    assert message.value() == b"fact"
