"""Checks of what the hosts said: token permissions, the gateway, its logs, a model.

Source: AI Gateway docs, Authentication, REST API, Troubleshooting, Logging; codes seen in public reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.cli._exit_codes import ExitCode
from aigw.cli.doctor._facts import Check, Finding, fail, ok, warn

if TYPE_CHECKING:
    from aigw.cli.doctor._facts import Facts, Outcome

_REST_DENIALS: Final = frozenset({9106, 10000})
_LOGS_PAGE: Final = "https://developers.cloudflare.com/ai-gateway/observability/logging/"


def _models_token(facts: Facts) -> Finding | None:
    if not _spoke(facts.rest):
        return None
    if not _denied(facts.rest):
        return ok("may run models")
    if _denied(facts.gateway) and not _accepted(facts.logs):
        fix = "Create a new token for this very account, with Workers AI Read and AI Gateway Read, Edit and Run."
        result = f"refused on both hosts ({_code(facts.rest)} and {_code(facts.gateway)}): wrong, expired, or another's"
        return fail("token_refused", ExitCode.AUTHENTICATION, result, fix)
    fix = "Add the permission Workers AI Read to the token (Account > Workers AI > Read)."
    result = f"the REST host refuses the token ({_code(facts.rest)}), others do not"
    return fail("token_cannot_run_models", ExitCode.AUTHENTICATION, result, fix)


def _gateway_token(facts: Facts) -> Finding | None:
    if not _spoke(facts.gateway) or (_denied(facts.gateway) and _denied(facts.rest)):
        return None
    if not _denied(facts.gateway):
        return ok("may use the gateway host")
    fix = "Add the permission AI Gateway Run to the token; it goes into cf-aig-authorization."
    result = f"the gateway host refuses the token ({_code(facts.gateway)}), the REST host does not"
    return fail("token_cannot_open_gateway", ExitCode.AUTHENTICATION, result, fix)


def _gateway(facts: Facts) -> Finding | None:
    name = repr(facts.setup.gateway_id)
    if any(each.code == 2001 for each in facts.outcomes) or (facts.logs and facts.logs.code == 7002):
        fix = "Create it in the dashboard, or set CLOUDFLARE_AI_GATEWAY_ID or --gateway to one that exists."
        return fail("gateway_unknown", ExitCode.NOT_FOUND, f"no gateway {name} in this account", fix)
    return ok(f"{name} exists") if _accepted(facts.gateway) or _accepted(facts.logs) else None


def _logs(facts: Facts) -> Finding | None:
    logs = facts.logs
    if not _spoke(logs) or logs is None or logs.code in (2001, 7002):
        return None
    if logs.status == 200:
        return ok("can be read")
    if _denied(facts.rest):
        return None
    if logs.status == 404:
        fix = f"Read logs in Workers Observability; feedback and logs by API need Legacy Logs. See {_LOGS_PAGE}"
        return warn("logs_api_absent", f"this account has no logs API ({_code(logs)}); models work", fix)
    if _denied(logs):
        fix = "Add the permissions AI Gateway Read (logs) and AI Gateway Edit (feedback) to the token."
        result = f"the token may run models and not read logs ({_code(logs)})"
        return fail("logs_not_permitted", ExitCode.AUTHENTICATION, result, fix)
    return warn("logs_failed", f"{logs.text} ({_code(logs)})", "Try again later.")


def _live(facts: Facts) -> Finding | None:
    live = facts.live
    if live is None:
        return Finding("skip", "not made (--model)") if not facts.setup.model else None
    if live.failure:
        return fail("live_call_broken", ExitCode.CONNECTION, live.text, "Try again; see the rows above.")
    if _accepted(live) and live.status == 200:
        return ok(f"{facts.setup.model} answers")
    if live.status == 401:
        return _refused_key(facts, live)
    cause, exit_code, fix = _LIVE.get(live.code) or _LIVE_BY_STATUS.get(live.status) or _LIVE_OTHER
    return fail(cause, exit_code, f"{live.text} ({_code(live)})", fix)


def _refused_key(facts: Facts, live: Outcome) -> Finding | None:
    variable = facts.setup.provider_key_variable
    if variable and live.code not in (2009, *_REST_DENIALS):
        fix = f"Correct {variable}, or send no key: then the one stored at the gateway is used."
        return fail("provider_key_refused", ExitCode.AUTHENTICATION, f"the provider refuses {variable}'s key", fix)
    if live.code in _REST_DENIALS or (variable and live.code == 2009):
        return None
    fix = "Replace the provider key stored at the gateway; if you send one of your own, correct or drop that."
    return fail("stored_key_refused", ExitCode.AUTHENTICATION, f"the provider refuses the key ({_code(live)})", fix)


_LIVE_OTHER: Final = ("live_call_failed", ExitCode.REFUSED, "Look into the call's log: cf-aigw logs list.")
_SPENT: Final = ("spend_limit", ExitCode.REFUSED, "Raise the gateway's spend limit, or wait for its next window.")
_SLOWER: Final = ("rate_limited", ExitCode.REFUSED, "Wait, or raise the gateway's rate limit.")
_BLOCKED: Final = (
    "guardrail_blocked",
    ExitCode.REFUSED,
    "Look at the gateway's guardrails: even 'Say ok.' is blocked.",
)
_NO_MODEL: Final = (
    "model_unknown",
    ExitCode.NOT_FOUND,
    "Check the id: author/model with dots (anthropic/claude-sonnet-4.5), @cf/author/model, or dynamic/route.",
)
_NO_CREDITS: Final = (
    "no_credits",
    ExitCode.REFUSED,
    "Add credits to the account, or store a provider key at the gateway.",
)
_LIVE: Final[dict[int | str | None, tuple[str, ExitCode, str]]] = {
    2003: _SLOWER,
    2005: ("provider_failed", ExitCode.REFUSED, "The provider's own answer is in the log: cf-aigw logs list."),
    2008: ("provider_unknown", ExitCode.NOT_FOUND, "Name the provider by its slug, such as google-ai-studio/..."),
    2016: _BLOCKED,
    2017: _BLOCKED,
    2018: _SLOWER,
    2021: _NO_CREDITS,
    2040: ("alias_unknown", ExitCode.NOT_FOUND, "Store a key under that alias, or name one that is there."),
    2041: _SPENT,
    2044: ("own_key_demanded", ExitCode.USAGE, "The gateway wants a provider key: store one, or send one."),
    2045: _SPENT,
    5007: _NO_MODEL,
    7003: _NO_MODEL,
}
_LIVE_BY_STATUS: Final[dict[int | None, tuple[str, ExitCode, str]]] = {
    402: _NO_CREDITS,
    404: _NO_MODEL,
    429: _SLOWER,
}


def _spoke(outcome: Outcome | None) -> bool:
    """Tell whether a gateway answered."""
    return outcome is not None and outcome.failure is None and outcome.is_envelope


def _denied(outcome: Outcome | None) -> bool:
    if outcome is None or not _spoke(outcome):
        return False
    return outcome.status in (401, 403) or (outcome.code in _REST_DENIALS and outcome.status != 404)


def _accepted(outcome: Outcome | None) -> bool:
    return _spoke(outcome) and not _denied(outcome)


def _code(outcome: Outcome | None) -> str:
    if outcome is None:
        return "-"
    return f"HTTP {outcome.status}" + (f", code {outcome.code}" if outcome.code is not None else "")


ANSWER_CHECKS: Final = (
    Check("token_models", "Token: models", _models_token),
    Check("token_gateway", "Token: gateway", _gateway_token),
    Check("gateway", "Gateway", _gateway),
    Check("logs", "Logs", _logs),
    Check("live", "Live call", _live),
)
"""What the answers mean."""
