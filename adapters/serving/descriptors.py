"""File descriptors: how many this process may have, and how many of them connections may take."""

from __future__ import annotations

import resource

MOST = 65_536  # more would only make programs slow that walk through all they might have
KEPT = 1024  # for database files, blobs, tasks and what else is open beside connections


def raise_limit() -> None:
    """Let this process have as many as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST if hard == resource.RLIM_INFINITY else min(MOST, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def connections_within(wanted: int, each: int = 1) -> int:
    """Return how many connections fit, at most those wanted; each takes so many descriptors."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if limit == resource.RLIM_INFINITY:
        return wanted
    return max(1, min(wanted, (limit - min(KEPT, limit // 2)) // each))
