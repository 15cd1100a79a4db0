"""The command tree of `cf-aigw`, and the options that may stand before a command."""

from shutil import get_terminal_size
from typing import Annotated, Final

import typer

from aigw._version import __version__
from aigw.cli import _ask, _cost, _export, _feedback, _local, _logs, _score, _url, doctor
from aigw.cli._command import EPILOG, AccountId, AsJson, BaseUrl, GatewayId, SentenceGroup, TokenStdin
from aigw.cli._session import Target

_LEAST_FOR_BOXES: Final = 64
"""The terminal's width below which help is plain text: in boxes, the names of options would be cut."""

app = typer.Typer(
    name="cf-aigw",
    cls=SentenceGroup,
    help="Cloudflare AI Gateway from a shell: models, logs, feedback, costs, and the gateway on your own machine.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if get_terminal_size().columns >= _LEAST_FOR_BOXES else None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:  # noqa: FBT001  typer calls it so
    if asked:
        typer.echo(f"cf-aigw {__version__}")
        raise typer.Exit


@app.callback()
def _before(
    ctx: typer.Context,
    *,
    account_id: AccountId = None,
    gateway: GatewayId = None,
    base_url: BaseUrl = None,
    token_stdin: TokenStdin = False,
    as_json: AsJson = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    ctx.obj = Target(account_id, gateway, base_url, token_stdin=token_stdin, as_json=as_json)


def _build() -> None:
    for module in (_local, doctor, _url, _ask):
        module.add_to(app)
    logs = typer.Typer(name="logs", cls=SentenceGroup, help="Read the gateway's logs.", no_args_is_help=True)
    for part in (_logs, _export):
        part.add_to(logs)
    app.add_typer(logs, epilog=EPILOG)
    for last in (_feedback, _score, _cost):
        last.add_to(app)


_build()
