"""What can be in the demo's way, and how it is told: one sentence each.

Only what a user can cause or meet is listed; anything else is a defect and keeps its traceback.
"""

from __future__ import annotations

from typing import Final

import aigw


class DemoError(Exception):
    """The demo cannot go on; the text is the sentence to print."""


EXPECTED: Final = (DemoError, aigw.AIGatewayError, ModuleNotFoundError)
"""The exceptions `explain` has a sentence for."""

_LEADS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (aigw.ConfigurationError, ""),
    (aigw.AuthenticationError, "the gateway refused the token in CLOUDFLARE_API_TOKEN"),
    (aigw.PermissionDeniedError, "the gateway does not allow this"),
    (aigw.PaymentRequiredError, "the account has no credits for this model"),
    (aigw.ModelNotFoundError, "the gateway does not know the model"),
    (aigw.GatewayNotFoundError, "the account has no such gateway"),
    (aigw.LogNotFoundError, "the gateway has no log of a call it has just answered"),
    (aigw.RateLimitError, "the gateway is limiting the rate"),
    (aigw.APITimeoutError, "the gateway did not answer in time"),
    (aigw.APIConnectionError, "the gateway cannot be reached"),
    (aigw.StreamError, "the answer broke off"),
    (aigw.APIStatusError, "the model could not answer"),
    (ModuleNotFoundError, "a package is missing (`make demo` installs it)"),
)


def explain(error: BaseException) -> str:
    """Say in one sentence, on one line, what went wrong."""
    text = " ".join(str(error).split())
    lead = next((lead for kind, lead in _LEADS if isinstance(error, kind)), "")
    return f"{lead}: {text}" if lead and text else lead or text
