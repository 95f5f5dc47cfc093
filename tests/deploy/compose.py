"""docker-compose.yml as compose would read it: interpolated; and what of it can run without containers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.house.tracked import ROOT

FILE = ROOT / "docker-compose.yml"
VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")
OUR_IMAGE = "autolearn"


class NotSetError(LookupError):
    """A variable that has no default is not set."""


def compose(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the file with its variables replaced (Compose specification, 12); raises NotSetError."""
    read: dict[str, Any] = yaml.safe_load(interpolated(FILE.read_text(encoding="utf-8"), environment))
    return read


def interpolated(text: str, environment: Mapping[str, str]) -> str:
    """Replace `${NAME}`, `${NAME:-default}` and `${NAME:?sentence}`."""

    def value(found: re.Match[str]) -> str:
        name, kind, rest = found.groups()
        if given := environment.get(name):
            return given
        if kind != "-":
            raise NotSetError(f"{name}: {rest}")
        return str(rest)

    return VARIABLE.sub(value, text)


def ours(file: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the services that run AutoLearn all the time, by name."""
    services: dict[str, dict[str, Any]] = file["services"]
    return {name: it for name, it in services.items() if it["image"] == OUR_IMAGE and "profiles" not in it}


def replicas(service: Mapping[str, Any]) -> int:
    """Return how many of it run."""
    return int(service.get("deploy", {}).get("replicas", 1))
