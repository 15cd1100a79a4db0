"""The LLM as an object: what it says of itself, its secrets, its copies, several event loops."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle

import pytest
from llama_index.core import Settings
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.function_calling import FunctionCallingLLM

from .kit import Conformance, ask, question

COPIES = {
    "pickle": lambda llm: pickle.loads(pickle.dumps(llm)),  # noqa: S301 our own pickle
    "deepcopy": copy.deepcopy,
    "copy": copy.copy,
}


class ObjectCases(Conformance):
    async def test_it_is_one_of_llamaindexs_llms(self, llm):
        assert {BaseLLM, FunctionCallingLLM} <= set(type(llm).__mro__)

    async def test_it_has_a_name_of_its_own(self, llm):
        inherited = {base.class_name() for base in type(llm).__mro__[1:] if hasattr(base, "class_name")}
        assert llm.class_name() not in {"base_component", "base_llm", "custom_llm"} | (inherited - {llm.class_name()})

    async def test_it_chats_and_calls_tools(self, llm):
        """LlamaIndex's defaults say it does neither, and everything degrades without a word."""
        assert llm.metadata.is_chat_model
        assert llm.metadata.is_function_calling_model

    async def test_its_window_holds_its_answer(self, llm):
        assert llm.metadata.context_window > max(llm.metadata.num_output, 0)

    async def test_any_model_id_has_metadata(self, server):
        for model in self.model_ids:
            llm = self.new_llm(server.url, model=model)
            assert llm.metadata.model_name == model
            assert llm.metadata.context_window > 0

    async def test_making_one_asks_for_nothing(self, server):
        self.new_llm(server.url)
        assert server.bodies == []

    @pytest.mark.parametrize("show", ["repr", "str", "to_dict", "to_json", "to_payload"])
    async def test_no_secret_is_shown(self, llm, show):
        shown = repr(llm) if show == "repr" else str(llm) if show == "str" else getattr(llm, show, dict)()
        assert self.secret not in str(shown)

    async def test_it_can_be_written_down(self, llm):
        assert json.loads(llm.to_json())["class_name"] == llm.class_name()

    @pytest.mark.parametrize("make", COPIES)
    async def test_a_copy_of_a_used_one_works(self, llm, make):
        llm.chat(question("chat"))
        await llm.achat(question("chat"))
        again = COPIES[make](llm)
        assert again.chat(question("chat")).message.content == "Hello, Ada"
        assert (await again.achat(question("chat"))).message.content == "Hello, Ada"
        await self.close_llm(again)

    @pytest.mark.parametrize("make", COPIES)
    async def test_a_copy_is_asked_the_same_way(self, server, make):
        llm = self.new_llm(server.url, temperature=0.25)
        COPIES[make](llm).chat(question("chat"))
        assert server.bodies[0]["temperature"] == 0.25

    def test_two_event_loops_are_two_requests(self, server):
        """A client tied to the first loop fails in the second after its request was received, and a retry bills it."""
        llm = self.new_llm(server.url)

        async def call():
            (response,) = await ask(llm, "achat")
            return response.message.content

        assert [asyncio.run(call()) for _ in range(3)] == ["Hello, Ada"] * 3
        assert len(server.bodies) == 3

    async def test_calls_at_once_do_not_mix(self, llm, server):
        answers = await asyncio.gather(*(llm.achat(question("chat", f"Question {n}")) for n in range(8)))
        assert [answer.message.content for answer in answers] == ["Hello, Ada"] * 8
        assert sorted(body["messages"][0]["content"] for body in server.bodies) == [f"Question {n}" for n in range(8)]

    async def test_settings_take_it(self, llm, monkeypatch):
        monkeypatch.setattr(Settings, "_llm", None)
        Settings.llm = llm
        assert Settings.llm is llm

    async def test_settings_give_it_their_callback_manager(self, llm, monkeypatch):
        manager = CallbackManager([])
        monkeypatch.setattr(Settings, "_llm", None)
        monkeypatch.setattr(Settings, "_callback_manager", manager)
        Settings.llm = llm
        assert Settings.llm.callback_manager is manager
