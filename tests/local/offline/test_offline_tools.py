import json

import pytest

from aigw.local.offline import chat


def tool(name, description="", **properties):
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
WEATHER = tool("get_weather", "Get the current weather of a city", city=TEXT)
MULTIPLY = tool("multiply", "Multiply two numbers", a=WHOLE, b=WHOLE)
ADD = tool("add", "Add two integers", a=WHOLE, b=WHOLE)
SEARCH = tool("search_docs", "Search the documentation", query=TEXT)
TOOLS = [WEATHER, MULTIPLY, ADD, SEARCH]


def message_for(prompt, *later, tools=TOOLS, **fields):
    body = {"messages": [{"role": "user", "content": prompt}, *later], "tools": tools, **fields}
    return chat(body)["choices"][0]["message"]


def calls_for(prompt, *later, **fields):
    calls = message_for(prompt, *later, **fields).get("tool_calls", [])
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


def result(name, text, call_id="c1"):
    call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": "{}"}}
    return (
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": text},
    )


@pytest.mark.parametrize(
    ("prompt", "name", "arguments"),
    [
        ("What is 21 times 2?", "multiply", {"a": 21, "b": 2}),
        ("What is 3 + 4", "add", {"a": 3, "b": 4}),
        ("What's the weather in Paris?", "get_weather", {"city": "Paris"}),
        ("what's the weather in paris?", "get_weather", {"city": "paris"}),
        ("Search the docs for cache limits.", "search_docs", {"query": "cache limits"}),
    ],
)
def test_the_fitting_tool_is_called_with_values_of_the_prompt(prompt, name, arguments):
    assert calls_for(prompt) == [(name, arguments)]


@pytest.mark.parametrize("prompt", ["Hello!", "Tell me a joke", "How does caching work?"])
def test_no_tool_is_called_when_none_fits(prompt):
    assert calls_for(prompt) == []


def test_a_tool_named_in_the_prompt_is_called():
    magic = tool("magic_function", "Applies a magic function to an input.", input=WHOLE)
    prompt = "What is the value of magic_function(3)? Use the tool."
    assert calls_for(prompt, tools=[magic]) == [("magic_function", {"input": 3})]


def test_several_tools_are_called_when_each_fits_a_part():
    prompt = "What is 2 plus 3 and what's the weather in Paris?"
    assert sorted(calls_for(prompt)) == [("add", {"a": 2, "b": 3}), ("get_weather", {"city": "Paris"})]


def test_one_tool_is_called_when_parallel_calls_are_off():
    prompt = "What is 2 plus 3 and what's the weather in Paris?"
    assert len(calls_for(prompt, parallel_tool_calls=False)) == 1


def test_required_calls_a_tool_even_if_none_fits():
    assert calls_for("Hello!", tools=[ADD], tool_choice="required") == [("add", {"a": 0, "b": 0})]


def test_a_named_tool_is_called():
    choice = {"type": "function", "function": {"name": "search_docs"}}
    assert [name for name, _ in calls_for("What is 3 + 4", tool_choice=choice)] == ["search_docs"]


def test_none_answers_in_words():
    assert message_for("What is 3 + 4", tool_choice="none")["content"]


def test_a_tool_result_is_quoted_and_ends_the_loop():
    message = message_for("What's the weather in Paris?", *result("get_weather", "Sunny, 21 degrees."))
    assert message == {"role": "assistant", "content": "get_weather returned: Sunny, 21 degrees."}


def test_required_after_a_result_goes_on_to_a_tool_not_called_yet():
    report = tool("Report", "The final report", city=TEXT)
    later = result("get_weather", "Sunny")
    calls = calls_for("What's the weather in Paris?", *later, tools=[WEATHER, report], tool_choice="required")
    assert calls == [("Report", {"city": "Paris"})]


def test_a_finish_reason_says_that_tools_are_called():
    body = {"messages": [{"role": "user", "content": "What is 3 + 4"}], "tools": TOOLS}
    assert chat(body)["choices"][0]["finish_reason"] == "tool_calls"


def test_arguments_are_not_escaped():
    assert calls_for("What's the weather in Zürich?") == [("get_weather", {"city": "Zürich"})]
    call = message_for("What's the weather in Zürich?")["tool_calls"][0]
    assert call["function"]["arguments"] == '{"city": "Zürich"}'
