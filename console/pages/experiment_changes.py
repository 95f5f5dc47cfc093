"""What can be done with an experiment: evaluate, reproduce, annotate, withdraw, restore, cancel its tasks."""

from __future__ import annotations

from collections.abc import Callable

from starlette.responses import Response

from autolearn.errors import ClientError, InvalidInputError
from autolearn.requests import evaluation_request
from autolearn.tasks import call_task
from console.page import Page
from console.pages.experiment import show_experiment


def change_experiment(page: Page) -> Response:
    """Do what the form asks for; what is refused shows in the form."""
    name = page.part("id")
    try:
        do = ACTIONS.get(page.field("action") or "")
        if do is None:
            raise InvalidInputError(f"A form of this page sends an action: one of {', '.join(ACTIONS)}.")
        do(page, name)
    except ClientError as refused:
        return show_experiment(page, refused)
    return page.go(f"/experiments/{name}")


def _evaluate(page: Page, name: str) -> None:
    how = {it: page.field(it) for it in ("average", "on", "positive", "by")}
    body = evaluation_request(
        name,
        [str(it) for it in page.form.getlist("measure")],
        cv=number_or_text(page.field("cv")),
        repeats=_whole_number(page, "repeats"),
        threshold=number_or_text(page.field("threshold")),
        importance=page.field("importance") is not None,
        **how,
    )
    page.client.post("evaluations", body=body, background=True)


def _reproduce(page: Page, name: str) -> None:
    page.client.post("experiments", name, "reproductions", body={}, background=True)


def _annotate(page: Page, name: str) -> None:
    body = {"text": page.field("text") or "", "reason": page.field("reason") or "remark"}
    page.send("experiments", name, "annotations", body=body)


def _withdraw(page: Page, name: str) -> None:
    page.send("experiments", name, "withdrawal", body={"reason": page.field("reason") or ""})


def _restore(page: Page, name: str) -> None:
    page.send("experiments", name, "restoration", body={"reason": page.field("reason") or ""})


def _cancel(page: Page, name: str) -> None:
    call_task(page.field("task") or name, page.client.delete)


ACTIONS: dict[str, Callable[[Page, str], None]] = {
    "evaluate": _evaluate,
    "reproduce": _reproduce,
    "annotate": _annotate,
    "withdraw": _withdraw,
    "restore": _restore,
    "cancel": _cancel,
}


def number_or_text(value: str | None) -> int | float | str | None:
    """Return what a field holds that takes both, as the backend wants it: `5`, `0.3`, `loo`."""
    for kind in (int, float):
        try:
            return kind(value or "")
        except ValueError:
            continue
    return value


def _whole_number(page: Page, name: str) -> int | None:
    value = number_or_text(page.field(name))
    if value is None or isinstance(value, int):
        return value
    raise InvalidInputError(f"{name} = {value!r}: write a whole number, such as 3.")
