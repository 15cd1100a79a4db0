"""Messages of blocks, images, sounds and files, from either framework: on the wire is all they say, in its order."""

import base64
import copy
import json
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    CitableBlock,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)

from langchain_aigw._messages import encode_messages as encode_for_langchain
from llamaindex_aigw._messages import encode_messages as encode_for_llamaindex

WORDS = st.text(max_size=12)
BYTES = st.binary(min_size=1, max_size=20)
URLS = WORDS.map(lambda text: f"https://images.example/{quote(text, safe='')}")
IMAGE_TYPES = st.sampled_from(["image/png", "image/jpeg", "image/webp"])
POINT = {"type": "ephemeral"}


def text(value):
    return {"type": "text", "text": value}


def image(url, **more):
    return {"type": "image_url", "image_url": {"url": url, **more}}


def sound(data, kind):
    return {"type": "input_audio", "input_audio": {"data": data, "format": kind}}


def data_url(kind, data):
    return f"data:{kind};base64,{data}"


def in_64(data):
    return base64.b64encode(data).decode()


DATA = BYTES.map(in_64)

SAID_TO_LANGCHAIN = st.one_of(
    WORDS.map(lambda it: (it, text(it))),
    WORDS.map(lambda it: (text(it), text(it))),
    WORDS.map(lambda it: ({**text(it), "cache_control": POINT}, {**text(it), "cache_control": POINT})),
    WORDS.map(lambda it: ({"type": "text-plain", "text": it, "mime_type": "text/plain"}, text(it))),
    st.tuples(DATA, IMAGE_TYPES).map(
        lambda it: ({"type": "image", "base64": it[0], "mime_type": it[1]}, image(data_url(it[1], it[0])))
    ),
    st.tuples(DATA, IMAGE_TYPES).map(
        lambda it: (
            {"type": "image", "source_type": "base64", "data": it[0], "mime_type": it[1]},
            image(data_url(it[1], it[0])),
        )
    ),
    st.tuples(DATA, IMAGE_TYPES).map(
        lambda it: (
            {"type": "image", "source": {"type": "base64", "media_type": it[1], "data": it[0]}},
            image(data_url(it[1], it[0])),
        )
    ),
    URLS.map(lambda it: ({"type": "image", "url": it}, image(it))),
    URLS.map(lambda it: ({"type": "image", "url": it, "extras": {"detail": "low"}}, image(it, detail="low"))),
    URLS.map(lambda it: ({"type": "image_url", "image_url": it}, image(it))),
    URLS.map(lambda it: (image(it, detail="high"), image(it, detail="high"))),
    DATA.map(lambda it: ({"type": "audio", "base64": it, "mime_type": "audio/wav"}, sound(it, "wav"))),
    DATA.map(lambda it: (sound(it, "mp3"), sound(it, "mp3"))),
    st.tuples(DATA, WORDS).map(
        lambda it: (
            {"type": "file", "base64": it[0], "mime_type": "application/pdf", "filename": it[1] or "a.pdf"},
            {
                "type": "file",
                "file": {"file_data": data_url("application/pdf", it[0]), "filename": it[1] or "a.pdf"},
            },
        )
    ),
    WORDS.map(lambda it: ({"type": "odd", "odd": it}, {"type": "odd", "odd": it})),
    WORDS.map(lambda it: ({"type": "non_standard", "value": text(it)}, text(it))),
)
NOT_SAID_TO_LANGCHAIN = st.sampled_from(
    [
        {"type": "reasoning", "reasoning": "hm"},
        {"type": "thinking", "thinking": "hm"},
        {"type": "tool_call", "id": "1", "name": "f", "args": {}},
        {"type": "web_search_call", "query": "x"},
        {"type": "web_search_tool_result", "content": []},
    ]
).map(lambda block: (block, None))
LANGCHAIN_BLOCKS = st.lists(SAID_TO_LANGCHAIN | NOT_SAID_TO_LANGCHAIN, max_size=6)
ARGUMENTS = st.dictionaries(WORDS, WORDS | st.integers() | st.none(), max_size=3)
CALLS = st.lists(ARGUMENTS, max_size=3)

PNG, WAV, PDF = b"\x89PNG\r\n\x1a\n", b"RIFF\x24\x00\x00\x00WAVEfmt ", b"%PDF-1.4 "
SAID_TO_LLAMAINDEX = st.one_of(
    WORDS.map(lambda it: (TextBlock(text=it), [text(it)])),
    BYTES.map(lambda it: (ImageBlock(image=PNG + it), [image(data_url("image/png", in_64(PNG + it)))])),
    st.tuples(BYTES.map(b"\xff".__add__), IMAGE_TYPES, st.sampled_from(["low", "high"])).map(
        lambda it: (
            ImageBlock(image=it[0], image_mimetype=it[1], detail=it[2]),
            [image(data_url(it[1], in_64(it[0])), detail=it[2])],
        )
    ),
    URLS.map(lambda it: (ImageBlock(url=it), [image(it)])),
    BYTES.map(lambda it: (AudioBlock(audio=WAV + it, format="wav"), [sound(in_64(WAV + it), "wav")])),
    st.tuples(BYTES, WORDS).map(
        lambda it: (
            DocumentBlock(data=PDF + it[0], title=it[1] or "a", document_mimetype="application/pdf"),
            [
                {
                    "type": "file",
                    "file": {
                        "filename": it[1] or "a",
                        "file_data": data_url("application/pdf", in_64(PDF + it[0])),
                    },
                }
            ],
        )
    ),
    st.tuples(WORDS, WORDS).map(
        lambda it: (
            CitableBlock(title=it[0], source="s", content=[TextBlock(text=it[1])]),
            [text(f"{it[0]} (s):"), text(it[1])],
        )
    ),
    WORDS.map(lambda it: (ThinkingBlock(content=it), [])),
)


def in_one(parts):
    """Give parts as LlamaIndex's text is sent: in one, where there is nothing else."""
    return "\n".join(part["text"] for part in parts) if all(part["type"] == "text" for part in parts) else parts


def calls_in(message):
    return [(call["id"], json.loads(call["function"]["arguments"])) for call in message.get("tool_calls") or []]


def test_langchains_blocks_are_all_sent_in_their_order(profile):
    @profile
    @given(st.lists(LANGCHAIN_BLOCKS, max_size=4))
    def examples(turns):
        messages = [HumanMessage(content=[block for block, _ in turn]) for turn in turns]
        before = copy.deepcopy(messages)

        wire = encode_for_langchain(messages)
        assert wire == [{"role": "user", "content": [part for _, part in turn if part]} for turn in turns]
        assert messages == before
        assert encode_for_langchain(messages) == wire

    examples()


def test_every_kind_of_langchains_messages_sends_its_blocks(profile):
    @profile
    @given(LANGCHAIN_BLOCKS, LANGCHAIN_BLOCKS, LANGCHAIN_BLOCKS, CALLS)
    def examples(told, answered, returned, calls):
        messages = [
            SystemMessage(content=[block for block, _ in told]),
            AIMessage(
                content=[block for block, _ in answered],
                tool_calls=[{"id": str(at), "name": "f", "args": args} for at, args in enumerate(calls)],
            ),
            ToolMessage(content=[block for block, _ in returned], tool_call_id="0"),
        ]

        wire = encode_for_langchain(messages)
        assert [message["role"] for message in wire] == ["system", "assistant", "tool"]
        for message, blocks in zip(wire, (told, answered, returned), strict=True):
            assert (message["content"] or []) == [part for _, part in blocks if part]
        assert calls_in(wire[1]) == [(str(at), args) for at, args in enumerate(calls)]

    examples()


def test_llamaindexs_blocks_are_all_sent_in_their_order(profile):
    @profile
    @given(st.lists(st.lists(SAID_TO_LLAMAINDEX, max_size=6), max_size=4))
    def examples(turns):
        messages = [ChatMessage(role="user", blocks=[block for block, _ in turn]) for turn in turns]
        before = copy.deepcopy(messages)

        wire = encode_for_llamaindex(messages)
        expected = [in_one([part for _, parts in turn for part in parts]) for turn in turns]
        assert wire == [{"role": "user", "content": content} for content in expected]
        assert messages == before
        assert encode_for_llamaindex(messages) == wire

    examples()


def test_llamaindexs_answers_send_their_words_and_calls(profile):
    @profile
    @given(st.lists(WORDS, max_size=3), CALLS)
    def examples(words, calls):
        blocks = [TextBlock(text=word) for word in words]
        blocks += [ToolCallBlock(tool_call_id=str(at), tool_name="f", tool_kwargs=it) for at, it in enumerate(calls)]

        (wire,) = encode_for_llamaindex([ChatMessage(role="assistant", blocks=blocks)])
        assert (wire["content"] or "") == "\n".join(words)
        assert calls_in(wire) == [(str(at), args) for at, args in enumerate(calls)]

    examples()
