"""Where the programs of real servers are: on the PATH, or in the cache folder that `make test` fills.

All errors are LookupErrors whose sentence a skipped test shows.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

ENVIRONMENT: Mapping[str, str] = os.environ
KAFKA_SCRIPTS = ("kafka-server-start.sh", "kafka-server-start")
HOW = "`make test` puts one into the cache folder; or name a running one in"


class Search(Protocol):
    """Looks for a program, or a folder of programs; LookupError where there is none."""

    def __call__(self, environment: Mapping[str, str] = ...) -> Path:
        """Return where it is."""


def cache(environment: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Return the folder that outlives clones: AUTOLEARN_TEST_SERVERS, else the user's cache (XDG base directories)."""
    if given := environment.get("AUTOLEARN_TEST_SERVERS"):
        return Path(given)
    user = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME", "~")).expanduser() / ".cache"
    return Path(user) / "autolearn-servers"


def mongod(environment: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Return MongoDB's program."""
    if found := shutil.which("mongod", path=environment.get("PATH")):
        return Path(found)
    installed = cache(environment) / "mongod"
    if installed.exists():
        return installed
    raise LookupError(f"no MongoDB here: no mongod on the PATH, none in the cache folder; {HOW} AUTOLEARN_TEST_MONGODB")


def java(environment: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Return the program that runs Kafka (17 or later)."""
    if found := shutil.which("java", path=environment.get("PATH")):
        return Path(found)
    raise LookupError("no Kafka here: no java on the PATH (17 or later); or name a running one in AUTOLEARN_TEST_KAFKA")


def jars(environment: Mapping[str, str] = ENVIRONMENT) -> Path:
    """Return the folder of Kafka's jars: of a distribution on the PATH (`bin` beside `libs`), or the installed one."""
    for script in KAFKA_SCRIPTS:
        found = shutil.which(script, path=environment.get("PATH"))
        libraries = Path(found).resolve().parents[1] / "libs" if found else None
        if libraries and any(libraries.glob("kafka_*.jar")):
            return libraries
    installed = cache(environment) / "kafka"
    if installed.exists():
        return installed
    raise LookupError(f"no Kafka here: none on the PATH, no jars in the cache folder; {HOW} AUTOLEARN_TEST_KAFKA")
