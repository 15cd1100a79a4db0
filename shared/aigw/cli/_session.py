"""One run of the command line: whom it calls, with which token, and where it prints.

The token comes from the environment, from the first line of stdin, or from a prompt; never from an argument, which
every process of the machine could read.
"""

import os
import sys
from dataclasses import dataclass, field, replace

import typer

from aigw._client import AIGateway
from aigw._errors import ConfigurationError
from aigw._gateway import Gateway
from aigw.cli._output import Output

TOKEN_VARIABLE = "CLOUDFLARE_API_TOKEN"  # noqa: S105  a name


@dataclass(frozen=True, slots=True)
class Target:
    """What the options that every command has said, each `None` where it was not given.

    Attributes:
        account_id: `--account-id`.
        gateway: `--gateway`.
        base_url: `--base-url`.
        token_stdin: Whether the token is the first line of stdin.
        as_json: Whether stdout is for a program.
    """

    account_id: str | None = None
    gateway: str | None = None
    base_url: str | None = None
    token_stdin: bool = False
    as_json: bool = False

    def over(self, outer: "Target") -> "Target":
        """Give this target completed by what stood before the command."""
        return replace(
            outer,
            account_id=self.account_id or outer.account_id,
            gateway=self.gateway or outer.gateway,
            base_url=self.base_url or outer.base_url,
            token_stdin=self.token_stdin or outer.token_stdin,
            as_json=self.as_json or outer.as_json,
        )


@dataclass(slots=True)
class Session:
    """What a command works with.

    Attributes:
        target: Whom it calls.
        output: Where it prints.
        token: The token, once it is known.
    """

    target: Target
    output: Output
    token: str = field(default="", repr=False)

    @classmethod
    def begin(cls, target: Target) -> "Session":
        """Start with the token of stdin or the environment, if there is one.

        Raises:
            ConfigurationError: `--token-stdin` was given and stdin is empty.
        """
        token = _first_line() if target.token_stdin else os.environ.get(TOKEN_VARIABLE, "")
        return cls(target, Output(as_json=target.as_json, secrets=(token,)), token)

    def client(self) -> AIGateway:
        """Give a client; a terminal is asked for the token where there is none.

        Raises:
            ConfigurationError: An option cannot be what it is.
        """
        if not self.token and sys.stdin.isatty():
            self.token = typer.prompt("Cloudflare API token", hide_input=True, err=True).strip()
            self.output = Output(as_json=self.target.as_json, secrets=(self.token,))
        return self.client_without_token()

    def client_without_token(self) -> AIGateway:
        """Give a client for what needs no token.

        Raises:
            ConfigurationError: An option cannot be what it is.
        """
        target = self.target
        return AIGateway(target.account_id, self.token or None, target.gateway, base_url=target.base_url)

    def gateway(self) -> Gateway:
        """Give the gateway.

        Raises:
            ConfigurationError: An option cannot be what it is.
        """
        return self.client().gateway()


def _first_line() -> str:
    token = sys.stdin.readline().strip()
    if not token:
        raise ConfigurationError("--token-stdin: the first line of stdin is empty")
    return token
