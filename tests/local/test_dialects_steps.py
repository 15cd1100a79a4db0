from __future__ import annotations

from aigw.local._dialects._steps import Steps, blocks_of


def told(*deltas: dict) -> list[tuple[str, int | None, str]]:
    steps = Steps()
    found = [step for delta in deltas for step in steps.feed({"id": "chatcmpl-1", "choices": [{"delta": delta}]})]
    return [(step.kind, step.block.index if step.block else None, step.delta) for step in [*found, *steps.close()]]


def call(arguments: object, **more: object) -> dict:
    return {"tool_calls": [{**more, "function": {"name": "f", "arguments": arguments}}]}


def test_text_and_a_call_are_two_blocks():
    assert told({"content": "a"}, {"content": "b"}, call("{}", index=0, id="c")) == [
        ("begin", None, ""),
        ("open", 0, ""),
        ("delta", 0, "a"),
        ("delta", 0, "b"),
        ("stop", 0, ""),
        ("open", 1, ""),
        ("delta", 1, "{}"),
        ("stop", 1, ""),
        ("end", None, ""),
    ]


def test_calls_without_an_index_are_told_apart_by_their_ids():
    found = told(call("{", id="c1"), call("}"), call("{}", id="c2"))
    assert [step for step in found if step[0] == "delta"] == [("delta", 0, "{"), ("delta", 0, "}"), ("delta", 1, "{}")]


def test_a_late_delta_still_belongs_to_its_block():
    found = told(call("{", index=0, id="c1"), call("{}", index=1, id="c2"), call("}", index=0))
    assert [step for step in found if step[0] == "delta"] == [("delta", 0, "{"), ("delta", 1, "{}"), ("delta", 0, "}")]


def test_a_refusal_is_text():
    assert told({"refusal": "no"})[2] == ("delta", 0, "no")


def test_a_call_without_an_id_gets_one_of_the_completion_and_the_place():
    completion = {"id": "chatcmpl-9", "choices": [{"message": {"content": "x", **call("{}")}}]}
    assert [block.id for block in blocks_of(completion)] == ["", "call_9_1"]


def test_content_in_parts_and_arguments_as_an_object_are_read():
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    completion = {"choices": [{"message": {"content": parts, **call({"q": 1}, id="c")}}]}
    assert [block.content for block in blocks_of(completion)] == ["ab", '{"q":1}']


def test_an_answer_without_choices_has_no_blocks():
    assert blocks_of({}) == []
