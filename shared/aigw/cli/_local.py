"""`cf-aigw local`: `python -m aigw.local` under another name; the options are read there, and so stay the same."""

import typer

from aigw.cli._command import EPILOG
from aigw.cli._session import Target


def local(ctx: typer.Context) -> None:
    """Start the gateway on your own machine; --help shows its options."""
    from aigw.local.__main__ import run  # noqa: PLC0415  a command of its own

    outer = ctx.find_object(Target) or Target()
    raise typer.Exit(run([*ctx.args, *(["--json"] if outer.as_json else [])], "cf-aigw local"))


def add_to(app: typer.Typer) -> None:
    """Add the command; it has no `--help` of its own."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("local", epilog=EPILOG, add_help_option=False, context_settings=settings)(local)
