"""From a model call to an upstream's answer: who is asked, with whose key, how often, and by which dynamic route.

A provider may have an upstream of its own; all others share one. What has no dialect goes to an upstream that takes the
provider's own calls, and to nobody else. A route's model that cannot be asked (no key, a limit)
has failed like one that answers with an error, and the route goes on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from aigw._providers import KEY_HEADERS
from aigw.local._native._call import native_request
from aigw.local._refusal import RefusalError
from aigw.local._reply import Reply, header_text
from aigw.local._routing._auto_router import AUTO
from aigw.local._routing._dynamic import Walk
from aigw.local._routing._model_names import read_model
from aigw.local._spending._credentials import choose_credential
from aigw.local._spending._payments import PAYMENT_FIELDS, pay_by_machine
from aigw.local._upstreams._attempts import (
    AttemptPlan,
    ask_until_answered,
    close_body,
    plan_attempts,
    turn_of,
    waits_last,
)
from aigw.local._upstreams._upstream import NativeUpstream, UnknownShapeError, UpstreamUnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from aigw.local._arrival import Arrival
    from aigw.local._for_tests._faults import Faults
    from aigw.local._log_entry import LogEntry
    from aigw.local._model_call import ModelCall
    from aigw.local._routing._auto_router import AutoRouter
    from aigw.local._routing._dynamic import ModelStep, Router
    from aigw.local._routing._model_names import ModelName
    from aigw.local._spending._budget import Budget
    from aigw.local._spending._credentials import Credential
    from aigw.local._spending._key_ring import KeyRing
    from aigw.local._upstreams._attempts import Turn
    from aigw.local._upstreams._upstream import Upstream, UpstreamEndpoint

_PAYMENT_AND_KEY: Final = frozenset({*PAYMENT_FIELDS, *KEY_HEADERS})
_FAILED: Final = (400, 2005, "Failed to get response from provider")


@dataclass(frozen=True, slots=True)
class Asking:
    """What asks upstreams.

    Attributes:
        upstream: Who answers for the providers that have nobody of their own.
        upstreams: Who answers, by the provider's slug.
        keys: The stored provider keys.
        budget: The limits that a call may meet.
        router: The dynamic routes.
        faults: The trouble that a call may ask for.
        auto: What chooses a model for calls that leave it to the gateway.
    """

    upstream: Upstream
    upstreams: Mapping[str, Upstream]
    keys: KeyRing
    budget: Budget
    router: Router
    faults: Faults
    auto: AutoRouter

    def upstream_of(self, model: ModelName) -> Upstream:
        """Give who answers for a model."""
        return self.upstreams.get(model.provider, self.upstream)

    def is_native(self, provider: str, *, has_dialect: bool = True) -> bool:
        """Tell whether a call on a provider's own path goes to the upstream as it came."""
        is_native = getattr(self.upstreams.get(provider, self.upstream), "is_native", None)
        return is_native is not None and bool(is_native(provider, has_dialect=has_dialect))

    async def ask(self, arrival: Arrival, entry: LogEntry, call: ModelCall, turn: Turn) -> tuple[ModelCall, Reply]:
        """Ask until there is an answer; give the call as it was asked in the end, and the upstream's answer.

        Raises:
            RefusalError: No answer came (400/2005), a limit is reached, or a key is missing.
        """
        if self.router.has(call.model.asked):
            return await self._ask_route(arrival, entry, call, turn)
        plan = plan_attempts(arrival.options, arrival.entrance.settings, turn)
        if call.model.asked == AUTO:
            entry.model, fields = self.auto.route(arrival)
            call = replace(call, model=entry.model)
            return call, (await self._ask_model(arrival, entry, call, plan)).with_headers(*fields)
        return call, await self._ask_model(arrival, entry, call, plan)

    async def _ask_route(
        self, arrival: Arrival, entry: LogEntry, call: ModelCall, turn: Turn
    ) -> tuple[ModelCall, Reply]:
        facts = {"metadata": arrival.options.metadata or {}, "body": call.body, "headers": arrival.headers}
        entrance = arrival.entrance
        walk = Walk((entrance.account_id, entrance.gateway_id, call.model.asked), facts)
        steps = self.router.walk(call.model.asked, walk)
        outcome: tuple[ModelCall, Reply] | RefusalError = RefusalError(*_FAILED)
        step = next(steps, None)
        while step is not None:
            if not isinstance(outcome, RefusalError):
                await close_body(outcome[1].body)
            outcome = await self._try_step(
                arrival, entry, call, step, walk, turn_of(turn, is_followed=step.has_fallback)
            )
            turn = turn_of(turn, is_followed=False, is_first=False)
            answered = not isinstance(outcome, RefusalError) and outcome[1].status < 400
            try:
                step = steps.send(answered)
            except StopIteration:
                step = None
        if isinstance(outcome, RefusalError):
            raise outcome
        return outcome

    async def _try_step(
        self, arrival: Arrival, entry: LogEntry, call: ModelCall, step: ModelStep, walk: Walk, turn: Turn
    ) -> tuple[ModelCall, Reply] | RefusalError:
        plan = plan_attempts(arrival.options, arrival.entrance.settings, turn)
        plan = replace(plan, attempts=step.attempts, waits_last=waits_last(turn, step.attempts))
        if step.timeout:
            plan = replace(plan, timeout=step.timeout / 1000)
        try:
            entry.model = model = read_model("compat", "", f"{step.provider}/{step.model}")
            asked = replace(call, model=model)
            reply = await self._ask_model(arrival, entry, asked, plan)
        except RefusalError as refusal:
            return refusal
        entry.bills += walk.bills
        return asked, reply

    async def _ask_model(self, arrival: Arrival, entry: LogEntry, call: ModelCall, plan: AttemptPlan) -> Reply:
        upstream = self.upstream_of(call.model)
        entry.upstream = upstream.provider
        if not call.dialect.endpoint and not self.is_native(call.model.provider, has_dialect=False):
            raise _unspoken(arrival, entry, call)
        credential = pay_by_machine(arrival) or choose_credential(self.keys, arrival, call.model.provider)
        entry.bills = self.budget.open_account(arrival, call.model, credential)
        entry.wholesale = credential.draws_credits
        send = _sender(upstream, call, _fields(arrival, credential))
        try:
            reply = await ask_until_answered(partial(self.faults.send, arrival, send), plan)
        except UnknownShapeError as error:
            raise _unspoken(arrival, entry, call) from error
        except (UpstreamUnreachableError, OSError) as error:
            raise RefusalError(*_FAILED) from error
        rejection = credential.rejection(arrival, reply)
        if rejection is not None:
            await close_body(reply.body)
            raise rejection
        return credential.hide_in(reply).with_headers(*_names(upstream, call))


def _sender(upstream: Upstream, call: ModelCall, fields: tuple[tuple[str, str], ...]) -> Callable[[], Awaitable[Reply]]:
    if call.native is not None and isinstance(upstream, NativeUpstream):
        return partial(upstream.forward, native_request(call, call.native, fields))
    endpoint = cast("UpstreamEndpoint", call.dialect.endpoint)
    return partial(upstream.send, endpoint, call.body_for(upstream.provider), fields)


def _names(upstream: Upstream, call: ModelCall) -> tuple[tuple[str, str], ...]:
    model = call.model.for_upstream(upstream.provider)
    named = (("cf-aig-model", header_text(model)),) if model else ()
    return (("cf-aig-provider", upstream.provider), *named)


def _unspoken(arrival: Arrival, entry: LogEntry, call: ModelCall) -> RefusalError:
    entry.upstream = ""  # nobody answered
    surface, slug = arrival.surface, call.model.provider
    message = (
        f"The local gateway's model does not speak {surface.method} {slug}/{surface.endpoint}. Forward it: "
        f'LocalGateway(upstreams={{"{slug}": ForwardUpstream("{slug}", "https://...")}}), or --upstream {slug}=URL; or '
        f'answer it from a script: upstreams={{"{slug}": ScriptUpstream([...])}}'
    )
    return RefusalError(501, 7000, message)


def _fields(arrival: Arrival, credential: Credential) -> tuple[tuple[str, str], ...]:
    left_out = _PAYMENT_AND_KEY if credential.fields else PAYMENT_FIELDS
    return (*(pair for pair in arrival.fields if pair[0] not in left_out), *credential.fields)
