"""The clients behind a model: one for each way to connect, whatever the gateway options are."""

from __future__ import annotations

import httpx
import pytest

from aigw import ConfigurationError
from aigw.integration import Clients

KINDS = ["sync_client", "async_client"]


def settings(**more):
    return {"account_id": "acct", "api_token": "secret", "gateway_id": "gw", "options": {}, **more}


@pytest.mark.parametrize("kind", KINDS)
def test_options_make_no_connections_of_their_own(kind):
    get = getattr(Clients(), kind)
    plain, other = get(settings(), None), get(settings(options={"cache_ttl": 60}), None)
    assert plain is not other
    assert plain._engine is other._engine
    assert (plain._options, other._options) == ({}, {"cache_ttl": 60})


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_settings_give_the_same_client(kind):
    get = getattr(Clients(), kind)
    for given in (settings(), settings(options={"metadata": {"a": 1}}), settings(timeout=httpx.Timeout(3))):
        assert get(dict(given), None) is get(dict(given), None)


def test_options_that_are_equal_but_not_the_same_on_the_wire_are_told_apart():
    clients = Clients()
    made = [clients.sync_client(settings(options={"metadata": {"a": value}}), None) for value in (1, True, 1.0)]
    assert [repr(client._options["metadata"]["a"]) for client in made] == ["1", "True", "1.0"]


def test_options_changed_later_are_heard_and_do_not_reach_back():
    clients, options = Clients(), {"metadata": {"a": 1}}
    before = clients.sync_client(settings(options=options), None)
    options["metadata"]["a"] = 2
    after = clients.sync_client(settings(options=options), None)
    assert (before._options, after._options) == ({"metadata": {"a": 1}}, {"metadata": {"a": 2}})


def test_thousands_of_options_do_not_pile_up():
    clients = Clients()
    for number in range(1000):
        clients.sync_client(settings(options={"event_id": f"e{number}"}), None)
    assert len(clients._sync) == 1
    assert len(clients._twins) <= 64


def test_other_ways_to_connect_are_other_connections():
    clients = Clients()
    with httpx.Client() as own:
        made = [
            clients.sync_client(settings(**more), http_client)
            for more, http_client in (({}, None), ({"api_token": "x"}, None), ({"timeout": 3.0}, None), ({}, own))
        ]
    assert len({id(client._engine) for client in made}) == 4


def test_wrong_options_are_refused():
    with pytest.raises(ConfigurationError, match="did you mean 'skip_cache'"):
        Clients().sync_client(settings(options={"skipCache": True}), None)
