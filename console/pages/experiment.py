"""Experiment: what one training learned, how good it is, how it came about, and what can be done with it."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

from starlette.responses import Response

from autolearn.errors import ClientError, ProblemError, UnprovenAnswerError
from autolearn.printable import as_json
from autolearn.tasks import UNFINISHED
from autolearn.views import Facts, flatten
from console.downloads import answer_by_file
from console.experiment_facts import changed_facts, confusion_of, learned_of, settings_of, wrong_rows
from console.page import Page
from console.report_plots import plots_of

SHOWN_PREDICTIONS = 5
NOT_IN_PROVENANCE = ("settings", "dataset_sha256", "target", "columns", "seed", "test_size", "split", "split_sha256")


def show_experiment(page: Page, refused: ClientError | None = None) -> Response:
    """Show an experiment; after a refused command with its sentence, and the form as it was typed."""
    shown = page.ask("experiments", page.part("id"))
    name, model = shown["experiment"], shown["model"]["name"]
    tasks = [shown, *shown["evaluations"], *shown["reproductions"]]
    report = _report(page, shown)
    return page.show(
        "experiment.html",
        title=f"{model} on {shown['dataset']['name']}",
        cli=page.cli_line("show", name),
        python=page.python_line("show", name),
        status=refused.status if refused else 200,
        live=any(it["state"] in UNFINISHED for it in tasks),
        shown=shown,
        settings=settings_of(shown["settings"], _asked(page, "catalog", "models", model)),
        learned=learned_of(shown["learned"]),
        provenance=flatten(
            {key: it for key, it in (shown["provenance"] or {}).items() if key not in NOT_IN_PROVENANCE}
        ),
        receipt=_receipt(page, shown),
        search=_asked(page, "searches", shown["search"], limit=1) if shown["search"] else None,
        predictions=_predictions(page, shown),
        changed=changed_facts(shown, page.ask_now("experiments", name)) if page.as_of else [],
        report=report,
        plots=list(plots_of(report)) if report else [],
        confusion=confusion_of(report),
        wrong=wrong_rows(report, page.given("true"), page.given("predicted")),
        offered=_offered(page, shown),
        refused=refused,
        action=page.field("action"),
    )


def download_model(page: Page) -> Response:
    """Answer with the fitted model, whose digest is held against the recorded one."""
    shown, form = page.ask("experiments", page.part("id")), page.given("format") or "skops"
    name, recorded = shown["experiment"], ((shown["blobs"] or {}).get("model") or {}).get("sha256")

    def write(path: Path) -> None:
        page.client.download("experiments", name, "model", to=path, as_of=page.as_of, format=form)
        with path.open("rb") as content:
            if form == "skops" and recorded != hashlib.file_digest(content, "sha256").hexdigest():
                raise UnprovenAnswerError("The file that came is not the recorded model.")

    return answer_by_file(f"{name}.{'onnx' if form == 'onnx' else 'skops'}", write)


def download_report(page: Page) -> Response:
    """Answer with every number of a report, as JSON."""
    report = page.ask("experiments", page.part("id"), "report", evaluation=page.given("evaluation"))
    return answer_by_file(f"{report['evaluation']}.json", partial(_write, as_json(report, 2)))


def _write(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _asked(page: Page, *path: str, **query: Any) -> Facts | None:
    """Return an answer, or None where there is none (any more), or the caller may not see it."""
    try:
        answer: Facts = page.ask(*path, **query)
    except ProblemError:
        return None
    return answer


def _report(page: Page, shown: Facts) -> Facts | None:
    """Return the report that the page was asked for, or else the newest, if there is one."""
    asked = page.given("evaluation")
    if shown["report"] is None and asked is None:
        return None
    report: Facts = page.ask("experiments", shown["experiment"], "report", evaluation=asked)
    return report


def _receipt(page: Page, shown: Facts) -> str | None:
    """Return what `verify` holds a commit against."""
    committed = [it["position"] for it in shown["events"] if it["name"] == "experiment-committed"]
    found = page.client.get("positions", as_of=f"@{committed[0]}").body if committed else None
    return f"{found['position']}:{found['head']}" if found else None


def _predictions(page: Page, shown: Facts) -> list[Facts]:
    if shown["state"] != "completed":
        return []
    found: list[Facts] = page.ask("predictions", experiment=shown["experiment"], limit=SHOWN_PREDICTIONS)["predictions"]
    return found


def _offered(page: Page, shown: Facts) -> Facts:
    """Return what an evaluation can be asked for: measures, data sets, columns. Nothing in the past."""
    if page.as_of or shown["state"] != "completed" or shown["standing"] == "discarded":
        return {}
    catalog = page.ask_now("catalog")
    task = (shown["provenance"] or {}).get("learning_task") or "classification"
    own: Facts = next((it for it in catalog["datasets"] if it["name"] == shown["dataset"]["name"]), {})
    return {
        "measures": [it for it in catalog["measures"] if task in it["tasks"]],
        "datasets": sorted(it["name"] for it in catalog["datasets"]),
        "columns": [it for it in own.get("columns") or () if it != shown["target"]],
        "classes": shown["learned"].get("classes") or [],
    }
