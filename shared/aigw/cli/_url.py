"""`cf-aigw url`: the URL that other clients are pointed at."""

from typing import Annotated

import typer

from aigw.cli._command import add_command
from aigw.cli._session import Session


def url(
    session: Session,
    provider: Annotated[str | None, typer.Argument(help="A provider's slug, such as openai.")] = None,
) -> None:
    """Print the gateway's URL, or a provider's behind it. Nothing is sent, and no token is needed."""
    gateway = session.client_without_token().gateway()
    found = gateway.get_url(provider)
    if session.output.as_json:
        session.output.json({"url": found, "gateway_id": gateway.gateway_id, "provider": provider})
    else:
        session.output.write(f"{found}\n")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, "url")(url)
