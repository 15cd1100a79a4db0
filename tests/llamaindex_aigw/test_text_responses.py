"""Messages and responses of text alone are those that LlamaIndex's constructors make, and share nothing."""

import pickle

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, MessageRole, TextBlock
from pydantic import BaseModel, Field

from aigw import ResponseInfo
from llamaindex_aigw._stream import ChunkDecoder
from llamaindex_aigw._text_responses import Template, text_message, text_response


class Later(BaseModel):
    """A class as a later version might have it: with fields that nobody here knows."""

    text: str
    tags: dict[str, int] = Field(default_factory=dict)
    marks: list[int] = Field(default_factory=lambda: [1])


def constructed(text, delta, raw):
    message = ChatMessage(role=MessageRole.ASSISTANT, blocks=[TextBlock(text=text)], additional_kwargs={})
    return ChatResponse(message=message, delta=delta, raw=raw, additional_kwargs={})


def state_of(response):
    """All there is of a response, what was set and what was not too."""
    message = response.message
    return [part.__getstate__() for part in (response, message, *message.blocks)]


def test_a_response_is_the_constructed_one():
    made, expected = text_response("Hello", delta="lo", raw={"id": "x"}), constructed("Hello", "lo", {"id": "x"})
    assert made == expected
    assert state_of(made) == state_of(expected)


def test_a_response_is_written_down_like_the_constructed_one():
    made, expected = text_response("Hello", delta="lo", raw={"id": "x"}), constructed("Hello", "lo", {"id": "x"})
    assert made.model_dump_json() == expected.model_dump_json()
    assert made.model_dump(exclude_unset=True) == expected.model_dump(exclude_unset=True)
    assert repr(made) == repr(expected)


def test_a_response_survives_copies_and_pickle():
    made = text_response("Hello", delta="lo", raw={"id": "x"})
    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301 our own
    assert made.model_copy(deep=True) == made


def test_two_responses_share_nothing_that_can_be_changed():
    one, other = (text_response("Hi", delta="Hi", raw={}) for _ in range(2))
    one.message.blocks.append(TextBlock(text="!"))
    one.message.additional_kwargs["a"] = one.additional_kwargs["b"] = one.raw["c"] = 1
    one.logprobs = []
    assert state_of(other) == state_of(constructed("Hi", "Hi", {}))
    assert text_message("Hi") == constructed("Hi", "Hi", {}).message


def test_what_a_constructor_makes_anew_is_made_anew():
    template = Template(Later(text=""))
    one, other = template.make({"text": "a"}), template.make({"text": "b"})
    one.tags["x"] = 1
    one.marks.append(2)
    assert other == Later(text="b")
    assert other.__getstate__() == Later(text="b").__getstate__()


@pytest.mark.parametrize(
    "delta", [{"content": "lo"}, {"role": "assistant", "content": "lo"}, {"content": "lo", "x": 1}]
)
def test_a_chunk_of_text_gives_the_constructed_response(delta):
    decoder = ChunkDecoder(ResponseInfo())
    first, second = ({"id": "x", "choices": [{"index": 0, "delta": said}]} for said in ({"content": "Hel"}, delta))
    decoder.feed(first)
    assert state_of(decoder.feed(second)) == state_of(constructed("Hello", "lo", second))


def test_text_after_a_thought_keeps_the_thought():
    decoder = ChunkDecoder(ResponseInfo())
    decoder.feed({"choices": [{"delta": {"reasoning": "Hm."}}]})
    response = decoder.feed({"choices": [{"delta": {"content": "Yes"}}]})
    assert [type(block).__name__ for block in response.message.blocks] == ["ThinkingBlock", "TextBlock"]
    assert (response.delta, response.additional_kwargs) == ("Yes", {})
