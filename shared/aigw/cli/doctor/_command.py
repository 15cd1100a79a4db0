"""The command itself: read the setup, probe, diagnose, show."""

import os
from collections.abc import Mapping
from typing import Annotated

import typer

from aigw.cli._command import add_command
from aigw.cli._session import Session
from aigw.cli.doctor._facts import Setup
from aigw.cli.doctor._probes import probe
from aigw.cli.doctor._report import diagnose, diagnosis_table, summary


def doctor(
    session: Session,
    model: Annotated[
        str | None, typer.Option("--model", metavar="MODEL", help="Ask this model too. That costs a call.")
    ] = None,
    provider_key_env: Annotated[
        str | None,
        typer.Option("--provider-key-env", metavar="VAR", help="The variable that holds your own provider key."),
    ] = None,
) -> None:
    """Find what is wrong with the configuration, and say what to do.

    It sends two chat requests without a model, which the gateway refuses and may log, and reads one log.
    """
    setup = read_setup(session, os.environ, model, provider_key_env)
    output = session.output.hiding(setup.provider_key)
    diagnosis = diagnose(probe(setup))
    if output.as_json:
        output.json(diagnosis.to_dict())
    else:
        output.show(diagnosis_table(diagnosis, output))
        output.write(f"\n{summary(diagnosis)}\n")
    raise typer.Exit(diagnosis.exit_code)


def read_setup(
    session: Session, environment: Mapping[str, str], model: str | None = None, key_variable: str | None = None
) -> Setup:
    """Give what is configured, unchecked."""
    target = session.target
    return Setup(
        account_id=target.account_id or environment.get("CLOUDFLARE_ACCOUNT_ID", ""),
        gateway_id=target.gateway or environment.get("CLOUDFLARE_AI_GATEWAY_ID") or "default",
        base_url=(target.base_url or environment.get("AIGW_BASE_URL", "")).rstrip("/"),
        api_token=session.token,
        provider_key=environment.get(key_variable, "") if key_variable else "",
        provider_key_variable=key_variable or "",
        model=model or "",
        environment=environment,
    )


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    add_command(app, "doctor")(doctor)
