"""Runs cells of code in one namespace, as a notebook does: what a cell ends with is shown, as HTML where it can be."""

from __future__ import annotations

import ast
import json
import sys
from typing import Any


def run(code: str, names: dict[str, Any]) -> None:
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, code, "exec"), names)  # noqa: S102 - of our own pages
    if isinstance(last, ast.Expr):
        value = eval(compile(ast.Expression(last.value), code, "eval"), names)  # noqa: S307 - idem
        print(value._repr_html_() if hasattr(value, "_repr_html_") else repr(value))  # noqa: T201 - it shows it


if __name__ == "__main__":
    namespace: dict[str, Any] = {}
    for cell in json.load(sys.stdin):
        run(cell, namespace)
