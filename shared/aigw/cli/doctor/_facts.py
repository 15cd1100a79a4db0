"""What the doctor knows and what it finds, as plain values: a setup, the outcomes of probes, findings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from aigw.cli._exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

Failure = Literal["dns", "refused", "timeout", "tls", "proxy", "other"]
"""Why no answer arrived."""

Status = Literal["ok", "warn", "fail", "skip"]


@dataclass(frozen=True, slots=True)
class Setup:
    """What is configured, right or wrong.

    Attributes:
        account_id: The account; empty for none.
        gateway_id: The gateway.
        base_url: One origin in place of Cloudflare's; empty for those.
        api_token: The token; empty for none.
        provider_key: The user's own provider key; empty for none.
        provider_key_variable: The environment variable it came from.
        model: The model of the live probe; empty for no such probe.
        environment: The process's environment.
    """

    account_id: str = ""
    gateway_id: str = "default"
    base_url: str = ""
    api_token: str = field(default="", repr=False)
    provider_key: str = field(default="", repr=False)
    provider_key_variable: str = ""
    model: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one probe.

    Attributes:
        url: The origin that was asked.
        status: The HTTP status; `None` when no answer arrived.
        code: Cloudflare's or the provider's code.
        text: The message, or how the connection failed.
        failure: Why no answer arrived.
        is_envelope: Whether the answer is JSON of a shape Cloudflare has.
        server_time: The answer's `Date`.
        local_time: When the answer came, by this machine's clock.
    """

    url: str = ""
    status: int | None = None
    code: int | str | None = None
    text: str = ""
    failure: Failure | None = None
    is_envelope: bool = True
    server_time: datetime | None = None
    local_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the checks look at; a probe that was not made is `None`.

    Attributes:
        setup: What is configured.
        rest: A chat request without a model to the REST host, which no model answers.
        gateway: The same to the gateway host.
        logs: The first log of the gateway.
        live: A chat with the model of the setup.
    """

    setup: Setup
    rest: Outcome | None = None
    gateway: Outcome | None = None
    logs: Outcome | None = None
    live: Outcome | None = None

    @property
    def outcomes(self) -> list[Outcome]:
        """The probes that were made."""
        return [each for each in (self.rest, self.gateway, self.logs, self.live) if each is not None]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says.

    Attributes:
        status: How it stands.
        result: What was found.
        cause: The misconfiguration's own name; empty when there is none.
        fix: What to do.
        exit_code: The class of the misconfiguration.
    """

    status: Status
    result: str
    cause: str = ""
    fix: str = ""
    exit_code: ExitCode = ExitCode.OK


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the doctor's table.

    Attributes:
        name: Its key in JSON.
        title: Its heading.
        look: Reads the facts; `None` when they cannot tell.
    """

    name: str
    title: str
    look: Callable[[Facts], Finding | None]


def ok(result: str) -> Finding:
    """Say that all is well."""
    return Finding("ok", result)


def warn(cause: str, result: str, fix: str) -> Finding:
    """Say that something limits, and nothing fails."""
    return Finding("warn", result, cause, fix)


def fail(cause: str, exit_code: ExitCode, result: str, fix: str) -> Finding:
    """Say that something cannot work."""
    return Finding("fail", result, cause, fix, exit_code)


SKIPPED: Final = Finding("skip", "not looked at")
