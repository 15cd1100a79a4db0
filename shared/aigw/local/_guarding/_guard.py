"""Guardrails and DLP: what a gateway's settings say of a prompt or an answer, once the checks have read it.

Source: AI Gateway docs, Guardrails and Data Loss Prevention. Where those are silent: what a client sends is checked
before the cache is asked; answers from the cache are checked too; DLP's simple form checks requests and responses; an
answer that is streamed on `api.cloudflare.com` is not checked at all, because nothing would come of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from aigw._json import dump_ascii
from aigw.local._guarding._texts import answer_text, prompt_text
from aigw.local._refusal import RefusalError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from aigw.local._arrival import Arrival
    from aigw.local._guarding._checks import Check
    from aigw.local._log_entry import LogEntry
    from aigw.local._model_call import ModelCall
    from aigw.local._settings._gateway_settings import GatewaySettings
    from aigw.local._settings._switches import Switches
    from aigw.local._spending._budget import Budget

Side = Literal["REQUEST", "RESPONSE"]

_RULES_OF: Final[Mapping[Side, str]] = {"REQUEST": "prompt", "RESPONSE": "response"}
_BLOCKED: Final[Mapping[Side, tuple[int, str]]] = {
    "REQUEST": (2016, "Prompt blocked due to security configurations"),
    "RESPONSE": (2017, "Response blocked due to security configurations"),
}
_DLP_BLOCKED: Final[Mapping[Side, tuple[int, str]]] = {
    "REQUEST": (2029, "Request content blocked due to DLP policy violations"),
    "RESPONSE": (2030, "Response content blocked due to DLP policy violations"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """One DLP policy that is on."""

    id: str
    action: str
    sides: Collection[str]
    profiles: Collection[str]


@dataclass(frozen=True, slots=True)
class Guard:
    """What reads prompts and answers for a gateway that has guardrails or DLP.

    Attributes:
        guardrails: Gives the hazard categories of a text.
        dlp: Gives the DLP profiles that a text matches.
        budget: The credits that a scan needs.
        switches: The status of a DLP block, and whether the guardrails service is down.
    """

    guardrails: Check
    dlp: Check
    budget: Budget
    switches: Switches

    def check_prompt(self, arrival: Arrival, entry: LogEntry, call: ModelCall) -> None:
        """Let a prompt pass.

        Raises:
            RefusalError: 424/2016 (422/2017 on a run) or 2029 when it is blocked; 402/2021 or 503/7013 without a scan.
        """
        settings = arrival.entrance.settings
        if not (settings.guardrails or settings.dlp):
            return
        self._check_service(arrival)
        if _rules(settings, "REQUEST") or _policies(settings, "REQUEST"):
            self._check("REQUEST", arrival, entry, prompt_text(call.body))

    def check_answer(self, arrival: Arrival, entry: LogEntry, content: bytes) -> None:
        """Let a whole answer pass.

        Raises:
            RefusalError: 424/2017 (422 on a run) or 2030 when it is blocked.
        """
        if checks_answers(arrival.entrance.settings):
            self._check("RESPONSE", arrival, entry, answer_text(content))

    def _check_service(self, arrival: Arrival) -> None:
        rules = [action for side in _RULES_OF for action in _rules(arrival.entrance.settings, side).values()]
        if rules:
            self.budget.check_credits(arrival)
        if self.switches.guardrails_down and "BLOCK" in rules:
            raise RefusalError(503, 7013, "Guardrails service unavailable")

    def _check(self, side: Side, arrival: Arrival, entry: LogEntry, text: str) -> None:
        settings = arrival.entrance.settings
        self._check_dlp(side, settings, entry, text)
        rules = _rules(settings, side)
        if rules and any(rules.get(name) == "BLOCK" for name in self.guardrails(text)):
            code, message = _BLOCKED[side]
            raise RefusalError(422, 2017, message) if _is_run(arrival) else RefusalError(424, code, message)

    def _check_dlp(self, side: Side, settings: GatewaySettings, entry: LogEntry, text: str) -> None:
        policies = _policies(settings, side)
        found = set(self.dlp(text)) if policies else set()
        actions = set()
        for profile in sorted(found):
            matched = [policy for policy in policies if profile in policy.profiles]
            if matched:
                actions |= {policy.action for policy in matched}
                entry.findings.append(_finding(side, profile, matched))
        if actions:
            entry.dlp_action = "BLOCK" if "BLOCK" in actions else entry.dlp_action or "FLAG"
        if "BLOCK" in actions:
            raise RefusalError(self.switches.dlp_status, *_DLP_BLOCKED[side])


def checks_answers(settings: GatewaySettings) -> bool:
    """Tell whether a gateway has anything to say of answers."""
    if not (settings.guardrails or settings.dlp):
        return False
    return bool(_rules(settings, "RESPONSE") or _policies(settings, "RESPONSE"))


def unstreamed(arrival: Arrival, call: ModelCall) -> ModelCall:
    """Ask for one whole answer in place of a stream where the gateway host has to read it first.

    Source: AI Gateway docs, Guardrails, Usage considerations.
    """
    on_gateway = arrival.entrance.host == "gateway"
    if not (call.is_stream and on_gateway and checks_answers(arrival.entrance.settings)):
        return call
    body = {name: value for name, value in call.body.items() if name not in {"stream", "stream_options"}}
    return replace(call, body=body)


def dlp_header(entry: LogEntry) -> tuple[tuple[str, str], ...]:
    """Give the `cf-aig-dlp` field of an answer, if DLP found anything."""
    if not entry.findings:
        return ()
    return (("cf-aig-dlp", dump_ascii({"findings": entry.findings, "action": entry.dlp_action})),)


def _rules(settings: GatewaySettings, side: Side) -> Mapping[str, str]:
    rules: Mapping[str, str] = (settings.guardrails or {}).get(_RULES_OF[side]) or {}
    return rules


def _policies(settings: GatewaySettings, side: Side) -> list[Policy]:
    return [policy for policy in _read_policies(settings.dlp or {}) if side in policy.sides]


def _read_policies(dlp: Mapping[str, Any]) -> Iterator[Policy]:
    if dlp.get("enabled") is not True:
        return
    if "policies" not in dlp:
        yield Policy("default", dlp.get("action") or "FLAG", ("REQUEST", "RESPONSE"), dlp.get("profiles") or ())
    for index, policy in enumerate(dlp.get("policies") or ()):
        if policy.get("enabled") is not False:
            sides = policy.get("check") or ("REQUEST", "RESPONSE")
            yield Policy(policy.get("id") or str(index), policy["action"], sides, policy["profiles"])


def _finding(side: Side, profile: str, policies: list[Policy]) -> dict[str, Any]:
    about = {"context": {}, "entry_ids": [], "profile_id": profile}
    return {"profile": about, "policy_ids": [policy.id for policy in policies], "check": side}


def _is_run(arrival: Arrival) -> bool:
    return arrival.entrance.host == "rest" and arrival.surface.endpoint == "run"
