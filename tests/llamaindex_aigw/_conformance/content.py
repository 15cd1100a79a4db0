"""What messages hold beside text: images, sound, documents, thoughts; and what cannot be sent."""

from __future__ import annotations

import base64

import pytest
from llama_index.core.base.llms.types import (
    AudioBlock,
    ChatMessage,
    DocumentBlock,
    ImageBlock,
    TextBlock,
    ThinkingBlock,
    VideoBlock,
)

from .kit import Conformance, ask
from .server import Turn

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01"
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00"
PDF = b"%PDF-1.4 test document"


def _ask_with(llm, server, *blocks):
    llm.chat([ChatMessage(role="user", blocks=[TextBlock(text="See:"), *blocks])])
    return server.bodies[0]["messages"][0]["content"]


class ContentCases(Conformance):
    async def test_an_image_is_sent(self, llm, server):
        if not self.takes_images:
            pytest.skip("this integration takes no images")
        text, image = _ask_with(llm, server, ImageBlock(image=PNG, detail="low"))
        assert text == {"type": "text", "text": "See:"}
        assert image["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
        assert image["image_url"]["detail"] == "low"

    async def test_an_image_on_the_web_is_sent_by_its_address(self, llm, server):
        if not self.takes_images:
            pytest.skip("this integration takes no images")
        _, image = _ask_with(llm, server, ImageBlock(url="https://example.com/a.png"))
        assert image["image_url"]["url"] == "https://example.com/a.png"

    async def test_sound_is_sent(self, llm, server):
        if not self.takes_audio:
            pytest.skip("this integration takes no sound")
        _, sound = _ask_with(llm, server, AudioBlock(audio=WAV, format="wav"))
        assert sound["input_audio"] == {"data": base64.b64encode(WAV).decode(), "format": "wav"}

    async def test_a_document_is_sent(self, llm, server):
        if not self.takes_documents:
            pytest.skip("this integration takes no documents")
        block = DocumentBlock(data=PDF, title="a.pdf", document_mimetype="application/pdf")
        _, document = _ask_with(llm, server, block)
        assert document["file"]["file_data"] == f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"

    async def test_what_cannot_be_sent_is_named(self, llm, server):
        with pytest.raises((ValueError, TypeError), match=r"(?i)video"):
            _ask_with(llm, server, VideoBlock(video=b"v"))
        assert server.bodies == []

    async def test_texts_of_one_message_stay_in_order(self, llm, server):
        sent = _ask_with(llm, server, TextBlock(text="one"), TextBlock(text="two"))
        text = sent if isinstance(sent, str) else "".join(part["text"] for part in sent)
        assert text.index("See:") < text.index("one") < text.index("two")

    async def test_thoughts_of_earlier_turns_are_no_speech(self, llm, server):
        blocks = [ThinkingBlock(content="Hm."), TextBlock(text="Yes.")]
        llm.chat([ChatMessage(role="assistant", blocks=blocks), ChatMessage(role="user", content="Sure?")])
        assert "Hm." not in str(server.bodies[0]["messages"][0]["content"])

    @pytest.mark.parametrize("method", ["chat", "stream_chat", "achat", "astream_chat"])
    async def test_thoughts_are_a_block_of_their_own(self, llm, server, method):
        if not self.thinks:
            pytest.skip("this integration reads no reasoning")
        server.say(Turn(thoughts=("Let me ", "see."), text=("Yes", ".")))
        message = (await ask(llm, method))[-1].message
        assert [block.content for block in message.blocks if isinstance(block, ThinkingBlock)] == ["Let me see."]
        assert message.content == "Yes."

    @pytest.mark.parametrize("method", ["stream_chat", "astream_chat"])
    async def test_thoughts_stream_as_thinking_delta(self, llm, server, method):
        """Agents pass it on as it comes."""
        if not self.thinks:
            pytest.skip("this integration reads no reasoning")
        server.say(Turn(thoughts=("Let me ", "see."), text=("Yes.",)))
        told = [response.additional_kwargs.get("thinking_delta") for response in await ask(llm, method)]
        assert [thought for thought in told if thought] == ["Let me ", "see."]

    async def test_messages_stay_as_they_were(self, llm):
        messages = [
            ChatMessage(role="user", blocks=[TextBlock(text="See:"), ImageBlock(image=PNG)]),
            ChatMessage(role="assistant", content="Yes."),
        ]
        before = [message.model_dump_json() for message in messages]
        llm.chat(messages)
        assert [message.model_dump_json() for message in messages] == before
