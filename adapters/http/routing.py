"""Which service answers a path where the five do not share a port: the first segment of the policy's routes says."""

from __future__ import annotations

import re

from adapters.http.policy import OPEN, POLICY

DEFAULT = "storage"  # plain routes by their bare name, and unknown paths: it is for a gate to refuse and archive them
SERVICES = tuple(dict.fromkeys(row.service for row in POLICY))
BY_SEGMENT = {row.template.split("/")[1]: row.service for row in POLICY}
UPLOADS = frozenset((row.method, row.template) for row in POLICY if row.upload)
OF_ONE_SERVICE = re.compile(rf"/services/({'|'.join(SERVICES)})({'|'.join(sorted(OPEN))})")


def routed(path: str) -> tuple[str, str | None]:
    """Return the service of a decoded path, and the path that it is asked for where that is another one.

    `/services/<name>/metrics` (and health, docs, openapi.json) asks one service for what each of them has.
    """
    if own := OF_ONE_SERVICE.fullmatch(path):
        return own[1], own[2]
    return BY_SEGMENT.get(path.split("/")[1] if path.startswith("/") else "", DEFAULT), None
