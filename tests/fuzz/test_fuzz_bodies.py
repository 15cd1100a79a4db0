"""No body breaks the gateway: each field of a valid one made wrong in turn, JSON of any shape, bytes of any kind."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

REQUESTS = json.loads(Path(__file__).with_name("requests.json").read_text())
OUT = object()
REQUEST_NAMES = sorted(REQUESTS)
ODD = (
    *(None, True, False, 0, -1, 1.5, 1e308, 1e-300, 2**63, 10**25),
    *("", "x", "\0", "\x7fé", "💥", "A" * 5000, "(a+)+b", "#", "#/properties", "2020-01-01"),
    *([], [None], [[]], ["x"], [{}], [1, "a", None]),
    *(
        {},
        {"a": None},
        {"": ""},
        {"type": "x"},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}] * 2},
    ),
)
BYTES = (
    *(b"", b"null", b"[]", b'"x"', b"1", b"{", b"\xff\xfe", b"[{}]", b'{"a":"\\ud800"}', b'{"model":NaN}'),
    *(b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"1" * 5000, b'{"model":' + b"9" * 5000 + b"}"),
    b'{"model":"a/b","model":"@cf/c/d","messages":[{"role":"user","content":"x"}],"messages":1}',
    b"\xef\xbb\xbf{}",
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


def places(value, path=()):
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield from places(below, (*path, key))


def changed(value, path, new):
    if not path:
        return new
    value = copy.deepcopy(value)
    node = value
    for key in path[:-1]:
        node = node[key]
    if new is OUT:
        del node[path[-1]]
    else:
        node[path[-1]] = new
    return value


def ask(world, name, body):
    request = REQUESTS[name]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return world.ask(request["method"], request["path"], content)


@pytest.mark.parametrize("name", [name for name in REQUEST_NAMES if name != "patch a log"])
def test_the_bodies_that_are_changed_are_good_ones(world, name):
    assert ask(world, name, REQUESTS[name]["body"]).status == 200


@pytest.mark.parametrize("name", REQUEST_NAMES)
def test_a_wrong_value_at_any_place_is_answered(world, name, is_deep):
    body = REQUESTS[name]["body"]
    for index, path in enumerate(places(body)):
        odd = ODD if is_deep else ODD[index % 3 :: 3]  # each place a third of them, and its neighbours the others
        for new in (*odd, OUT) if path else ODD:
            ask(world, name, changed(body, path, new))


@pytest.mark.parametrize("name", [name for name in REQUEST_NAMES if "stream" in REQUESTS[name]["body"]])
def test_a_wrong_value_at_any_place_of_a_stream_is_answered(world, name):
    body = REQUESTS[name]["body"] | {"stream": True}
    for path in places(body):
        ask(world, name, changed(body, path, ODD[sum(map(len, map(str, path))) % len(ODD)]))


@pytest.mark.parametrize("name", REQUEST_NAMES)
def test_bytes_that_are_no_such_body_are_answered(world, name):
    assert all(ask(world, name, content).status >= 400 for content in BYTES[:14])
    for content in BYTES[14:]:
        ask(world, name, content)


@pytest.mark.parametrize("depth", [64, 128, 129, 500, 1000, 1023, 1024])
@pytest.mark.parametrize("name", REQUEST_NAMES)
def test_a_body_nested_to_any_depth_is_answered(world, name, depth):
    body = REQUESTS[name]["body"]
    first = body[0] if isinstance(body, list) else body
    for key in first:
        text = json.dumps(body if body is first else [first]).replace(f'"{key}":', f'"{key}":"<>","{key}":', 1)
        ask(world, name, text.replace('"<>"', "[" * depth + "]" * depth).encode())


def test_any_json_at_any_place_is_answered(world, profile):
    @profile
    @given(st.sampled_from(REQUEST_NAMES), st.data())
    def examples(name, data):
        body = REQUESTS[name]["body"]
        path = data.draw(st.sampled_from(list(places(body))))
        ask(world, name, changed(body, path, data.draw(json_values)))

    examples()


def test_any_bytes_are_answered(world, profile):
    @profile
    @given(st.sampled_from(REQUEST_NAMES), st.binary(max_size=200))
    def examples(name, content):
        ask(world, name, content)

    examples()
