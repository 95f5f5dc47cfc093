"""Facts, tables and texts as HTML; whatever text they hold is escaped, and shown where it would be invisible."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from autolearn.printable import visible
from autolearn.text_table import format_value
from autolearn.views import Block, Facts

MOST_ROWS = 100  # of a table in a notebook


def text_of(value: Any) -> str:
    """Return any text as a page may hold it."""
    return escape(visible(str(value)))


def cell_of(value: Any) -> str:
    return text_of(format_value(value))


def html_of_blocks(blocks: Sequence[Block]) -> str:
    """Return blocks for a notebook."""
    parts = [_html_of(block) for block in blocks if block]
    return f"<div>{''.join(parts)}</div>" if parts else ""


def _html_of(block: Block) -> str:
    if isinstance(block, str):
        return f"<p>{'<br>'.join(map(text_of, block.splitlines()))}</p>"
    if isinstance(block, dict):
        rows = (f"<tr><th>{text_of(name)}</th><td>{cell_of(value)}</td></tr>" for name, value in block.items())
        return f"<table>{''.join(rows)}</table>"
    more = f"<p>{len(block) - MOST_ROWS} more rows.</p>" if len(block) > MOST_ROWS else ""
    return html_table(block[:MOST_ROWS]) + more


def html_table(rows: Sequence[Facts]) -> str:
    names = list(dict.fromkeys(name for row in rows for name in row))
    head = "".join(f"<th>{text_of(name)}</th>" for name in names)
    lines = ("".join(f"<td>{cell_of(row.get(name, ''))}</td>" for name in names) for row in rows)
    return f"<table><tr>{head}</tr>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"
