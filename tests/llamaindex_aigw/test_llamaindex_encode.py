"""LlamaIndex's messages on the wire: literal messages in, literal JSON out."""

import base64
from io import BytesIO

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    CacheControl,
    CachePoint,
    ChatMessage,
    CitableBlock,
    CitationBlock,
    DocumentBlock,
    ImageBlock,
    MessageRole,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
    VideoBlock,
)

from llamaindex_aigw._encode import encode_message, encode_messages

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
PNG_URL = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
PDF = b"%PDF-1.4 test document"
PDF_URL = f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"
WAV_64 = base64.b64encode(WAV).decode()


@pytest.mark.parametrize(
    ("role", "word"),
    [
        (MessageRole.SYSTEM, "system"),
        (MessageRole.DEVELOPER, "developer"),
        (MessageRole.USER, "user"),
        (MessageRole.ASSISTANT, "assistant"),
        (MessageRole.CHATBOT, "assistant"),
        (MessageRole.MODEL, "assistant"),
        (MessageRole.TOOL, "tool"),
        (MessageRole.FUNCTION, "function"),
    ],
)
def test_each_role_has_its_word(role, word):
    assert encode_message(ChatMessage(role=role, content="Hi")) == {"role": word, "content": "Hi"}


def test_text_blocks_are_one_string():
    message = ChatMessage(role="user", blocks=[TextBlock(text="one"), TextBlock(text="two")])
    assert encode_message(message) == {"role": "user", "content": "one\ntwo"}


def test_a_message_without_blocks_has_empty_content():
    assert encode_message(ChatMessage(role="user")) == {"role": "user", "content": ""}


def test_a_user_message_with_an_image_is_a_list_of_parts():
    message = ChatMessage(role="user", blocks=[TextBlock(text="What is it?"), ImageBlock(image=PNG, detail="low")])
    assert encode_message(message)["content"] == [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": PNG_URL, "detail": "low"}},
    ]


def test_an_image_on_the_web_is_passed_by_its_address():
    message = ChatMessage(role="user", blocks=[ImageBlock(url="https://example.com/a.png")])
    assert encode_message(message)["content"] == [
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    ]


@pytest.mark.parametrize("source", ["stream", "path"])
def test_an_image_is_read_from_where_it_lies(tmp_path, source):
    if source == "stream" and "IOBase" not in str(ImageBlock.model_fields["image"].annotation):
        pytest.skip("this LlamaIndex takes no open files")
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    block = ImageBlock(path=path) if source == "path" else ImageBlock(image=BytesIO(PNG))
    assert encode_message(ChatMessage(role="user", blocks=[block]))["content"][0]["image_url"] == {"url": PNG_URL}


def test_sound_is_sent_with_its_format():
    message = ChatMessage(role="user", blocks=[AudioBlock(audio=WAV)])
    assert encode_message(message)["content"] == [
        {"type": "input_audio", "input_audio": {"data": WAV_64, "format": "wav"}}
    ]


def test_a_document_is_sent_as_a_file():
    message = ChatMessage(role="user", blocks=[DocumentBlock(data=PDF, title="report.pdf")])
    assert encode_message(message)["content"] == [
        {"type": "file", "file": {"filename": "report.pdf", "file_data": PDF_URL}}
    ]


def test_thoughts_are_not_sent_back():
    message = ChatMessage(role="assistant", blocks=[ThinkingBlock(content="Hm."), TextBlock(text="Yes.")])
    assert encode_message(message) == {"role": "assistant", "content": "Yes."}


@pytest.mark.parametrize("arguments", ['{"city": "Zürich"}', {"city": "Zürich"}])
def test_a_tool_call_is_sent_with_text_arguments_and_no_content(arguments):
    block = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs=arguments)
    assert encode_message(ChatMessage(role="assistant", blocks=[block])) == {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Zürich"}'}}
        ],
    }


def test_blocks_win_over_tool_calls_in_additional_kwargs():
    message = ChatMessage(
        role="assistant",
        blocks=[ToolCallBlock(tool_call_id="new", tool_name="a", tool_kwargs="{}")],
        additional_kwargs={"tool_calls": [{"id": "old"}]},
    )
    assert [call["id"] for call in encode_message(message)["tool_calls"]] == ["new"]


def test_tool_calls_of_an_older_message_are_taken_from_additional_kwargs():
    call = {"id": "c1", "type": "function", "function": {"name": "a", "arguments": "{}"}}
    message = ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [call]})
    assert encode_message(message) == {"role": "assistant", "content": None, "tool_calls": [call]}


def test_a_tool_result_names_the_call_it_answers():
    message = ChatMessage(role="tool", content="21 degrees", additional_kwargs={"tool_call_id": "c1"})
    assert encode_message(message) == {"role": "tool", "content": "21 degrees", "tool_call_id": "c1"}


def test_what_llamaindex_keeps_in_additional_kwargs_is_not_sent():
    message = ChatMessage(
        role="assistant", content="Yes.", additional_kwargs={"aigw": {}, "total_tokens": 3, "tool_call_id": "c1"}
    )
    assert encode_message(message) == {"role": "assistant", "content": "Yes."}


def test_a_block_the_wire_cannot_carry_is_refused_by_name():
    with pytest.raises(ValueError, match="cannot carry a VideoBlock"):
        encode_message(ChatMessage(role="user", blocks=[VideoBlock(video=b"v")]))


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_a_source_is_sent_as_its_name_and_its_text(role):
    source = CitableBlock(title="Report", source="report.pdf", content="Copper melts at 1085 degrees.")
    cited = CitationBlock(
        cited_content="It melts.", source="report.pdf", title="Report", additional_location_info={"page": 2}
    )
    assert encode_message(ChatMessage(role=role, blocks=[TextBlock(text="See:"), source, cited]))["content"] == (
        "See:\nReport (report.pdf):\nCopper melts at 1085 degrees.\nReport (report.pdf):\nIt melts."
    )


def test_a_source_with_an_image_is_parts_of_a_users_message():
    source = CitableBlock(title="Photo", source="a.png", content=[ImageBlock(image=PNG)])
    assert encode_message(ChatMessage(role="user", blocks=[source]))["content"] == [
        {"type": "text", "text": "Photo (a.png):"},
        {"type": "image_url", "image_url": {"url": PNG_URL}},
    ]
    with pytest.raises(ValueError, match=r"a system message cannot carry a ImageBlock"):
        encode_message(ChatMessage(role="system", blocks=[source]))


@pytest.mark.parametrize("role", ["system", "user", "assistant", "tool"])
def test_a_cache_point_marks_the_part_before_it(role):
    point = CachePoint(cache_control=CacheControl(type="ephemeral", ttl="1h"))
    message = ChatMessage(role=role, blocks=[TextBlock(text="long"), point, TextBlock(text="short")])
    assert encode_message(message)["content"] == [
        {"type": "text", "text": "long", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        {"type": "text", "text": "short"},
    ]


def test_a_cache_point_with_nothing_before_it_is_refused():
    point = CachePoint(cache_control=CacheControl(type="ephemeral"))
    with pytest.raises(ValueError, match="put it after a block"):
        encode_message(ChatMessage(role="user", blocks=[point, TextBlock(text="Hi")]))


@pytest.mark.parametrize("role", ["system", "assistant", "tool"])
def test_only_a_user_message_may_hold_an_image(role):
    message = ChatMessage(role=role, blocks=[TextBlock(text="See:"), ImageBlock(image=PNG)])
    with pytest.raises(ValueError, match=f"a {role} message cannot carry a ImageBlock"):
        encode_message(message)


@pytest.mark.parametrize(
    "block", [AudioBlock(url="https://example.com/a.wav"), DocumentBlock(url="https://example.com/a.pdf")]
)
def test_nothing_is_fetched_from_the_web(block):
    with pytest.raises(ValueError, match="by its url"):
        encode_message(ChatMessage(role="user", blocks=[block]))


def test_an_image_of_unknown_kind_asks_for_its_mimetype():
    with pytest.raises(ValueError, match="image_mimetype"):
        encode_message(ChatMessage(role="user", blocks=[ImageBlock(image=b"not an image")]))


def test_messages_stay_as_they_were():
    messages = [
        ChatMessage(role="user", blocks=[ImageBlock(image=PNG)]),
        ChatMessage(role="assistant", blocks=[ToolCallBlock(tool_call_id="c", tool_name="a", tool_kwargs={"b": 1})]),
    ]
    before = [message.model_dump_json() for message in messages]
    encode_messages(messages)
    assert [message.model_dump_json() for message in messages] == before
