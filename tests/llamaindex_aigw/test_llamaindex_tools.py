"""Tools, there and back."""

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, TextBlock, ToolCallBlock
from llama_index.core.tools import FunctionTool

from llamaindex_aigw import CloudflareAIGateway
from llamaindex_aigw._tools import encode_tool_choice, encode_tools


def weather(city: str, days: int = 1) -> str:
    """Tell the weather."""
    return f"{city}: sun for {days} days"


TOOL = FunctionTool.from_defaults(weather, description="Tell the weather.")
WIRE = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Tell the weather.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"title": "City", "type": "string"},
                "days": {"default": 1, "title": "Days", "type": "integer"},
            },
            "required": ["city"],
        },
    },
}


@pytest.fixture
def llm():
    return CloudflareAIGateway(model="openai/gpt-4.1-mini")


def response_with(*calls):
    wire = [{"id": call.tool_call_id} for call in calls]
    message = ChatMessage(role="assistant", blocks=[*calls], additional_kwargs={"tool_calls": wire})
    return ChatResponse(message=message, raw={"id": "x"})


def test_tools_are_sent_with_their_schemas():
    assert encode_tools([TOOL]) == [WIRE]


def test_strict_tools_have_closed_schemas():
    function = encode_tools([TOOL], strict=True)[0]["function"]
    assert function["strict"] is True
    assert function["parameters"]["required"] == ["city", "days"]
    assert function["parameters"]["additionalProperties"] is False


@pytest.mark.parametrize(
    ("choice", "is_required", "encoded"),
    [
        (None, False, None),
        (None, True, "required"),
        ("auto", True, "auto"),
        ("none", False, "none"),
        ("any", False, "required"),
        ("required", False, "required"),
        ("weather", False, {"type": "function", "function": {"name": "weather"}}),
        ({"type": "function", "function": {"name": "f"}}, False, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_a_tool_choice_is_a_word_or_a_name(choice, is_required, encoded):
    assert encode_tool_choice(choice, [WIRE], is_required=is_required) == encoded


def test_a_choice_of_no_tool_is_told():
    with pytest.raises(ValueError, match="'rain' names no tool; given are weather"):
        encode_tool_choice("rain", [WIRE])


@pytest.mark.parametrize("choice", [5, [], ["weather"]])
def test_a_choice_of_no_form_is_told(choice):
    with pytest.raises(ValueError, match="names no tool; given are weather"):
        encode_tool_choice(choice, [WIRE])


def test_a_tools_name_comes_before_a_word():
    tool = {"type": "function", "function": {"name": "auto"}}
    assert encode_tool_choice("auto", [tool]) == tool


def test_a_chat_with_tools_asks_for_one_call_at_a_time(llm):
    assert llm._prepare_chat_with_tools([TOOL], user_msg="Bern?") == {
        "messages": [ChatMessage(role="user", content="Bern?")],
        "tools": [WIRE],
        "parallel_tool_calls": False,
    }


def test_parallel_calls_are_the_models_default(llm):
    prepared = llm._prepare_chat_with_tools([TOOL], user_msg="Bern?", allow_parallel_tool_calls=True)
    assert "parallel_tool_calls" not in prepared


def test_a_required_tool_and_more_arguments_are_passed_on(llm):
    prepared = llm._prepare_chat_with_tools([TOOL], tool_required=True, strict=True, temperature=0)
    assert (prepared["tool_choice"], prepared["temperature"]) == ("required", 0)
    assert prepared["tools"][0]["function"]["strict"] is True


def test_without_tools_nothing_is_said_of_them(llm):
    prepared = llm._prepare_chat_with_tools([], user_msg="Hi", tool_required=True)
    assert prepared == {"messages": [ChatMessage(role="user", content="Hi")]}


def test_the_history_stays_as_it_was(llm):
    history = [ChatMessage(role="system", content="Be brief.")]
    prepared = llm._prepare_chat_with_tools(
        [TOOL], user_msg=ChatMessage(role="user", content="Hi"), chat_history=history
    )
    assert [message.content for message in prepared["messages"]] == ["Be brief.", "Hi"]
    assert history == [ChatMessage(role="system", content="Be brief.")]


@pytest.mark.parametrize(
    ("arguments", "parsed"),
    [
        ('{"city": "Bern"}', {"city": "Bern"}),
        ({"city": "Bern"}, {"city": "Bern"}),
        ('{"city": "Bern", "days": ', {"city": "Bern", "days": None}),
        ('{"ci', {}),
        ("", {}),
        ("[1]", {}),
        ("}{", {}),
        ("null", {}),
    ],
)
def test_arguments_are_read_as_far_as_they_go(llm, arguments, parsed):
    response = response_with(ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs=arguments))
    selection = llm.get_tool_calls_from_response(response)[0]
    assert (selection.tool_id, selection.tool_name, selection.tool_kwargs) == ("c1", "weather", parsed)


def test_no_call_is_an_error_unless_it_may_be(llm):
    response = ChatResponse(message=ChatMessage(role="assistant", content="I would rather not."))
    assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="I would rather not"):
        llm.get_tool_calls_from_response(response)


def test_of_several_calls_one_is_kept_where_one_is_allowed(llm):
    calls = [ToolCallBlock(tool_call_id=f"c{n}", tool_name="weather", tool_kwargs="{}") for n in (1, 2)]
    response = response_with(*calls)
    response.message.blocks.insert(0, TextBlock(text="Looking."))
    kept = llm._validate_chat_with_tools_response(response, [TOOL]).message
    assert kept.blocks == [TextBlock(text="Looking."), calls[0]]
    assert kept.additional_kwargs == {"tool_calls": [{"id": "c1"}]}
    assert len(response.message.blocks) == 3


def test_of_several_calls_all_are_kept_where_they_are_allowed(llm):
    calls = [ToolCallBlock(tool_call_id=f"c{n}", tool_name="weather", tool_kwargs="{}") for n in (1, 2)]
    response = response_with(*calls)
    assert llm._validate_chat_with_tools_response(response, [TOOL], allow_parallel_tool_calls=True) is response
