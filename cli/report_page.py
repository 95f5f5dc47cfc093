"""A report as one HTML page that needs no other file and no network: tables, and plots as SVG."""

from __future__ import annotations

from collections.abc import Iterable

from autolearn.html import cell_of, html_table, text_of
from autolearn.views import Facts
from autolearn.views.report import MOST_COLUMNS, report_blocks
from console.report_plots import plots_of

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: .5em 0 1.5em; } th, td { padding: .2em .7em; text-align: right; }
th { border-bottom: 1px solid #999; } td:first-child, th:first-child { text-align: left; } h2 { font-size: 1.1em; }
dl { display: grid; grid-template-columns: max-content auto; gap: .15em 1em; }
dt { font-weight: 600; } dd { margin: 0; }
figure { display: inline-block; margin: 0 1em 1em 0; vertical-align: top; } figcaption { font-weight: 600; }
svg text { font-size: 11px; } .legend { font-size: 12px; max-width: 380px; margin: 0; }
.grid { stroke: #e5e5e5; } .axis { stroke: #999; } .chance { stroke: #999; stroke-dasharray: 4 3; }
.line { stroke: var(--series); fill: none; stroke-width: 1.5; }
.bar, .dot { fill: var(--series); } .bar { fill-opacity: .5; }
.legend span::before { content: "■ "; color: var(--series); }
.series-1 { --series: #0b6bb5; } .series-2 { --series: #d1570a; } .series-3 { --series: #2b8a3e; }
.series-4 { --series: #8a3ab9; } .series-5 { --series: #b0202e; } .series-6 { --series: #6b5b1f; }
.series-7 { --series: #0a8f8f; } .series-8 { --series: #555555; }
"""


def make_page(body: Facts) -> str:
    """Return the page; whatever text a data set holds is escaped."""
    title = f"Report of {text_of(body.get('evaluation'))}"
    parts = [*_blocks(body), "<h2>Plots</h2>", *plots_of(body), _larger_matrix(body)]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"/>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"/>'
        f"<title>{title}</title><style>{STYLE}</style></head>\n"
        f"<body><h1>{title}</h1>\n{chr(10).join(filter(None, parts))}\n</body></html>\n"
    )


def _blocks(body: Facts) -> Iterable[str]:
    for block in report_blocks(body):
        if isinstance(block, str):
            yield f"<h2>{text_of(block)}</h2>"
        elif isinstance(block, dict):
            pairs = (f"<dt>{text_of(name)}</dt><dd>{cell_of(value)}</dd>" for name, value in block.items())
            yield f"<dl>{''.join(pairs)}</dl>"
        elif block:
            yield html_table(block)


def _larger_matrix(body: Facts) -> str:
    """Return the confusion matrix that is too wide for a terminal."""
    names = [it.get("class") for it in body.get("classes") or []]
    counts = (body.get("confusion") or {}).get("counts")
    if not counts or len(names) <= MOST_COLUMNS:
        return ""
    head = "".join(f"<th>{text_of(name)}</th>" for name in names)
    lines = (
        f"<tr><td>{text_of(name)}</td>{''.join(f'<td>{cell_of(count)}</td>' for count in row)}</tr>"
        for name, row in zip(names, counts, strict=False)
    )
    return f"<h2>True class (row), predicted class (column)</h2><table><tr><th></th>{head}</tr>{''.join(lines)}</table>"
