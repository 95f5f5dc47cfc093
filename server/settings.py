"""The backend's settings, read from the environment (`AUTOLEARN_…`); the client's two: `autolearn/locations.py`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from adapters.host.memory import machine_memory
from autolearn.locations import data_directory
from domain.errors import BadInputError
from domain.lookup import nearest_names

MIB = 2**20
TYPES = {"integer": "a whole number", "number": "a number"}
LIMITS = {"minimum": "of at least", "exclusiveMinimum": "above", "maximum": "of at most"}
PREFIX = "AUTOLEARN_"
OF_CLIENT = ("URL", "CREDENTIALS")
OF_TESTS = "AUTOLEARN_TEST_"
PATHS = ("data", "master_key_file", "mongodb_password_file")
OF_MONGODB = ("admin", "config", "local")  # databases with its own data


class Settings(BaseSettings):
    """All settings of a backend, with defaults; it does not start with a value that is not allowed."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    mode: Literal["embedded", "distributed"] = Field(
        "embedded", description="where the log and the read models are: in SQLite and files, or in MongoDB and Kafka"
    )
    data: Path = Field(
        default_factory=data_directory, description="the data directory; only one backend at a time can use it"
    )
    blobs: str | None = Field(
        None, description="where the blobs are, as an fsspec URL; default: `blobs` in the data directory"
    )
    blob_cache: int = Field(
        4096 * MIB,
        ge=0,
        description="bytes of copies that are kept in the data directory of blobs that are on another machine",
    )
    master_key_file: Path | None = Field(
        None, description="the file with the master key; default: `master.key` in the data directory"
    )
    kafka: str = Field(
        "127.0.0.1:9092",
        description="distributed: Kafka's bootstrap servers; options for TLS and SASL may follow after a `?`",
    )
    mongodb: str = Field(
        "mongodb://127.0.0.1:27017/?directConnection=true",
        description="distributed: the URI of MongoDB, which must be a replica set",
    )
    mongodb_password_file: Path | None = Field(
        None, description="distributed: a file, mode 0600, with the password of the user whom the URI of MongoDB names"
    )
    database: str = Field(
        "autolearn",
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="distributed: the name of the database and the prefix of its topics; one installation, one name",
        json_schema_extra={"words": "at most 40 of the characters a-z, 0-9 and -, the first of them a letter"},
    )
    replication: int | None = Field(
        None,
        ge=1,
        le=100,
        description="distributed: how many brokers keep each topic; default: 3, or all of them if there are fewer",
    )
    listen: str = Field(
        "127.0.0.1",
        description="the address to listen on; beyond loopback only if there is a client other than `local`",
    )
    hosts: str = Field("", description="more names that the Host header may have, separated by commas")
    proxies: str = Field(
        "",
        description="proxies whose `X-Forwarded-For` is trusted: addresses and networks, separated by commas",
    )
    connections: int = Field(
        1000, ge=10, le=50_000, description="connections at a time; fewer if the system allows few descriptors"
    )
    slots: int = Field(
        default_factory=lambda: os.cpu_count() or 1,
        ge=1,
        le=256,
        description="fits, scores and reproductions at a time",
    )
    task_seconds: float = Field(600.0, ge=1, description="how long a task may run, in seconds")
    task_memory: int = Field(
        default_factory=lambda given: max(2048 * MIB, machine_memory() * 3 // 4 // given["slots"]),
        ge=64 * MIB,
        le=2**60,  # the kernel's limits end at 2^63, and a task's is twice this and more
        description="how much memory a task may use, in bytes",
    )
    sandbox: Literal["auto", "require", "off"] = Field(
        "auto",
        description="how tasks are confined: as far as the kernel can, fully or the start is refused, not at all",
    )
    log: Literal["text", "json"] = Field(
        "text", description="how a process logs: a line of text or a JSON object per record"
    )
    reserve: int = Field(64 * MIB, ge=0, description="commands are refused while less disk is free, in bytes")

    @field_validator(*PATHS, "blobs", "kafka", "mongodb", "listen", mode="before")
    @classmethod
    def _is_not_empty(cls, value: object) -> object:
        # An empty path is the folder that somebody happens to be in, and an empty address is every address.
        if value == "":
            raise ValueError("give a value, or unset it")
        return value

    @field_validator(*PATHS)
    @classmethod
    def _is_of_user(cls, path: Path | None) -> Path | None:
        return path and path.expanduser()  # no shell does it in the environment file of a unit

    @field_validator("database")
    @classmethod
    def _is_free(cls, name: str) -> str:
        if name in OF_MONGODB:
            raise ValueError(f"MongoDB keeps its own data in {', '.join(OF_MONGODB)}; take another name")
        return name

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, text: str) -> str:
        networks(text)  # a ValueError becomes the refusal
        return text

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The proxies whose `X-Forwarded-For` is trusted."""
        return networks(self.proxies)

    @property
    def blobs_url(self) -> str:
        """Where the blobs are."""
        return self.blobs or (self.data / "blobs").absolute().as_uri()

    @property
    def servers(self) -> str:
        """Which database and Kafka these are, in words; without what may hold a password."""
        uri = self.mongodb.partition("://")[2]
        hosts = re.split(r"[/?]", uri.rpartition("@")[2])[0]
        return f"the database {self.database!r} on MongoDB at {hosts}, and Kafka at {self.kafka.partition('?')[0]}"

    @property
    def key_file(self) -> Path:
        """Where the master key is."""
        return self.master_key_file or self.data / "master.key"


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return addresses and networks that are separated by commas; raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",")) if text.strip() else ()


def read_settings(**given: object) -> Settings:
    """Return the settings of the environment, with those given on the command line before them."""
    chosen = {name: value for name, value in given.items() if value is not None}
    try:
        return Settings(**chosen)  # type: ignore[arg-type]  # pydantic checks them
    except ValidationError as invalid:
        first = invalid.errors()[0]
        name = str(first["loc"][0])
        reason = first.get("ctx", {}).get("error") or f"it must be {_allowed(name)}"
        raise BadInputError(f"AUTOLEARN_{name.upper()} = {first['input']!r} does not fit: {reason}.") from None


def read_distributed_settings() -> Settings:
    """Return the settings for a command that only the distributed mode has; it needs no AUTOLEARN_MODE.

    Raises BadInputError where that says another mode.
    """
    settings = read_settings() if "AUTOLEARN_MODE" in os.environ else read_settings(mode="distributed")
    if settings.mode != "distributed":
        raise BadInputError(
            "This command works in the distributed mode only, but AUTOLEARN_MODE says"
            f" {settings.mode}: unset it, or set it to distributed."
        )
    return settings


def unknown_settings(environment: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that looks like a setting but is not one, usually because of a typo."""
    known = [PREFIX + name.upper() for name in (*Settings.model_fields, *OF_CLIENT)]
    wrong = sorted(
        name for name in environment if name.startswith(PREFIX) and name not in known and not name.startswith(OF_TESTS)
    )
    near = {name: nearest_names(name.removeprefix(PREFIX), [it.removeprefix(PREFIX) for it in known]) for name in wrong}
    return [
        f"{name} is not a setting, so it has no effect."
        + (f" Nearest: {', '.join(PREFIX + it for it in near[name])}." if near[name] else "")
        for name in wrong
    ]


def _allowed(name: str) -> str:
    """Return what a setting may be, in words."""
    rule = Settings.model_json_schema()["properties"][name]
    rule |= rule.get("anyOf", [{}])[0]  # the other is that there is none
    if "enum" in rule:
        return f"one of {', '.join(rule['enum'])}"
    if "words" in rule:
        return str(rule["words"])
    limits = [f"{words} {rule[key]}" for key, words in LIMITS.items() if key in rule]
    return f"{TYPES.get(rule.get('type'), 'text')} {' and '.join(limits)}".rstrip()
