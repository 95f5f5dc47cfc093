"""No message advises what may destroy the only copy of something."""

from __future__ import annotations

import ast
import re

from tests.house.tracked import parsed, tracked

PRODUCT = {"adapters", "autolearn", "cli", "commands", "console", "domain", "projections", "server"}
ADVICE = re.compile(r"(?i)\bdelete (the|this|that|its) topic|\btopic\b.*\bdelete it\b")


def test_no_message_advises_to_delete_a_topic() -> None:
    """Its records may be nowhere else: what must be proven before stands in docs/operations.md, 'A damaged topic'."""
    paths = [path for path in tracked(".py") if path.parts[0] in PRODUCT]
    texts = [(path, node.value) for path in paths for node in ast.walk(parsed(path)) if isinstance(node, ast.Constant)]
    assert [path for path, value in texts if isinstance(value, str) and ADVICE.search(value)] == []


def test_such_advice_is_found() -> None:
    assert ADVICE.search("If it is the topic that is wrong, delete it.")
    assert ADVICE.search("Delete the topic, or choose another AUTOLEARN_DATABASE.")
