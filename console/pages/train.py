"""Train: a data set, its columns, a model with its settings; one training, or a search over several settings."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any, Final

from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError
from autolearn.requests import evaluation_request, search_request, training_request
from autolearn.setting_values import parse_value, value_text
from console.page import Page

FIELD = "setting."  # before the name of a setting, as the name of its field
PREPARATION = "prepare."
SPLITS: Final = ("random", "group:COLUMN", "time:COLUMN", "dataset:NAME")
LEARNING: Final = ("target", "split", "seed", "test_size")
STRATEGIES: Final = ("grid", "random", "halving", "tpe")


@dataclass(frozen=True, slots=True)
class SettingField:
    """A setting as a field of the form: `value` is what it has now, as a text; `choices` where there are only these."""

    name: str
    what: str
    value: str
    default: str
    choices: tuple[str, ...]
    hint: str


def show_train(page: Page, refused: ClientError | None = None) -> Response:
    page.path = "/train"
    chosen = _choice(page)
    datasets, models = page.ask_now("catalog", "datasets")["datasets"], page.ask_now("catalog", "models")["models"]
    entry = page.ask_now("catalog", "datasets", chosen["dataset"]) if chosen["dataset"] else None
    model = page.ask_now("catalog", "models", chosen["model"]) if chosen["model"] else None
    fields = [_field(page, name, it, chosen["settings"]) for name, it in model["settings"].items()] if model else []
    columns = _columns(page, entry, chosen) if entry else []
    left_out = [it["name"] for it in columns if not it["ticked"]]
    return page.show(
        "train.html",
        title="Train",
        cli=_cli_line(page, chosen, fields, left_out),
        python=_python_line(page, chosen, fields, left_out),
        status=refused.status if refused else 200,
        datasets=datasets,
        models=[it for it in models if entry is None or entry["task"] in it["tasks"]],
        entry=entry,
        model=model,
        chosen=chosen,
        columns=columns,
        left_out=left_out,
        settings=[it for it in fields if not it.name.startswith(PREPARATION)],
        preparation=[it for it in fields if it.name.startswith(PREPARATION)],
        splits=SPLITS,
        strategies=STRATEGIES,
        refused=refused,
    )


def request_training(page: Page) -> Response:
    """Train with what the form says; with `evaluate`, wait for the end and compute the default measures."""
    try:
        settings = {name: parse_value(text) for name, text in _changed_settings(page).items()}
        request = training_request(_required(page, "dataset"), _required(page, "model"), settings, **_learning(page))
        evaluates = page.field("evaluate") is not None
        body = page.client.post("trainings", body=request, background=not evaluates).body
        if evaluates and body["state"] == "completed":
            page.send("evaluations", body=evaluation_request(body["experiment"]))
    except ClientError as refused:
        return show_train(page, refused)
    return page.go(f"/experiments/{body['experiment']}")


def request_search(page: Page) -> Response:
    """Search over the settings that the form changes: each is a list or a range."""
    try:
        how = {"strategy": page.field("strategy"), "trials": _number(page, "trials"), "cv": _value(page, "cv")}
        request = search_request(
            _required(page, "dataset"), [_required(page, "model")], _space(page), **how, **_learning(page)
        )
        body = page.client.post("searches", body=request, background=True).body
    except ClientError as refused:
        return show_train(page, refused)
    return page.go(f"/searches/{body['search']}")


def _choice(page: Page) -> dict[str, Any]:
    """Return what the form begins with: as it was sent, as the URL says, or as an experiment was trained."""
    like = page.given("like") or page.field("like")
    shown = page.ask_now("experiments", like) if like else {}
    dataset = shown.get("dataset")
    as_sent = page.request.method == "POST"
    return {
        "like": like,
        "dataset": page.field("dataset") or page.given("dataset") or (dataset and "{name}@{version}".format(**dataset)),
        "model": page.field("model") or page.given("model") or (shown.get("model") or {}).get("name"),
        "settings": shown.get("settings") or {},
        "target": page.field("target") or page.given("target") or shown.get("target") or "",
        "only": shown.get("columns"),
        "split": page.field("split") if as_sent else (shown.get("split") or {}).get("request"),
        "seed": page.field("seed") if as_sent else shown.get("seed"),
        "test_size": page.field("test_size") if as_sent else shown.get("test_size"),
        "evaluate": page.field("evaluate") is not None if as_sent else True,
    }


def _columns(page: Page, entry: Mapping[str, Any], chosen: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the columns to learn from, each with its type, its suspects and whether it is ticked."""
    suspects: dict[str, list[str]] = {}
    for it in (entry["profile"] or {}).get("suspects", []):
        for name in it["columns"]:
            suspects.setdefault(name, []).append(f"{it['kind']}: {it['reason']}")
    names = [name for name in entry["columns"] if name != (chosen["target"] or entry["target"])]
    if page.request.method == "POST":
        ticked = {str(it) for it in page.form.getlist("only")}
    else:
        ticked = set(names if chosen["only"] is None else chosen["only"]) - set(page.all_given("drop"))
    return [
        {"name": it, "type": entry["columns"][it], "suspects": suspects.get(it, []), "ticked": it in ticked}
        for it in names
    ]


def _field(page: Page, name: str, setting: Mapping[str, Any], settings: Mapping[str, Any]) -> SettingField:
    default = value_text(setting["default"])
    known = value_text(settings[name]) if name in settings else default
    value = page.field(FIELD + name) if page.request.method == "POST" else known
    return SettingField(
        name, setting.get("what") or "", value or default, default, _choices_of(setting), _allowed(setting)
    )


def _choices_of(setting: Mapping[str, Any]) -> tuple[str, ...]:
    if setting["type"] == "boolean":
        return ("true", "false")
    return tuple(value_text(it) for it in setting["choices"]) if setting["type"] == "choice" else ()


def _allowed(setting: Mapping[str, Any]) -> str:
    """Say in a few words which values a setting takes."""
    if setting["type"] == "any-of":
        return " or ".join(filter(None, (_allowed(it) for it in setting["any_of"])))
    if setting["type"] in ("choice", "boolean"):
        return ", ".join(_choices_of(setting))
    words = {"minimum": "from", "exclusive_minimum": "above", "maximum": "to", "exclusive_maximum": "below"}
    limits = " ".join(f"{word} {setting[key]:g}" for key, word in words.items() if setting.get(key) is not None)
    return f"{setting['type']} {limits}".strip()


def _changed_settings(page: Page) -> dict[str, str]:
    """Return the settings whose fields differ from their defaults, as texts."""
    model = page.ask_now("catalog", "models", _required(page, "model"))
    typed = {name: page.field(FIELD + name) for name in model["settings"]}
    defaults = {name: value_text(it["default"]) for name, it in model["settings"].items()}
    return {name: text for name, text in typed.items() if text is not None and text != defaults[name]}


def _space(page: Page) -> dict[str, Any]:
    """Return the values to try of each changed setting: a list that is JSON, else the text, which the backend reads."""
    texts = _changed_settings(page)
    return {name: value if isinstance(value := parse_value(text), list) else text for name, text in texts.items()}


def _learning(page: Page) -> dict[str, Any]:
    entry = page.ask_now("catalog", "datasets", _required(page, "dataset"))
    target, ticked = page.field("target"), [str(it) for it in page.form.getlist("only")]
    if not ticked:
        raise InvalidInputError("Tick the columns to learn from, at least one.")
    every = set(ticked) == {name for name in entry["columns"] if name != (target or entry["target"])}
    return {
        "target": None if target == entry["target"] else target,
        "only": None if every else ticked,
        "split": page.field("split"),
        "seed": _number(page, "seed"),
        "test_size": _number(page, "test_size"),
    }


def _required(page: Page, name: str) -> str:
    value = page.field(name)
    if value is None:
        raise InvalidInputError(f"Choose a {'data set' if name == 'dataset' else name} first.")
    return value


def _value(page: Page, name: str) -> Any:
    text = page.field(name)
    return None if text is None else parse_value(text)


def _number(page: Page, name: str) -> Any:
    value = _value(page, name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise InvalidInputError(f"{name.replace('_', ' ').capitalize()}: {value!r} is not a number.")
    return value


def _cli_line(page: Page, chosen: Mapping[str, Any], fields: list[SettingField], left_out: Sequence[str]) -> str:
    if not (chosen["dataset"] and chosen["model"]):
        return "autolearn train DATASET MODEL"
    pairs = [word for it in fields if it.value != it.default for word in ("-p", f"{it.name}={it.value}")]
    names = StringIO()
    csv.writer(names, lineterminator="").writerow(left_out)
    options = {name: chosen[name] for name in LEARNING} | {"drop": names.getvalue()}
    return page.cli_line("train", chosen["dataset"], chosen["model"], *pairs, **options)


def _python_line(page: Page, chosen: Mapping[str, Any], fields: list[SettingField], left_out: Sequence[str]) -> str:
    if not (chosen["dataset"] and chosen["model"]):
        return "backend.train(DATASET, MODEL)"
    settings = {it.name: parse_value(it.value) for it in fields if it.value != it.default}
    numbers = {name: parse_value(str(chosen[name])) for name in ("seed", "test_size") if chosen[name]}
    options = {name: chosen[name] for name in LEARNING} | numbers | {"drop": list(left_out), "settings": settings}
    given = {name: value for name, value in options.items() if value}
    return page.python_line("train", chosen["dataset"], chosen["model"], **given)
