"""What a base URL may be, what is told of one that is refused, and which origins are this machine's own."""

import pytest

from aigw import AIGateway, AsyncAIGateway, ConfigurationError
from aigw._origins import check_base_url, is_loopback, without_secrets


@pytest.fixture(params=[AIGateway, AsyncAIGateway])
def client_class(request):
    return request.param


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8787", "https://proxy.example", "HTTP://host:80", "http://[::1]:80", "http://ü:80"]
)
@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_an_origin_is_scheme_host_and_port_and_a_slash_at_the_end_is_no_path(origin, slashes):
    assert check_base_url(origin + slashes) == origin


MORE = [
    "https://gateway.ai.cloudflare.com/v1/acc/gw",
    "https://api.cloudflare.com/client/v4/",
    "http://127.0.0.1:8787/v1",
    "http://127.0.0.1:8787?x=1",
    "http://127.0.0.1:8787/?",
    "http://127.0.0.1:8787#x",
    "http://127.0.0.1:8787\\v1",
    " http://127.0.0.1:8787",
    "http://127.0.0.1:8787\n",
    "http://127.0.0.1:0",
    "http://127.0.0.1:99999",
    "http://[::1",
    "http://",
    "127.0.0.1:8787",
    "/",
]


@pytest.mark.parametrize("url", MORE)
def test_more_than_an_origin_is_refused_when_a_client_is_made_saying_where_the_rest_belongs(client_class, url):
    with pytest.raises(ConfigurationError, match=r"^base_url cannot be ") as refusal:
        client_class("a", "t", base_url=url)

    for word in ("scheme://host[:port]", "account_id", "gateway_id"):
        assert word in str(refusal.value)


def test_the_variable_is_named_where_the_environment_is_at_fault(client_class, monkeypatch):
    monkeypatch.setenv("AIGW_BASE_URL", "http://127.0.0.1:8787/v1")

    with pytest.raises(ConfigurationError, match=r"^AIGW_BASE_URL cannot be 'http://127.0.0.1:8787/v1': "):
        client_class("a", "t")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://host/v1/acc", "https://host/v1/acc"),
        ("https://me:planted@host/v1", "https://***@host/v1"),
        ("https://me:planted@host/v1?key=planted", "https://***@host/v1?..."),
        ("https://host#planted", "https://host#..."),
        ("https://host?key=some@planted", "https://..."),
        ("https://me:plan?ted@host", "https://..."),
        ("https://me:plan/ted@host", "https://***@host"),
        ("me:planted@host", "***@host"),
        ("socks5h://me:planted@host:1080", "socks5h://***@host:1080"),
        ("planted://x@host", "***@host"),
    ],
)
def test_what_may_be_secret_in_a_url_is_not_told(url, told):
    assert without_secrets(url) == told


@pytest.mark.parametrize("host", ["localhost", "LocalHost.", "api.localhost", "127.0.0.1", "127.8.7.6", "::1", "[::1]"])
def test_this_machine_has_names_and_addresses_of_its_own(host):
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "10.0.0.1", "localhost.com", "notlocalhost", "127.0.0.1.nip.io", "::2"]
)
def test_everything_else_is_elsewhere(host):
    assert not is_loopback(host)
