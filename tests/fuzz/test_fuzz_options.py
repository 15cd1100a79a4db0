"""Every option of a call, to headers and back as the local gateway reads them: nothing is lost, nothing is added."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigw import GatewayOptions
from aigw._http import Headers
from aigw._options import _HEADERS, check_options, encode_options
from aigw.local._call_options import CallOptions, read_options

PRINTABLE = string.ascii_letters + string.digits + string.punctuation
INK = st.sampled_from(PRINTABLE)
TEXT = st.builds("{}{}{}".format, INK, st.text(st.sampled_from(f"{PRINTABLE} "), max_size=20), INK) | INK
NAMES = st.lists(TEXT.filter(lambda text: "," not in text), min_size=1, max_size=4)
PRICE = st.floats(0, 1e9) | st.integers(0, 10**9)
WORD = st.text(max_size=8)
SCALAR = WORD | st.booleans() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False, allow_infinity=False)
KEY = st.text(min_size=1, max_size=8).filter(lambda key: not key.startswith("cf."))
HEX = st.sampled_from("0123456789abcdef")
VALUES = {
    "skip_cache": st.booleans(),
    "cache_ttl": st.just(0) | st.integers(60, 2_592_000),
    "cache_key": TEXT,
    "collect_log": st.booleans(),
    "collect_log_payload": st.booleans(),
    "metadata": st.dictionaries(KEY, SCALAR, max_size=5),
    "event_id": TEXT,
    "request_timeout_ms": st.integers(1, 10**17),
    "max_attempts": st.integers(1, 5),
    "retry_delay_ms": st.integers(0, 60_000),
    "backoff": st.sampled_from(["constant", "linear", "exponential"]),
    "custom_cost": st.fixed_dictionaries(
        {"per_token_in": PRICE},
        optional=dict.fromkeys(["per_token_out", "per_cache_read_token", "per_cache_write_token", "total_cost"], PRICE),
    ),
    "byok_alias": TEXT,
    "no_wholesale": st.booleans(),
    "zdr": st.booleans(),
    "otel_trace_id": st.text(HEX, min_size=32, max_size=32),
    "otel_parent_span_id": st.text(HEX, min_size=16, max_size=16),
    "session_id": TEXT,
    "turn_id": TEXT,
    "no_session_affinity": st.booleans(),
    "allowed_models": NAMES,
    "allowed_providers": NAMES,
}
OF_RETRIES = ("max_attempts", "retry_delay_ms", "backoff")
PLACES = {option: option for option in VALUES} | {
    "request_timeout_ms": "request_timeout",
    "retry_delay_ms": "retry_delay",
}
"""What the gateway calls an option that it reads as one of a call's."""

FLAGS = {"no_wholesale", "zdr", "no_session_affinity"}
LISTS = {"allowed_models", "allowed_providers"}
UNSET = CallOptions()


def read_back(option, headers):
    """Read an option from its header as the gateway does: among a call's, or by itself."""
    if hasattr(UNSET, PLACES[option]):
        return getattr(read_options(headers), PLACES[option])
    text = headers[_HEADERS[option][0]]
    return text.split(",") if option in LISTS else text == "true" if option in FLAGS else text


def test_every_option_is_tried():
    known = {*GatewayOptions.__annotations__, *OF_RETRIES} - {"id", "retries"}

    assert set(VALUES) == set(_HEADERS) == known


def test_any_options_come_back_from_their_headers_and_no_others(profile):
    @profile
    @given(st.fixed_dictionaries({}, optional=VALUES))
    def examples(flat):
        retries = {name: flat[name] for name in OF_RETRIES if name in flat}
        others = {name: value for name, value in flat.items() if name not in retries}
        fields = encode_options(check_options({**others, "retries": retries} if retries else others))
        headers = Headers(fields)

        assert {option: read_back(option, headers) for option in flat} == flat
        assert sorted(name for name, _ in fields) == sorted(_HEADERS[option][0] for option in flat)
        left_out = {PLACES[option] for option in VALUES if option not in flat and hasattr(UNSET, PLACES[option])}
        read = read_options(headers)
        assert {place: getattr(read, place) for place in left_out} == {
            place: getattr(UNSET, place) for place in left_out
        }

    examples()


@pytest.mark.parametrize("option", VALUES)
def test_every_option_comes_back_by_itself(profile, option):
    @profile
    @given(VALUES[option])
    def examples(value):
        given = {"retries": {option: value}} if option in OF_RETRIES else {option: value}
        assert read_back(option, Headers(encode_options(check_options(given)))) == value

    examples()
