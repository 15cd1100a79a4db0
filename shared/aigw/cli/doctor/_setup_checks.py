"""Checks that need no network: ids, token, addresses, proxies, provider keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from aigw._origins import is_loopback, without_secrets
from aigw.cli._exit_codes import ExitCode
from aigw.cli.doctor._facts import Check, fail, ok
from aigw.cli.doctor._proxies import proxy_for

if TYPE_CHECKING:
    from aigw.cli.doctor._facts import Facts, Finding

_ACCOUNT: Final = re.compile(r"[0-9a-f]{32}")
_ANY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
_GLOBAL_KEY: Final = re.compile(r"[0-9a-f]{37}")
_CLOUDFLARE: Final = frozenset({"api.cloudflare.com", "gateway.ai.cloudflare.com"})
_CREATE: Final = "Create an API token in the Cloudflare dashboard (Workers AI Read, AI Gateway Read, Edit and Run)"
_KEY_VARIABLES: Final = {"OPENAI_API_KEY": "OPENAI_BASE_URL", "ANTHROPIC_API_KEY": "ANTHROPIC_BASE_URL"}
_PLACEHOLDER: Final = re.compile(
    r"(?:sk-)?(?:x+|\.+|\*+|none|null|empty|dummy|fake|test|todo|unused|placeholder|not-?needed|changeme|"
    r"your[-_].*|<.*>|.{0,7})",
    re.IGNORECASE,
)


def _account(facts: Facts) -> Finding:
    account, is_local = facts.setup.account_id, bool(facts.setup.base_url)
    if not account:
        fix = "Set CLOUDFLARE_ACCOUNT_ID or give --account-id; the id is in the dashboard's address."
        return fail("account_id_missing", ExitCode.USAGE, "no account id", fix)
    if not (_ANY_ID if is_local else _ACCOUNT).fullmatch(account):
        what = "an email address" if "@" in account else f"{len(account)} characters"
        fix = "Set the 32 hexadecimal digits, in lower case, from the dashboard's address."
        return fail("account_id_malformed", ExitCode.USAGE, f"{what}, and no account id", fix)
    return ok(account)


def _gateway_id(facts: Facts) -> Finding:
    gateway = facts.setup.gateway_id
    if not _ANY_ID.fullmatch(gateway):
        fix = "Set CLOUDFLARE_AI_GATEWAY_ID to the gateway's id: 1 to 64 letters, digits, - or _; no URL."
        return fail("gateway_id_malformed", ExitCode.USAGE, f"{gateway!r} is no gateway id", fix)
    return ok(gateway)


def _token(facts: Facts) -> Finding:
    token = facts.setup.api_token
    if not token:
        fix = f"{_CREATE} and set CLOUDFLARE_API_TOKEN, or use --token-stdin."
        return fail("token_missing", ExitCode.USAGE, "no API token", fix)
    if not _TOKEN.fullmatch(token) or token[0] in "\"'" or token.lower().startswith("bearer"):
        fix = "Set the bare token: without quotes, spaces, line ends or the word Bearer."
        return fail("token_malformed", ExitCode.USAGE, "the token has characters that are not its own", fix)
    if _GLOBAL_KEY.fullmatch(token):
        fix = f"{_CREATE}; the Global API Key is another thing."
        return fail("token_is_global_key", ExitCode.USAGE, "this looks like the Global API Key", fix)
    if _ACCOUNT.fullmatch(token):
        fix = (
            "Put the account id into CLOUDFLARE_ACCOUNT_ID, and the token, which is longer, into CLOUDFLARE_API_TOKEN."
        )
        return fail("token_is_account_id", ExitCode.USAGE, "this looks like an account id", fix)
    return ok("set")


def _base_url(facts: Facts) -> Finding:
    base_url = facts.setup.base_url
    if not base_url:
        return ok("Cloudflare")
    shown = without_secrets(base_url)
    try:
        url = urlsplit(base_url)
        host, has_port = url.hostname or "", url.port != 0
    except ValueError:
        url, host, has_port = urlsplit(""), "", False
    if url.scheme not in ("http", "https") or not (host and has_port) or url.username or url.query or url.fragment:
        fix = "Set AIGW_BASE_URL to an origin without a password, such as http://127.0.0.1:8787."
        return fail("base_url_malformed", ExitCode.USAGE, f"{shown!r} is no origin", fix)
    if host in _CLOUDFLARE:
        fix = "Unset AIGW_BASE_URL: it stands for both of Cloudflare's hosts, and these are used without it."
        return fail("base_url_is_cloudflare", ExitCode.USAGE, "one of Cloudflare's own two hosts", fix)
    if url.path.strip("/"):
        fix = f"Set {url.scheme}://{url.netloc}; the paths are added to it."
        return fail("base_url_has_path", ExitCode.USAGE, f"the path {url.path} is too much", fix)
    return ok(shown)


def _proxy(facts: Facts) -> Finding:
    setup = facts.setup
    url = setup.base_url or "https://api.cloudflare.com"
    found = proxy_for(url, setup.environment)
    if found is None:
        return ok("none")
    variable, proxy = found
    if is_loopback(urlsplit(url).hostname or ""):
        return ok(f"none: this machine is asked directly, though {variable} names {proxy}")
    if any(each.failure for each in facts.outcomes):
        fix = f"Check the proxy, unset {variable}, or put the host into NO_PROXY."
        return fail("proxy_in_the_way", ExitCode.CONNECTION, f"{variable} leads to {proxy}, and no answer came", fix)
    return ok(f"{proxy}, by {variable}")


def _provider_key(facts: Facts) -> Finding | None:
    setup = facts.setup
    if setup.provider_key_variable and not setup.provider_key:
        fix = (
            f"Set {setup.provider_key_variable}, or leave --provider-key-env out to use the key stored at the gateway."
        )
        return fail("provider_key_missing", ExitCode.USAGE, f"{setup.provider_key_variable} is not set", fix)
    keys = {setup.provider_key_variable: setup.provider_key} if setup.provider_key else _keys_for_the_gateway(facts)
    for variable, key in keys.items():
        if key == setup.api_token:
            fix = f"Unset {variable}: the Cloudflare token goes into cf-aig-authorization, the provider's key there."
            return fail("provider_key_is_cloudflare_token", ExitCode.USAGE, f"{variable} is the Cloudflare token", fix)
        if _PLACEHOLDER.fullmatch(key):
            fix = f"Send no key at all: a placeholder such as {variable}'s wins over the key stored at the gateway."
            return fail("stored_key_bypassed", ExitCode.USAGE, f"{variable} is a placeholder, and is sent", fix)
    return ok(", ".join(keys)) if keys else ok("none sent")


def _keys_for_the_gateway(facts: Facts) -> dict[str, str]:
    """Give the keys other SDKs would send, where the environment points them at the gateway."""
    environment = facts.setup.environment
    hosts = ("gateway.ai.cloudflare.com", "api.cloudflare.com", urlsplit(facts.setup.base_url).netloc or "-")
    return {
        key: environment[key]
        for key, base in _KEY_VARIABLES.items()
        if environment.get(key) and urlsplit(environment.get(base, "")).netloc in hosts
    }


SETUP_CHECKS: Final = (
    Check("account_id", "Account", _account),
    Check("api_token", "Token", _token),
    Check("gateway_id", "Gateway id", _gateway_id),
    Check("base_url", "Base URL", _base_url),
    Check("provider_key", "Provider key", _provider_key),
    Check("proxy", "Proxy", _proxy),
)
"""What can be told without a network, though the proxy is judged by what came of the probes."""
