"""AUTOLEARN_KAFKA: servers and how to get in, nothing that exactly-once depends on, no secret in a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.distributed.topics.kafka import parse_address, settings
from adapters.distributed.topics.topics import ensure_topics
from domain.errors import BadInputError


def test_servers_alone() -> None:
    assert parse_address("a:1,b:2") == {"bootstrap.servers": "a:1,b:2"}


def test_how_to_get_in_by_the_address_and_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("# of the cluster\nsasl.username = ana\nsasl.password = a=b&c\n")
    address = f"a:1?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-512&file={tmp_path / 'secret'}"
    assert parse_address(address) == {
        "bootstrap.servers": "a:1",
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ana",
        "sasl.password": "a=b&c",
    }
    assert settings(address, acks="all")["sasl.username"] == "ana"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("", "names no bootstrap server"),
        ("?ssl.ca.location=x", "names no bootstrap server"),
        ("a:1?isolation.level=read_uncommitted", "'isolation.level'"),
        ("a:1?secret", "NAME=VALUE"),
        ("kafka://a:1", "HOST:PORT"),
        ("a:1?file=/no/such/file", "/no/such/file"),
    ],
)
def test_what_is_wrong_is_said(address: str, told: str) -> None:
    with pytest.raises(BadInputError, match=r"AUTOLEARN_KAFKA") as refused:
        parse_address(address)
    assert told in refused.value.sentence


def test_a_value_that_the_driver_refuses_is_bad_input() -> None:
    with pytest.raises(BadInputError, match=r"AUTOLEARN_KAFKA.*security.protocol"):
        ensure_topics("127.0.0.1:1?security.protocol=carrier-pigeon", "autolearn")
