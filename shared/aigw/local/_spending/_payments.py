"""Machine payments (x402) on `/ai/run`: a call that pays for itself, past stored keys and Unified Billing.

Source: AI Gateway docs, Machine payments. A call with `Payment-Method: x402` is 402 with `PAYMENT-REQUIRED` until it
comes again with `PAYMENT-SIGNATURE`. What is demanded here is nothing that anyone could pay, and any signature of the
right form (Base64 of a JSON object) is taken: no money moves on your machine.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any, Final

from aigw._json import dump_json
from aigw.local._bodies import read_json
from aigw.local._refusal import RefusalError
from aigw.local._spending._credentials import Credential

if TYPE_CHECKING:
    from aigw.local._arrival import Arrival
    from aigw.local._refusal import Host
    from aigw.local._reply import Reply

METHOD: Final = "payment-method"
SIGNATURE: Final = "payment-signature"
PAYMENT_FIELDS: Final = (METHOD, SIGNATURE)
"""What is for the gateway and goes to no provider."""

_CODE: Final = 402
_ACCEPTS: Final[dict[str, Any]] = {
    "scheme": "exact",
    "network": "local",
    "amount": "0",
    "asset": "none",
    "payTo": "nobody",
    "maxTimeoutSeconds": 60,
}


class PaymentRequiredError(RefusalError):
    """A call that is to be paid first; what is demanded stands in a header field."""

    def __init__(self, resource: str) -> None:
        super().__init__(402, _CODE, "Payment required")
        self.demand = {
            "x402Version": 2,
            "error": "Payment required",
            "resource": {"url": resource},
            "accepts": [_ACCEPTS],
        }

    def reply(self, host: Host) -> Reply:
        """Word the refusal with its demand."""
        return super().reply(host).with_headers(("payment-required", b64encode(dump_json(self.demand)).decode()))


def pay_by_machine(arrival: Arrival) -> Credential | None:
    """Give what a call that pays for itself goes out with; `None` for any other call.

    Raises:
        PaymentRequiredError: It has not paid yet.
    """
    headers = arrival.headers
    if arrival.surface.dialect != "run" or headers.get(METHOD, "").strip().lower() != "x402":
        return None
    if not _is_payment(headers.get(SIGNATURE, "")):
        raise PaymentRequiredError(f"/client/v4/accounts/{arrival.entrance.account_id}/ai/run")
    return Credential("machine")


def _is_payment(text: str) -> bool:
    try:
        return isinstance(read_json(b64decode(text, validate=True)), dict)
    except (binascii.Error, ValueError):
        return False
