"""How a command is added: the options that all have, and errors as one sentence and an exit code.

A command is a function of a `Session` and its own options. What it gets here stands once: `--account-id`, `--gateway`,
`--base-url`, `--token-stdin` and `--json`, before the command's name or after it.
"""

import functools
import inspect
import os
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, TypeVar

import typer
from typer.core import TyperGroup

from aigw._error_bodies import hide
from aigw._errors import AIGatewayError
from aigw.cli._exit_codes import MEANINGS, ExitCode, exit_code_of
from aigw.cli._output import printable
from aigw.cli._session import Session, Target

Body = TypeVar("Body", bound=Callable[..., None])

_PANEL: Final = "Connection and output"
AccountId = Annotated[
    str | None,
    typer.Option("--account-id", metavar="ID", help="Else CLOUDFLARE_ACCOUNT_ID.", rich_help_panel=_PANEL),
]
GatewayId = Annotated[
    str | None,
    typer.Option(
        "--gateway", metavar="ID", help="Else CLOUDFLARE_AI_GATEWAY_ID, else default.", rich_help_panel=_PANEL
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url", metavar="URL", help="A local gateway's origin; else AIGW_BASE_URL.", rich_help_panel=_PANEL
    ),
]
TokenStdin = Annotated[
    bool,
    typer.Option(
        "--token-stdin", help="Token from stdin's first line; else CLOUDFLARE_API_TOKEN.", rich_help_panel=_PANEL
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.", rich_help_panel=_PANEL)]

SHARED: Final[dict[str, Any]] = {
    "account_id": AccountId,
    "gateway": GatewayId,
    "base_url": BaseUrl,
    "token_stdin": TokenStdin,
    "as_json": AsJson,
}
"""The options of every command, by the fields of `Target`."""

_DEFAULTS: Final = {name: getattr(Target(), name) for name in SHARED}

EPILOG: Final = "Exit codes: " + "; ".join(f"{code.value} {text}" for code, text in MEANINGS.items()) + "."

_ClickException: Final[Any] = typer.BadParameter.__mro__[2]
"""Whichever of click and typer's own copy of it raises usage errors."""


class SentenceGroup(TyperGroup):
    """A group whose usage errors are one sentence, and whose exit codes are the documented ones."""

    def main(self, *args: Any, **more: Any) -> Any:
        """Run a command and exit."""
        more["standalone_mode"] = False
        try:
            code = super().main(*args, **more)
        except _ClickException as error:
            code = _say_usage(error)
        except typer.Abort:
            code = ExitCode.INTERRUPTED
        except SystemExit as ended:
            if ended.code != 1:  # argparse's, of `local`
                raise
            code = _leave_the_pipe()  # rich and typer end so when they print help and a pipe's reader has gone
        except OSError as error:
            code = _fail(error.strerror or str(error), ExitCode.REFUSED)
        sys.exit(code if isinstance(code, int) else ExitCode.OK)


def add_command(app: typer.Typer, name: str, **settings: Any) -> Callable[[Body], Body]:
    """Add a function of a `Session` and options as a command; the function itself stays as it is."""

    def add(body: Body) -> Body:
        @functools.wraps(body)
        def run(ctx: typer.Context, **given: Any) -> None:
            target = Target(**{option: given.pop(option) for option in SHARED})
            outer = ctx.find_object(Target) or Target()
            raise typer.Exit(perform(body, target.over(outer), given))

        _declare(run, body)
        app.command(name, epilog=EPILOG, **settings)(run)
        return body

    return add


def perform(body: Callable[..., None], target: Target, given: Mapping[str, Any]) -> int:
    """Do what a command does; give its exit code, after one sentence on stderr when it failed."""
    session = None
    try:
        session = Session.begin(target)
        body(session, **given)
    except typer.Exit as ended:
        return ended.exit_code
    except AIGatewayError as error:
        log = f" [log {error.log_id}]" if error.log_id else ""
        return _fail(hide(error.message + log, (session.token if session else "",)), exit_code_of(error))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        return _leave_the_pipe()
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}", ExitCode.REFUSED)
    return ExitCode.OK


def _fail(sentence: str, code: ExitCode) -> ExitCode:
    _say(sentence)
    return code


def _say(sentence: str) -> None:
    sys.stderr.write(f"cf-aigw: {printable(' '.join(sentence.split()))}\n")
    sys.stderr.flush()


def _say_usage(error: Any) -> int:
    message = " ".join(error.format_message().split())
    if message:
        path = error.ctx.command_path if getattr(error, "ctx", None) else "cf-aigw"
        _say(f"{message.rstrip('.')} (see `{path} --help`)")
    return ExitCode.USAGE


def _leave_the_pipe() -> ExitCode:
    """The reader has gone, as `head` does; Python must not complain of it on the way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ExitCode.OK


def _declare(run: Any, body: Callable[..., None]) -> None:
    """Give `run` the signature typer reads: the body's without its session, and the options all have."""
    own = list(inspect.signature(body).parameters.values())[1:]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(parameter.replace(kind=keyword) for parameter in own),
        *(inspect.Parameter(name, keyword, annotation=SHARED[name], default=_DEFAULTS[name]) for name in SHARED),
    ]
    run.__signature__ = inspect.Signature(parameters)
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
