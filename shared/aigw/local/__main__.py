"""`python -m aigw.local`: the local gateway from a shell, until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Final

from aigw._json import parse_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.local._local_gateway import LocalGateway

_PROG: Final = "python -m aigw.local"
_READY: Final = (
    "aigw local gateway on {url} (Ctrl-C ends it). For a client: "
    "export AIGW_BASE_URL={url} CLOUDFLARE_ACCOUNT_ID=local CLOUDFLARE_API_TOKEN={token}"
)


def run(arguments: Sequence[str] | None = None, prog: str = _PROG) -> int:
    """Do what `main` does, ended by SIGINT and SIGTERM also where a shell's background job has the first ignored."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    return main(arguments, prog)


def main(arguments: Sequence[str] | None = None, prog: str = _PROG) -> int:
    """Run the local gateway until it is interrupted.

    Args:
        arguments: The command line; the process's own when left out.
        prog: What the command is called in its help.

    Returns:
        The exit code: 0 after Ctrl-C, 1 if the gateway could not start, 2 if what it was told is wrong.
    """
    asked = _parser(prog).parse_args(arguments)
    try:
        with _gateway(asked) as gateway:
            sys.stdout.write(_ready(gateway.base_url, asked) + "\n")
            sys.stdout.flush()
            Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("" if asked.json else "\n")
    except ModuleNotFoundError as error:
        return _fail(str(error), prog)
    except OSError as error:
        what = f"cannot use {error.filename}" if error.filename else f"cannot listen on {asked.host} port {asked.port}"
        return _fail(f"{what}: {error.strerror or error}", prog)
    except ValueError as error:
        return _fail(str(error), prog, 2)
    return 0


def _ready(url: str, asked: argparse.Namespace) -> str:
    if asked.json:
        return json.dumps({"base_url": url, "needs_token": bool(asked.token)})
    return _READY.format(url=url, token="one-of-your-tokens" if asked.token else "any")


def _fail(message: str, prog: str, code: int = 1) -> int:
    sys.stderr.write(f"{prog.removeprefix('python -m ')}: {' '.join(message.split())}\n")
    return code


def _gateway(asked: argparse.Namespace) -> LocalGateway:
    from aigw.local._local_gateway import LocalGateway  # noqa: PLC0415 - a missing extra is reported by `main`
    from aigw.local._upstreams._options import read_upstreams  # noqa: PLC0415 - as above

    upstream, upstreams = read_upstreams(asked.upstream, asked.upstream_key_env)
    return LocalGateway(
        data=asked.data,
        tokens=asked.token,
        settings={"cache_ttl": asked.cache_ttl},
        models=asked.model,
        upstream=upstream,
        upstreams=upstreams,
        routes=_routes(asked.routes),
        retain=asked.retain,
        keep_requests=0,
        host=asked.host,
        port=asked.port,
    )


def _routes(path: str | None) -> dict[str, Any] | None:
    if path is None:
        return None
    try:
        routes = parse_json(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(f"--routes: {path} cannot be read as JSON: {error}") from error
    if not isinstance(routes, dict):
        raise ValueError(f"--routes: {path} must hold an object of routes by name")  # noqa: TRY004 -- a wrong file
    return routes


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=prog, description="Cloudflare AI Gateway on your machine.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    add("--port", type=int, default=8787, help="the port; 0 takes a free one (%(default)s)")
    add("--data", metavar="DIR", help="the folder that keeps the logs; in memory without it")
    add("--retain", metavar="N|AGE", help="how much of the log is kept: a number of logs, or an age such as 7d (all)")
    add("--routes", metavar="FILE", help="a JSON file with dynamic routes by name")
    add("--token", metavar="T", action="append", default=[], help="a token that is good; repeat for more (any is good)")
    add("--cache-ttl", metavar="N", type=int, help="seconds an answer is cached (off)")
    add(
        "--upstream",
        metavar="NAME=URL",
        action="append",
        default=[],
        help="forward to a server with an OpenAI API, or a provider's calls to it (SLUG or SLUG=URL); repeat for more "
        "providers (the offline model answers)",
    )
    add(
        "--upstream-key-env",
        metavar="VAR",
        action="append",
        default=[],
        help="the environment variable that holds the upstreams' key; NAME=VAR for one of them",
    )
    add("--model", metavar="PATTERN", action="append", default=[], help="a model that exists, such as 'openai/*' (all)")
    add("--json", action="store_true", help="say where it is as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(run())
