"""Tool calls of the wire: which part belongs to which call, whatever an upstream leaves out or repeats."""

import pytest

from aigw.integration import ToolCalls, parse_arguments


def part(name=None, arguments=None, **more):
    told = {"name": name, "arguments": arguments}
    return {**more, "function": {key: value for key, value in told.items() if value is not None}}


def joined(*parts, completion_id=None):
    said = ToolCalls()
    for one in parts:
        said.add_parts([one])
    return [(call.id_in(completion_id), call.name, call.arguments) for call in said.calls]


@pytest.mark.parametrize(
    ("parts", "calls"),
    [
        pytest.param(
            [part("a", '{"x"', index=0, id="1"), part(None, ": 1}", index=0)], [("1", "a", '{"x": 1}')], id="as told"
        ),
        pytest.param(
            [part("a", "{", index=0, id="1"), part("b", "{", index=1, id="2"), part(None, "}", index=0)],
            [("1", "a", "{}"), ("2", "b", "{")],
            id="interleaved",
        ),
        pytest.param([part("a", "{", id="1"), part(None, "}")], [("1", "a", "{}")], id="no index"),
        pytest.param(
            [part("a", "{}", index=0, id="1"), part("b", "{}", index=0, id="2")],
            [("1", "a", "{}"), ("2", "b", "{}")],
            id="one index for all",
        ),
        pytest.param(
            [part("a", "{}", index=0), part("b", "{}", index=0)],
            [("call_0", "a", "{}"), ("call_1", "b", "{}")],
            id="one index for all, and no id",
        ),
        pytest.param(
            [part("a", "{", index=0, id="1"), part(None, "}", index=1, id="1")],
            [("1", "a", "{}")],
            id="an id at another index",
        ),
        pytest.param([part("a", "{"), part(None, "}", id="1")], [("1", "a", "{}")], id="the id comes late"),
        pytest.param(
            [part("a", '{"x":', index=0, id="1"), part("a", "1}", index=0, id="1")],
            [("1", "a", '{"x":1}')],
            id="name and id repeated",
        ),
        pytest.param(
            [part("a", "{}"), part("a", "{}")],
            [("call_0", "a", "{}"), ("call_1", "a", "{}")],
            id="a name again, after a whole call",
        ),
        pytest.param([part("a", {"x": "ü"}, index=0, id=7)], [("7", "a", '{"x": "ü"}')], id="decoded"),
        pytest.param([{"index": "0", "id": None, "function": None}], [("call_0", None, "")], id="nothing of use"),
    ],
)
def test_parts_are_joined_to_calls(parts, calls):
    assert joined(*parts) == calls


def test_an_id_and_a_name_are_news_once():
    said = ToolCalls()
    news = said.add_parts([part("a", "{", index=0, id="1"), part("a", "}", index=0, id="1")])
    assert [(each.id, each.name, each.arguments) for each in news] == [("1", "a", "{"), (None, None, "}")]
    assert news[0].call is news[1].call


def test_whole_calls_stand_for_themselves_though_they_are_called_alike():
    said = ToolCalls()
    said.add_whole([part("a", "{}", id="1", index=0), part("a", "{}", id="1", index=0)])
    assert [call.place for call in said.calls] == [0, 1]


@pytest.mark.parametrize("calls", [None, [], "text", {"id": "1"}, [None, "text", 3]])
def test_what_are_no_calls_adds_none(calls):
    said = ToolCalls()
    said.add_whole(calls)
    assert said.add_parts(calls) == []
    assert said.calls == []


@pytest.mark.parametrize(
    ("completion_id", "call_id"),
    [("chatcmpl-12", "call_chatcmpl12_0"), (12, "call_12_0"), ("", "call_0"), (None, "call_0"), ("--", "call_0")],
)
def test_a_call_without_an_id_is_named_by_its_answer_and_its_place(completion_id, call_id):
    assert joined(part("a", "{}"), completion_id=completion_id)[0][0] == call_id


def test_what_calls_say_besides_is_found_by_their_ids():
    said = ToolCalls()
    said.add_whole([part("a", extra_content={"x": 1}), part("b")])
    assert said.extras("c") == {"call_c_0": {"x": 1}}


@pytest.mark.parametrize(("text", "arguments"), [("", {}), (" \n", {}), ('{"x": "a\nb"}', {"x": "a\nb"})])
def test_arguments_are_read_as_models_write_them(text, arguments):
    assert parse_arguments(text) == arguments


@pytest.mark.parametrize(("text", "why"), [('{"x"', "no JSON: "), ("[1]", "no JSON object: [1]"), ("3", "object: 3")])
def test_what_are_no_arguments_is_refused(text, why):
    with pytest.raises(ValueError, match="the arguments are ") as refused:
        parse_arguments(text)
    assert why in str(refused.value)
