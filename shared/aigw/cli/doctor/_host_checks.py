"""Checks of the way to the hosts: names, connections, TLS, whether a gateway answers, clocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aigw.cli._exit_codes import ExitCode
from aigw.cli.doctor._facts import Check, fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from aigw.cli.doctor._facts import Facts, Failure, Finding, Outcome

_CLOCK_WARNS: Final = 60
_CLOCK_FAILS: Final = 300

_FAILURES: Final[dict[Failure, tuple[str, str, str]]] = {
    "dns": (
        "host_unknown",
        "{url}: no such host",
        "Check the host's spelling (AIGW_BASE_URL) and this machine's DNS.",
    ),
    "refused": (
        "connection_refused",
        "{url} refuses the connection",
        "Start what should listen there (cf-aigw local), or check the port in AIGW_BASE_URL.",
    ),
    "timeout": (
        "host_silent",
        "{url} does not answer in time",
        "Check the network, a firewall, and whether a proxy is demanded here.",
    ),
    "proxy": ("proxy_refused", "the proxy did not let the call through", "Check the proxy's address and password."),
    "other": ("connection_broken", "{url}: {text}", "Check the network and what stands between here and there."),
}
_TLS_FIX: Final = (
    "Behind a proxy that opens TLS set SSL_CERT_FILE to its certificate; for a local gateway write http:// and not "
    "https://; else check the clock."
)


def _reachable(read: Callable[[Facts], Outcome | None]) -> Callable[[Facts], Finding | None]:
    def look(facts: Facts) -> Finding | None:
        outcome = read(facts)
        if outcome is None or outcome.failure == "tls":
            return None
        if outcome.failure is None:
            return ok(f"{outcome.url.partition('//')[2]} answers")
        cause, result, fix = _FAILURES[outcome.failure]
        return fail(cause, ExitCode.CONNECTION, result.format(url=outcome.url, text=outcome.text), fix)

    return look


def _tls(facts: Facts) -> Finding | None:
    broken = next((each for each in facts.outcomes if each.failure == "tls"), None)
    if broken:
        return fail("tls_failed", ExitCode.CONNECTION, f"{broken.url}: {broken.text}", _TLS_FIX)
    if not _answered(facts):
        return None
    is_plain = facts.setup.base_url.startswith("http://")
    return ok("none (plain http)" if is_plain else "certificate is good")


def _is_gateway(facts: Facts) -> Finding | None:
    answered = _answered(facts)
    stranger = next((each for each in answered if not each.is_envelope), None)
    if stranger:
        result = f"{stranger.url} answers {stranger.status}, and not as a gateway does"
        if facts.setup.base_url:
            fix = "Set AIGW_BASE_URL to a gateway, or unset it to use Cloudflare."
            return fail("not_a_gateway", ExitCode.USAGE, result, fix)
        fix = "Look at what stands between here and Cloudflare: a proxy, a sign-in page of the network, a block."
        return fail("something_between", ExitCode.CONNECTION, result, fix)
    return ok("answers as a gateway does") if answered else None


def _clock(facts: Facts) -> Finding | None:
    pairs = [(each.local_time, each.server_time) for each in facts.outcomes]
    offsets = [(local - server).total_seconds() for local, server in pairs if local and server]
    if not offsets:
        return None
    offset = min(offsets, key=abs)
    text = f"{abs(offset):.0f} s {'ahead' if offset > 0 else 'behind'}"
    fix = "Set this machine's clock (NTP): certificates, log times and waits depend on it."
    if abs(offset) > _CLOCK_FAILS:
        return fail("clock_wrong", ExitCode.USAGE, text, fix)
    return warn("clock_off", text, fix) if abs(offset) > _CLOCK_WARNS else ok("right")


def _answered(facts: Facts) -> list[Outcome]:
    return [each for each in facts.outcomes if each.failure is None]


HOST_CHECKS: Final = (
    Check("rest_host", "REST host", _reachable(lambda facts: facts.rest)),
    Check("gateway_host", "Gateway host", _reachable(lambda facts: facts.gateway)),
    Check("tls", "TLS", _tls),
    Check("answers", "Answers", _is_gateway),
    Check("clock", "Clock", _clock),
)
"""The way to the hosts."""
