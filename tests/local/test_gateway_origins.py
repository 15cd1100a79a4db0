"""Web pages of other sites: a gateway without tokens takes nothing from them, and lets programs alone."""

import httpx
import pytest

from aigw.local import LocalGateway
from aigw.local._origins import foreign

PATH = "/v1/acct/gw/openai/chat/completions"
RUN = "/client/v4/accounts/acct/ai/run"
CROSS = {"sec-fetch-site": "cross-site"}


def refuses(method="POST", **fields):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in fields.items()]
    return bool(foreign(method, raw))


@pytest.mark.parametrize(
    "fields",
    [
        CROSS,
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:3000"},
        {"host": "evil.example:8787"},
        {"host": "127.0.0.1.evil.example"},
    ],
)
@pytest.mark.parametrize("path", [PATH, RUN])
def test_a_call_from_another_sites_page_is_refused_before_anybody_is_asked(aigw_local, kit, fields, path):
    reply = httpx.post(aigw_local.base_url + path, json=kit.chat(model="m"), headers=fields)
    assert reply.status_code == 403
    assert "no tokens" in str(reply.json().get("error") or reply.json()["errors"])
    assert len(aigw_local.requests) == 0
    assert len(aigw_local.logs) == 0


def test_a_call_says_so_in_its_hosts_envelope(aigw_local):
    on_gateway, on_rest = (
        httpx.post(aigw_local.base_url + path, json={}, headers=CROSS).json() for path in (PATH, RUN)
    )
    assert (on_gateway["internalCode"], on_rest["errors"][0]["code"]) == (403, 403)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sec_fetch_mode": "cors"},  # node's own fetch
        {"sec_fetch_site": "same-origin", "origin": "http://localhost:5173"},  # a page's own server passes it on
        {"sec_fetch_site": "none"},
        {"origin": "http://localhost:3000"},
        {"host": "localhost:8787"},
        {"host": "[::1]:8787"},
        {"host": "gateway.localhost"},
        {"host": ""},
    ],
)
def test_what_is_no_other_sites_page_is_let_in(fields):
    assert not refuses(**fields)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_link_from_another_site_may_be_followed(method):
    assert not refuses(method, sec_fetch_site="cross-site")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_other_name_may_read_either(method):
    assert refuses(method, host="rebound.example:8787")


def test_a_gateway_with_tokens_asks_for_those_alone(kit):
    with LocalGateway(tokens="t") as gateway:
        headers = {**CROSS, "host": "models.example", "cf-aig-authorization": "Bearer t"}
        reply = httpx.post(gateway.base_url + PATH, json=kit.chat(model="m"), headers=headers)
    assert reply.status_code == 200
