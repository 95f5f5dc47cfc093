"""Checks of `doctor`: how they are made, and those of the machine itself. Each returns what it found, or raises."""

from __future__ import annotations

import json
import os
import platform
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from adapters.host.directory_lock import holder
from adapters.host.private_files import check_own_folder
from domain.errors import AutoLearnError, BadInputError, DiskReserveError, NotAbleError
from server.settings import Settings, unknown_settings

PROGRAM: Final = "autolearn"
NAMED: Final = ("scikit-learn", "pymongo", "confluent-kafka")  # whose versions are of interest
ANSWER_SECONDS: Final = 5.0
HTTP_ERRORS: Final = (OSError, ValueError, HTTPException)
DIRECT: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a proxy does not reach this machine

Look = Callable[[], str]
Checks = Iterable[tuple[str, Look]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `trouble` is what is wrong, with what would be right."""

    check: str
    found: str
    trouble: AutoLearnError | None = None


def findings(checks: Checks) -> Iterator[Finding]:
    """Make the checks one after the other."""
    for name, look in checks:
        try:
            yield Finding(name, look())
        except AutoLearnError as trouble:
            yield Finding(name, trouble.sentence, trouble)
        except OSError as error:
            wrong = NotAbleError(f"{error.filename or name}: {error.strerror or error}.")
            yield Finding(name, wrong.sentence, wrong)


def checks_of_machine(settings: Settings) -> Checks:
    """Return the checks that need no store and no server."""
    yield "settings", lambda: _settings(settings)
    yield "python", _python
    yield "packages", _packages
    yield "data directory", lambda: check_folder(settings.data, "the first start makes it")
    yield "disk", lambda: _disk(settings.data, settings.reserve)
    yield "backend", lambda: _backend(settings)


def _settings(settings: Settings) -> str:
    if unknown := unknown_settings(os.environ):
        raise BadInputError(" ".join(unknown))
    where = f", {settings.servers}" if settings.mode == "distributed" else ""
    return f"{settings.mode} mode, data in {settings.data}{where}"


def _python() -> str:
    now = platform.python_version()
    wanted = metadata(PROGRAM)["Requires-Python"] or ""
    if not SpecifierSet(wanted).contains(now, prereleases=True):
        raise BadInputError(f"This is Python {now}, and AutoLearn needs {wanted}: install it with such a Python.")
    return f"Python {now}, autolearn {version(PROGRAM)}"


def _packages() -> str:
    needed = [Requirement(it) for it in requires(PROGRAM) or ()]
    needed = [it for it in needed if it.marker is None or it.marker.evaluate({"extra": ""})]
    if wrong := [what for it in needed if (what := _misfit(it))]:
        raise BadInputError(f"Packages that do not fit: {'; '.join(wrong)}. Install AutoLearn again.")
    return f"{len(needed)} fit: {', '.join(f'{name} {version(name)}' for name in NAMED)} …"


def _misfit(needed: Requirement) -> str | None:
    try:
        found = version(needed.name)
    except PackageNotFoundError:
        return f"{needed.name} is missing"
    fits = needed.specifier.contains(found, prereleases=True)
    return None if fits else f"{needed.name} is {found}, and must be {needed.specifier}"


def check_folder(folder: Path, missing: str) -> str:
    """Look at a folder that processes write to; raises BadInputError where others may change it, or this user not."""
    if not folder.exists():
        return f"{folder} is not there: {missing}"
    check_own_folder(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BadInputError(f"This user may not write to {folder}.")
    return str(folder)


def _disk(folder: Path, reserve: int) -> str:
    there = next(it for it in (folder.absolute(), *folder.absolute().parents) if it.exists())
    free = shutil.disk_usage(there).free
    if free < reserve:
        raise DiskReserveError(
            f"Only {free:,} bytes are free on the disk of {there}, and {reserve:,} are kept in reserve: free some."
        )
    return f"{free / 2**30:.1f} GiB free"


def _backend(settings: Settings) -> str:
    running = holder(settings.data) if settings.data.is_dir() else None
    if running is None:
        return "none runs on the data directory"
    if not running.url:
        return "one is starting or stopping"
    return f"process {running.pid} at {running.url} {_readiness(running.url)}"


def _readiness(url: str) -> str:
    """Return how ready a process is; raises NotAbleError with its own sentence where it is not."""
    try:
        with DIRECT.open(f"{url}/health/ready", timeout=ANSWER_SECONDS) as answer:
            facts = json.load(answer)
    except urllib.error.HTTPError as refused:
        raise NotAbleError(f"The backend at {url} is not ready: {_fault(refused)}") from refused
    except HTTP_ERRORS as silent:
        raise NotAbleError(f"The backend at {url} does not answer: {silent}.") from silent
    return f"is ready at position {facts.get('position')}"


def _fault(refused: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(refused)["fault"])
    except (*HTTP_ERRORS, LookupError, TypeError):
        return f"status {refused.code}."


def age_of_backup(last: datetime | None) -> str:
    """Say how old the last finished back-up is; none is no trouble of the installation."""
    if last is None:
        return "none was made yet: `autolearn backup FOLDER` makes one"
    hours = (datetime.now(UTC) - last).total_seconds() / 3600
    return f"{hours:.1f} hours old" if hours < 48 else f"{hours / 24:.0f} days old"  # noqa: PLR2004 - two days
