"""Schemas that no model could obey are refused, each by the name of what is wrong; odd but good ones are filled."""

import json

import pytest

from aigw.local.offline import InvalidRequest, chat


def ask(schema, prompt="The code is AB-1."):
    answer_format = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}
    answer = chat({"messages": [{"role": "user", "content": prompt}], "response_format": answer_format})
    return json.loads(answer["choices"][0]["message"]["content"])


@pytest.mark.parametrize(
    ("schema", "word"),
    [
        ({"type": "object", "properties": ["a"]}, "properties"),
        ({"type": "object", "required": "a"}, "required"),
        ({"type": 1}, "type"),
        ({"enum": []}, "enum"),
        ({"anyOf": {}}, "anyOf"),
        ({"type": "string", "minLength": 10**9}, "minLength"),
        ({"type": "array", "minItems": 10**9}, "minItems"),
        ({"type": "number", "minimum": 1e300}, "minimum"),
        ({"type": "number", "multipleOf": 1e-300}, "multipleOf"),
        ({"type": "object", "properties": {"a": {"type": "array", "items": 1}}}, "properties.a.items"),
        ({"type": "object", "properties": {"a": {"$ref": "#/properties"}, "enum": {}}, "required": ["a"]}, "enum"),
    ],
)
def test_a_word_of_the_wrong_kind_is_refused(schema, word):
    with pytest.raises(InvalidRequest) as caught:
        ask(schema)
    assert caught.value.param.endswith(word)


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": "#"}]},
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"additionalProperties": {"$ref": "#"}, "minProperties": 1},
        {"type": "object", "properties": {c: {"$ref": "#"} for c in "abcdefghij"}, "required": list("abcdefghij")},
    ],
)
def test_a_schema_without_an_end_is_refused(schema):
    with pytest.raises(InvalidRequest, match="without an end"):
        ask(schema)


def test_a_schema_that_refers_to_itself_and_may_end_is_filled():
    schema = {"type": "object", "properties": {"next": {"$ref": "#"}, "code": {"type": "string"}}, "required": ["code"]}
    assert "code" in ask(schema)


def test_a_pattern_that_could_take_for_ever_does_not():
    assert isinstance(ask({"type": "string", "pattern": "(a+)+b$"}, "a" * 4000), str)


def test_a_schema_in_the_prompt_that_is_none_is_left_alone():
    body = {"messages": [{"role": "user", "content": 'JSON schema: {"properties": {"a": 1}}'}]}
    assert chat(body)["choices"][0]["finish_reason"] == "stop"
