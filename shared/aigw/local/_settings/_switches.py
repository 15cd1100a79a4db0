"""The named switches: where two readings of Cloudflare's documentation exist, and what is true of a real account only.

All are off, or on the careful side, until a caller sets them.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from aigw._given import shown
from aigw.local._arguments import read_dict
from aigw.local._routing._auto_router import DEFAULT_POOL
from aigw.local._spending._policies import read_policies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Costs = Literal["real", "as-asked"]


class SwitchesDict(TypedDict, total=False):
    """What a caller may switch; what is left out has its default.

    Attributes:
        costs: `real` (the default): the offline model is free, an upstream named after the model's provider is priced
            by the table, any other is unknown. `as-asked`: every answer is priced by the model that was asked for.
        credits: The account's Unified Billing credits in dollars, which calls without a provider key draw on;
            unlimited when left out.
        unified_billing_limit: Requests a minute and gateway that Unified Billing pays for (Cloudflare: 200); no limit
            when left out.
        spend_limit_code: The code of a spend limit's 429: 2041 (the default) or 2045; both were seen.
        dlp_status: The HTTP status of a DLP block, which the docs do not tell; 400 by default.
        guardrails_down: Whether the guardrails service is out: 503/7013 wherever something may be blocked.
        workers_ai_cache: Whether Workers AI answers are cached for 300 seconds on a gateway without a cache TTL, and
            whatever `cf-aig-cache-ttl: 0` says, as was seen of one account against the docs.
        policies: The account's policies (a beta), each with any of `id`, `metadata` (labels a call must have), `models`
            (patterns), `limit` (dollars) and `window` (seconds, a day by default). With any, a call that none matches
            is 403.
        policies_down: Whether the policies cannot be read; then they let everything through.
        auto_pool: The models, as `provider/model`, among which the Auto Router chooses by itself.
        run_ids: Whether streams of `/ai/run` from other providers carry `cf-aig-run-id`, as the Worker binding's do.
    """

    costs: Costs
    credits: float | None
    unified_billing_limit: int | None
    spend_limit_code: Literal[2041, 2045]
    dlp_status: int
    guardrails_down: bool
    workers_ai_cache: bool
    policies: Sequence[Mapping[str, Any]]
    policies_down: bool
    auto_pool: Sequence[str]
    run_ids: bool


@dataclass(frozen=True, slots=True)
class Switches:
    """The switches, complete; see `SwitchesDict` for each."""

    costs: Costs = "real"
    credits: float | None = None
    unified_billing_limit: int | None = None
    spend_limit_code: Literal[2041, 2045] = 2041
    dlp_status: int = 400
    guardrails_down: bool = False
    workers_ai_cache: bool = False
    policies: Sequence[Mapping[str, Any]] = ()
    policies_down: bool = False
    auto_pool: Sequence[str] = DEFAULT_POOL
    run_ids: bool = False

    @classmethod
    def read(cls, given: Mapping[str, Any] | None) -> Switches:
        """Build from what a caller wrote.

        Raises:
            ValueError: A switch is unknown, a policy is wrong, or `given` is no dict.
        """
        names = [field.name for field in fields(cls)]
        wanted = read_dict("switches", {} if given is None else given)
        for name in wanted:
            if name not in names:
                raise ValueError(f"unknown switch {shown(name)}; the local gateway knows {', '.join(names)}")
        switches = cls(**wanted)
        read_policies(switches.policies)
        return switches
