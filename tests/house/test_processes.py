"""Every command line that starts this Python keeps the folder that it is started in off the import path."""

from __future__ import annotations

import ast

from tests.house.tracked import parsed, tracked

PRODUCT = {"adapters", "autolearn", "cli", "commands", "console", "domain", "projections", "server"}
SAFE = {"-P", "-I"}  # -I includes -P


def command_lines(tree: ast.Module) -> list[list[ast.expr]]:
    """Return the lists and tuples whose first item is, or ends in, `sys.executable`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.List | ast.Tuple):
            places = [place for place, item in enumerate(node.elts) if ast.unparse(item) == "sys.executable"]
            found += [node.elts[place + 1 :] for place in places]
    return found


def is_safe(arguments: list[ast.expr]) -> bool:
    return bool(arguments) and isinstance(arguments[0], ast.Constant) and arguments[0].value in SAFE


def test_no_process_of_ours_imports_from_the_folder_that_it_is_started_in() -> None:
    paths = [path for path in tracked(".py") if path.parts[0] in PRODUCT]
    lines = [(path, arguments) for path in paths for arguments in command_lines(parsed(path))]
    assert lines
    assert [f"{path}: {list(map(ast.unparse, arguments))}" for path, arguments in lines if not is_safe(arguments)] == []


def test_an_unsafe_command_line_is_found() -> None:
    tree = ast.parse("import sys\nrun([sys.executable, '-m', 'cli.main'])\nrun([sys.executable, '-P', '-m', 'x'])")
    assert [is_safe(arguments) for arguments in command_lines(tree)] == [False, True]
