"""Reading more documents than fit one listing."""

from __future__ import annotations

from collections.abc import Iterator

from projections.ports import Document, Documents

PAGE = 1000


def everything(documents: Documents, kind: str, prefix: str = "", at: int | None = None) -> Iterator[Document]:
    """Stream all documents of a kind whose ids begin so, listing by listing."""
    after = ""
    while page := documents.list(kind, prefix, at, PAGE, after):
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id
