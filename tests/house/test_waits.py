"""No test sleeps: it waits for a condition, a position or an event, else it is slow here and flaky there."""

from __future__ import annotations

import ast

from tests.house.tracked import parsed, tracked

# path -> reason; polling somebody else's process has no other way
ALLOWED: dict[str, str] = {}
OF_TESTS = [path for path in tracked(".py") if path.parts[0] == "tests"]


def sleeps(tree: ast.Module) -> list[int]:
    """Return the lines that call something named `sleep`."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return sorted(
        call.lineno
        for call in calls
        if (isinstance(call.func, ast.Attribute) and call.func.attr == "sleep")
        or (isinstance(call.func, ast.Name) and call.func.id == "sleep")
    )


def test_no_test_sleeps() -> None:
    found = {str(path): sleeps(parsed(path)) for path in OF_TESTS if str(path) not in ALLOWED}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_allowed_ones_exist() -> None:
    assert set(ALLOWED) <= {str(path) for path in OF_TESTS}


def test_sleeps_are_found() -> None:
    assert sleeps(ast.parse("time.sleep(1)\nawait asyncio.sleep(0)\nsleep(2)")) == [1, 2, 3]
