"""A group of commands that imports the file of a sub-command only when it is used: `autolearn --help` imports none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

Section = Mapping[str, tuple[str, str]]  # name of a command -> `file:attribute` in cli, its line of help


class ReaderLeft(Exception):  # noqa: N818 - no error: `head` has read enough
    """Who read the result has gone."""


class LazyGroup(click.Group):
    """A click group whose commands are named by strings, in titled sections."""

    def __init__(self, *arguments: Any, sections: Mapping[str, Section], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sections = sections
        self.lines = {name: line for section in sections.values() for name, line in section.items()}

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Read the arguments; help may be written here already."""
        with _while_read():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _while_read():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the sections."""
        del ctx
        return list(self.lines)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in self.lines:
            return None
        file, _, attribute = self.lines[cmd_name][0].partition(":")
        command = getattr(import_module(f"cli.{file}"), attribute)
        if not isinstance(command, click.Command):
            msg = f"cli.{file}:{attribute} is no command"
            raise TypeError(msg)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown name with the nearest ones."""
        if args and args[0] not in self.lines and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}.{nearest(args[0], list(self.lines))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the sections."""
        del ctx
        for title, section in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in section.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete names of commands without importing them, and options."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only for a shell that completes

        known = [(name, line) for name, (_, line) in self.lines.items() if name.startswith(incomplete)]
        names = [CompletionItem(name, help=line) for name, line in known]
        return names + click.Command.shell_complete(self, ctx, incomplete)


@contextmanager
def _while_read() -> Iterator[None]:
    """Raise ReaderLeft for a broken pipe, which click would make a failure."""
    try:
        yield
    except BrokenPipeError as broken:
        raise ReaderLeft from broken


def nearest(given: str, names: list[str]) -> str:
    """Return ` Nearest: …` with the names that look like the given one, or nothing."""
    from difflib import get_close_matches  # noqa: PLC0415 - only after a mistake

    close = get_close_matches(given, names)
    return f" Nearest: {', '.join(close)}." if close else ""
