"""What all tests share: closed sockets, bounded and repeatable hypothesis runs."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures"]

TESTS = Path(__file__).parent
LOOPBACK = ["127.0.0.1", "::1", "localhost"]
# Whose tests talk to real servers; all others have no sockets but Unix ones (event loops, forkserver).
MAY_CONNECT = (
    "cli", "client", "console", "contracts", "deploy", "distributed", "end_to_end", "faults", "services", "serving",
)  # fmt: skip

# Repeatable: the same examples in every run, a red test stays red. `HYPOTHESIS_PROFILE=explore` looks further.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=60, print_blob=False)
settings.register_profile(
    "explore", deadline=None, max_examples=2000, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
# A shell starts what runs in its background with SIGINT ignored, and tests of Ctrl-C need it.
signal.signal(signal.SIGINT, signal.default_int_handler)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Open loopback, and nothing else, to the tests that talk to a real backend."""
    for item in items:
        folder = item.path.relative_to(TESTS).parts[0]
        if folder in MAY_CONNECT:
            item.add_marker(pytest.mark.allow_hosts(LOOPBACK))
