"""What a gateway lets through and pays for: rate limits, Unified Billing's limit and credits, spend limits.

A limit counts the calls that pass it; a refused one does not. Spend is added when an answer's cost is known, so that
the call which oversteps a limit is still answered, as documented. An update of the settings keeps the counts.
"""

from __future__ import annotations

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Final

from aigw.local._refusal import RefusalError
from aigw.local._spending._credentials import UNIFIED_PROVIDERS
from aigw.local._spending._policies import admit, read_policies
from aigw.local._spending._spend_rules import read_spend_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.local._arrival import Arrival
    from aigw.local._routing._model_names import ModelName
    from aigw.local._settings._switches import Switches
    from aigw.local._spending._credentials import Credential
    from aigw.local._spending._windows import Windows

UNIFIED_WINDOW: Final = 60
"""Seconds of Unified Billing's limit. Source: AI Gateway docs, Limits."""

_NO_CREDITS: Final = {
    "rest": "Insufficient balance; add money to your gateway or use BYOK",
    "gateway": "Insufficient wholesale credits. Add credits to the account, or bring your own provider key",
}


class Budget:
    """The limits of all gateways.

    Args:
        windows: What counts.
        switches: The credits, Unified Billing's limit, and the code of a spend limit.
    """

    def __init__(self, windows: Windows, switches: Switches) -> None:
        self._windows = windows
        self._switches = switches
        self._lock = Lock()
        self._credits = switches.credits
        self._policies = () if switches.policies_down else read_policies(switches.policies)

    def admit(self, arrival: Arrival) -> None:
        """Count a call against its gateway's rate limit.

        Raises:
            RefusalError: 429/2003.
        """
        settings = arrival.entrance.settings
        limit, interval = settings.rate_limiting_limit, settings.rate_limiting_interval
        if (
            limit
            and interval
            and not self._windows.take(("rate", *_gateway(arrival)), limit, interval, settings.rate_limiting_technique)
        ):
            raise RefusalError(429, 2003, "Rate limited")

    def check_credits(self, arrival: Arrival) -> None:
        """Let a call pass that needs credits for a scan by guardrails.

        Raises:
            RefusalError: 402/2021.
        """
        with self._lock:
            empty = self._credits is not None and self._credits <= 0
        if empty:
            raise _no_credits(arrival)

    def open_account(self, arrival: Arrival, model: ModelName, credential: Credential) -> list[Callable[[float], None]]:
        """Let a call to a model pass, and say whom to tell its cost.

        Raises:
            RefusalError: 403 or 429 by a policy, 429/2041 for a spend limit, 429/2018 for Unified Billing's limit,
                402/2021 without credits.
        """
        bills = admit(self._policies, arrival, model, self._windows)
        bills += self._check_spend(arrival, model)
        if credential.draws_credits:
            self._check_unified(arrival, model)
            bills.append(self._draw)
        return bills

    def _check_spend(self, arrival: Arrival, model: ModelName) -> list[Callable[[float], None]]:
        bills: list[Callable[[float], None]] = []
        for rule in read_spend_rules(arrival.entrance.settings.spend_limits):
            bucket = rule.bucket(model, arrival.options.metadata)
            if bucket is None:
                continue
            key = ("spend", *_gateway(arrival), *bucket)
            if self._windows.used(key, rule.window, rule.technique) >= rule.limit:
                raise RefusalError(429, self._switches.spend_limit_code, rule.refusal(model))
            bills.append(partial(self._windows.add, key, window=rule.window))
        return bills

    def _check_unified(self, arrival: Arrival, model: ModelName) -> None:
        if self._switches.credits is not None:
            self.check_credits(arrival)
            billable = arrival.entrance.host == "rest" or model.provider in {*UNIFIED_PROVIDERS, "workers-ai"}
            if not billable:
                raise RefusalError(402, 2021, f"{model.provider} is not available through Unified Billing")
        limit = self._switches.unified_billing_limit
        key = ("unified", *_gateway(arrival))
        if limit is not None and not self._windows.take(key, limit, UNIFIED_WINDOW, "fixed"):
            raise RefusalError(429, 2018, "Wholesale Rate limited")

    def _draw(self, cost: float) -> None:
        with self._lock:
            if self._credits is not None:
                self._credits -= cost


def _gateway(arrival: Arrival) -> tuple[str, str]:
    return arrival.entrance.account_id, arrival.entrance.gateway_id


def _no_credits(arrival: Arrival) -> RefusalError:
    host = arrival.entrance.host
    return RefusalError(402, 2021, _NO_CREDITS[host])
