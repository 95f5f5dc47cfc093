"""`autolearn completion`: the script that completes commands in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def completion(shell: str) -> None:
    """Print the script for SHELL: put `eval "$(autolearn completion bash)"` into ~/.bashrc (zsh: ~/.zshrc).

    For fish: autolearn completion fish > ~/.config/fish/completions/autolearn.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"click completes nothing in {shell}.")
    root = click.get_current_context().find_root().command
    made = kind(root, {}, "autolearn", "_autolearn_complete".upper())
    # The class's own `source` runs bash to ask for its version, and prints a warning where there is none.
    click.echo(made.source_template % made.source_vars())
