"""The plots of an evaluation's report: curves of classes, scores, predicted against true, residuals, importance."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from autolearn.views import Facts
from autolearn.views.report import curves
from console.plots import Dot, bar_chart, histogram, line_plot, points_of, scatter_plot

MOST_HISTOGRAMS = 6
MOST_BARS = 20


def plots_of(report: Facts) -> Iterator[Markup]:
    """Yield the plots for which a report has numbers."""
    of_classes = (report.get("curves") or {}).get("of_classes") or []
    for title, x, y, lines in curves(of_classes):
        if lines:
            named = [(name, points_of(of_x, of_y)) for name, of_x, of_y in lines]
            yield line_plot(title, (x, y), named, shares=True, diagonal=title != "Precision and recall")
    scores = (report.get("curves") or {}).get("scores") or "scores"
    for it in of_classes[:MOST_HISTOGRAMS]:
        spread = it.get("histogram") or {}
        series = [("rows of the class", spread.get("of_class") or []), ("other rows", spread.get("of_others") or [])]
        yield histogram(f"Scores of {it.get('class')}", (str(scores), "rows"), spread.get("edges") or [], series)
    if points := report.get("points"):
        dots = [Dot(*it) for it in points_of(points["true"], points["predicted"])]
        yield scatter_plot("Predicted against true", ("true", "predicted"), dots, diagonal=True)
    if spread := (report.get("residuals") or {}).get("histogram"):
        yield histogram("Residuals", ("residual", "rows"), spread["edges"], [("", spread["counts"])])
    if importance := report.get("importance"):
        falls = [(str(it["column"]), it["mean"]) for it in importance["columns"][:MOST_BARS]]
        yield bar_chart("Importance of columns", f"fall of {importance['measure']}", falls)
