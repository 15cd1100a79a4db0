"""What the constructors of `aigw.local` are given is refused at once where it cannot be, in one short sentence."""

from __future__ import annotations

import pytest

from aigw import ConfigurationError
from aigw.local import (
    ForwardUpstream,
    GatewayTransport,
    LocalGateway,
    OfflineUpstream,
    ScriptUpstream,
    find_patterns,
    find_words,
)
from aigw.local._logs._patch import check_patch
from aigw.local._logs._query import parse_list_query

LONG = "y" * 5000
NO_DICTS = [5, True, 1.5, float("nan"), "x", b"x", ["x"], object(), dict, LONG]


@pytest.mark.parametrize("name", ["gateways", "settings", "switches", "upstreams"])
@pytest.mark.parametrize("given", NO_DICTS, ids=lambda given: type(given).__name__)
def test_what_is_no_dict_is_refused(name, given):
    with pytest.raises(ConfigurationError, match=f"^{name}: expected a dict; got "):
        LocalGateway(**{name: given})


@pytest.mark.parametrize("name", ["gateways", "settings", "switches", "upstreams"])
def test_a_key_that_is_no_text_is_refused(name):
    with pytest.raises(ConfigurationError, match=f"^{name}: expected a dict by text; got the key 5$"):
        LocalGateway(**{name: {5: {}}})


@pytest.mark.parametrize("own", [5, "x", [], object()], ids=lambda given: type(given).__name__)
def test_a_gateways_own_settings_are_a_dict(own):
    with pytest.raises(ConfigurationError, match=r"^gateways\['mine'\]: expected a dict; got "):
        LocalGateway(gateways={"mine": own})


@pytest.mark.parametrize("given", [0, 5, "", "x", [], {}, object(), OfflineUpstream, lambda: 5])
def test_what_is_no_upstream_is_refused(given):
    with pytest.raises(ConfigurationError, match=r"^upstream: expected an upstream, with provider and send; got "):
        LocalGateway(upstream=given)
    with pytest.raises(ConfigurationError, match=r"^upstreams\['openai'\]: expected an upstream, "):
        LocalGateway(upstreams={"openai": given})


@pytest.mark.parametrize("name", ["guardrail_check", "dlp_check", "clock"])
@pytest.mark.parametrize("given", [0, 5, "", "x", [], {}, object()])
def test_what_cannot_be_called_is_refused(name, given):
    with pytest.raises(ConfigurationError, match=f"^{name}: expected a function; got "):
        LocalGateway(**{name: given})


def test_the_offline_models_clock_can_be_called():
    with pytest.raises(ConfigurationError, match=r"^clock: expected a function; got None$"):
        OfflineUpstream(None)


@pytest.mark.parametrize("given", [5, True, 1.5, b"x", [], {}, object()])
def test_what_is_no_path_of_logs_is_refused(given):
    with pytest.raises(ConfigurationError, match=r"^data: expected a path; got "):
        LocalGateway(data=given)


@pytest.mark.parametrize("given", [0, 5, True, [], ["x"], b"x", object(), dict])
def test_what_are_no_routes_is_refused(given):
    with pytest.raises(ConfigurationError, match=r"^routes: expected an object of routes by name$"):
        LocalGateway(routes=given)


@pytest.mark.parametrize("given", [[5], [None], ["openai/*", b"x"]])
def test_a_model_that_is_no_text_is_refused(given):
    with pytest.raises(ConfigurationError, match=r"^models: number \d cannot be .*: it is text$"):
        LocalGateway(models=given)


@pytest.mark.parametrize("given", [None, 5, b"\x7f\x00\x00\x01", [], object()])
def test_a_host_that_is_no_text_is_refused_with_tokens_and_without(given):
    for tokens in ((), ("good",)):
        with pytest.raises(ConfigurationError, match=r"^host cannot be .*: it is an address, such as "):
            LocalGateway(host=given, tokens=tokens)


@pytest.mark.parametrize("turns", [None, 5, 1.5, "x", b"x", {}, object()])
def test_what_is_no_list_of_turns_is_refused(turns):
    with pytest.raises(ValueError, match=r"^script: expected a list of turns; got "):
        ScriptUpstream(turns)
    with pytest.raises(ValueError, match=r"^script: expected a list of turns; got "):
        LocalGateway().script(turns)


@pytest.mark.parametrize("given", [None, 5, [], {}, b"x"])
def test_an_upstreams_name_is_text(given):
    with pytest.raises(ConfigurationError, match=r"^ForwardUpstream: the name cannot be .*: it is text$"):
        ForwardUpstream(given)


@pytest.mark.parametrize("name", ["url", "api_key"])
@pytest.mark.parametrize("given", [5, ["secret"], b"secret", object()])
def test_an_upstreams_address_and_key_are_text_and_not_shown(name, given):
    with pytest.raises(ConfigurationError, match=f"^{name} cannot be a .*: it is text$") as caught:
        ForwardUpstream("openai", **{name: given})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("given", [None, 5, "x", object(), LocalGateway])
def test_a_transport_is_a_gateways(given):
    with pytest.raises(ConfigurationError, match=r"^gateway cannot be .*: it is a LocalGateway$"):
        GatewayTransport(given)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: LocalGateway(host=LONG),
        lambda: LocalGateway(port=LONG),
        lambda: LocalGateway(retain=LONG),
        lambda: LocalGateway(keep_requests=LONG),
        lambda: LocalGateway(switches=LONG),
        lambda: LocalGateway(gateways={LONG: 5}),
        lambda: LocalGateway(upstreams={LONG: 5}),
        lambda: LocalGateway(routes={LONG: [{"id": LONG}]}),
        lambda: ForwardUpstream(LONG),
        lambda: find_words({LONG: 5}),
        lambda: find_patterns({LONG: "("}),
        lambda: check_patch({LONG: 5}),
        lambda: check_patch({"feedback": LONG}),
        lambda: check_patch({"score": LONG}),
        lambda: check_patch({"metadata": {LONG: None}}),
        lambda: parse_list_query(f"page={LONG}"),
        lambda: parse_list_query(f"order_by={LONG}"),
        lambda: parse_list_query(f"start_date={LONG}"),
        lambda: parse_list_query(f"success={LONG}"),
        lambda: parse_list_query(f"min_cost={LONG}"),
    ],
)
def test_a_long_value_is_not_repeated_whole(refused):
    with pytest.raises(ValueError, match=r"y{150}") as caught:
        refused()
    assert len(str(caught.value)) < 700
