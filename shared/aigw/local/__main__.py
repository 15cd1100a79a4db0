"""`python -m aigw.local`: the local gateway from a shell, until Ctrl-C."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aigw.local._local_gateway import LocalGateway
    from aigw.local._upstream import Upstream

_READY: Final = (
    "aigw local gateway on {url} (Ctrl-C ends it). For a client: "
    "export AIGW_BASE_URL={url} CLOUDFLARE_ACCOUNT_ID=local CLOUDFLARE_API_TOKEN={token}"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the local gateway until it is interrupted.

    Args:
        arguments: The command line; the process's own when left out.

    Returns:
        The exit code: 0 after Ctrl-C, 1 if the gateway could not start.
    """
    asked = _parser().parse_args(arguments)
    try:
        with _gateway(asked) as gateway:
            token = "one-of-your-tokens" if asked.token else "any"
            sys.stdout.write(_READY.format(url=gateway.base_url, token=token) + "\n")
            sys.stdout.flush()
            Event().wait()
    except KeyboardInterrupt:
        sys.stdout.write("\n")
    except ModuleNotFoundError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"cannot listen on {asked.host} port {asked.port}: {error.strerror or error}")
    except ValueError as error:
        return _fail(str(error))
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"aigw.local: {message}\n")
    return 1


def _gateway(asked: argparse.Namespace) -> LocalGateway:
    from aigw.local._local_gateway import LocalGateway  # noqa: PLC0415 - a missing extra is reported by `main`

    return LocalGateway(
        data=asked.data,
        tokens=asked.token,
        settings={"cache_ttl": asked.cache_ttl},
        models=asked.model,
        upstream=_upstream(asked),
        host=asked.host,
        port=asked.port,
    )


def _upstream(asked: argparse.Namespace) -> Upstream | None:
    if asked.upstream is None:
        return None
    from aigw.local._forward import ForwardUpstream  # noqa: PLC0415 - as above

    name, equals, url = asked.upstream.partition("=")
    if not (name and equals and url.startswith(("http://", "https://"))):
        raise ValueError(
            f"--upstream: expected NAME=URL, such as ollama=http://localhost:11434/v1; got {asked.upstream!r}"
        )
    return ForwardUpstream(name, url, _key(asked.upstream_key_env))


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    if not os.environ.get(variable):
        raise ValueError(f"--upstream-key-env: the environment variable {variable} is not set")
    return os.environ[variable]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m aigw.local", description="Cloudflare AI Gateway on your machine.")
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="the address to listen on (%(default)s)")
    add("--port", type=int, default=8787, help="the port; 0 takes a free one (%(default)s)")
    add("--data", metavar="DIR", help="the folder that keeps the logs; in memory without it")
    add("--token", metavar="T", action="append", default=[], help="a token that is good; repeat for more (any is good)")
    add("--cache-ttl", metavar="N", type=int, help="seconds an answer is cached (off)")
    add("--upstream", metavar="NAME=URL", help="forward to a server with an OpenAI API (the offline model answers)")
    add("--upstream-key-env", metavar="VAR", help="the environment variable that holds the upstream's key")
    add("--model", metavar="PATTERN", action="append", default=[], help="a model that exists, such as 'openai/*' (all)")
    return parser


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job has the first ignored
        signal.signal(number, signal.default_int_handler)
    sys.exit(main())
