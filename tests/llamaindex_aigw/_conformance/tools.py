"""Tools: offered, chosen, called, answered; whole and streamed, sync and async."""

from __future__ import annotations

import pytest
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock

from .kit import FAILING, TOOL_METHODS, WEATHER, Conformance, gather, start
from .server import Call, Turn

BERN = Call("c1", "weather", ('{"ci', 'ty": "Be', 'rn"}'))
OSLO = Call("c2", "weather", ('{"city": "Oslo"}',))
ONE = Turn(calls=(BERN,))
TWO = Turn(calls=(BERN, OSLO))
ARGUMENTS = '{"city": "Bern"}'
WORDS = Turn(text=("It is ", "21 degrees."))


def _arguments(call) -> str:
    """Give the arguments of a call in additional_kwargs: a dict, or an object of a client's library."""
    return call["function"]["arguments"] if isinstance(call, dict) else call.function.arguments


async def _ask(llm, method, tools=(WEATHER,), user_msg="Bern?", **kwargs):
    return await gather(await start(llm, method, list(tools), user_msg, **kwargs))


class ToolCases(Conformance):
    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_tools_are_offered_with_their_schemas(self, llm, server, method):
        server.say(ONE)
        await _ask(llm, method)
        (function,) = [tool["function"] for tool in server.bodies[0]["tools"]]
        assert function["name"] == "weather"
        assert "Tell the weather in a city." in function["description"]
        assert function["parameters"]["properties"]["city"]["type"] == "string"

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_a_call_is_a_block(self, llm, server, method):
        server.say(ONE)
        blocks = (await _ask(llm, method))[-1].message.blocks
        (call,) = [block for block in blocks if isinstance(block, ToolCallBlock)]
        assert (call.tool_call_id, call.tool_name) == ("c1", "weather")
        assert call.tool_kwargs in (ARGUMENTS, {"city": "Bern"})

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_a_call_is_in_additional_kwargs(self, llm, server, method):
        """LlamaIndex's streamed structured output looks there and nowhere else."""
        server.say(ONE)
        (call,) = (await _ask(llm, method))[-1].message.additional_kwargs["tool_calls"]
        assert _arguments(call) == ARGUMENTS

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_a_call_is_a_selection(self, llm, server, method):
        server.say(ONE)
        (selection,) = llm.get_tool_calls_from_response((await _ask(llm, method))[-1])
        assert (selection.tool_id, selection.tool_name, selection.tool_kwargs) == ("c1", "weather", {"city": "Bern"})

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_calls_side_by_side_stay_apart(self, llm, server, method):
        server.say(TWO)
        last = (await _ask(llm, method, allow_parallel_tool_calls=True))[-1]
        found = [(call.tool_id, call.tool_kwargs) for call in llm.get_tool_calls_from_response(last)]
        assert found == [("c1", {"city": "Bern"}), ("c2", {"city": "Oslo"})]

    @pytest.mark.parametrize("method", TOOL_METHODS[:2])
    async def test_of_several_calls_one_is_left_where_one_is_allowed(self, llm, server, method):
        """`predict_and_call` raises a bare "Invalid" for a second call; an API may send one although told not to."""
        server.say(TWO)
        (response,) = await _ask(llm, method)
        assert [call.tool_id for call in llm.get_tool_calls_from_response(response)] == ["c1"]

    @pytest.mark.parametrize("method", TOOL_METHODS[2:])
    async def test_calls_can_be_read_at_every_piece_of_a_stream(self, llm, server, method):
        """Agents do so: what is unfinished is as far as it goes, and never an error."""
        server.say(ONE)
        found = [
            llm.get_tool_calls_from_response(response, error_on_no_tool_call=False)
            for response in await _ask(llm, method)
        ]
        assert {call.tool_name for calls in found for call in calls} == {"weather"}
        assert found[-1][0].tool_kwargs == {"city": "Bern"}

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_a_tool_can_be_required(self, llm, server, method):
        server.say(ONE)
        await _ask(llm, method, tool_required=True)
        assert server.bodies[0]["tool_choice"] == "required"

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_a_tool_can_be_chosen_by_name(self, llm, server, method):
        server.say(ONE)
        await _ask(llm, method, tool_choice="weather")
        assert server.bodies[0]["tool_choice"] == {"type": "function", "function": {"name": "weather"}}

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_without_tools_nothing_is_said_of_them(self, llm, server, method):
        """APIs refuse an empty list, and a choice among nothing."""
        server.say(WORDS)
        await _ask(llm, method, tools=())
        assert not {"tools", "tool_choice", "parallel_tool_calls"} & server.bodies[0].keys()

    @pytest.mark.parametrize("method", TOOL_METHODS)
    @pytest.mark.parametrize("message", ["Bern?", ChatMessage(role="user", content="Bern?")])
    async def test_the_history_stays_as_it_was(self, llm, server, method, message):
        """The list is the caller's, often an agent's memory."""
        server.say(ONE)
        history = [ChatMessage(role="system", content="Be brief.")]
        await _ask(llm, method, user_msg=message, chat_history=history)
        assert history == [ChatMessage(role="system", content="Be brief.")]
        assert [sent["content"] for sent in server.bodies[0]["messages"]] == ["Be brief.", "Bern?"]

    async def test_an_answer_without_a_call_is_an_error_unless_it_may_be(self, llm, server):
        server.say(WORDS)
        response = llm.chat_with_tools([WEATHER], "Bern?")
        assert llm.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
        with pytest.raises(ValueError, match=r"."):
            llm.get_tool_calls_from_response(response)

    @pytest.mark.parametrize("arguments", ["", "{", "no json", "[1]", "null"])
    async def test_arguments_that_are_no_object_are_none(self, llm, server, arguments):
        server.say(Turn(calls=(Call("c1", "weather", (arguments,)),)))
        (selection,) = llm.get_tool_calls_from_response(llm.chat_with_tools([WEATHER], "Bern?"))
        assert selection.tool_kwargs == {}

    async def test_calls_and_results_go_back_to_the_model(self, llm, server):
        block = ToolCallBlock(tool_call_id="c1", tool_name="weather", tool_kwargs={"city": "Bern"})
        llm.chat(
            [
                ChatMessage(role="user", content="Bern?"),
                ChatMessage(role="assistant", blocks=[block]),
                ChatMessage(role="tool", content="21", additional_kwargs={"tool_call_id": "c1"}),
            ]
        )
        _, call, result = server.bodies[0]["messages"]
        assert call["tool_calls"][0]["id"] == "c1"
        assert call["tool_calls"][0]["function"] == {"name": "weather", "arguments": ARGUMENTS}
        assert (result["role"], result["tool_call_id"], result["content"]) == ("tool", "c1", "21")

    @pytest.mark.parametrize("method", TOOL_METHODS)
    async def test_an_answer_can_be_sent_back_as_it_is(self, llm, server, method):
        server.say(ONE, WORDS)
        answer = (await _ask(llm, method))[-1].message
        llm.chat([ChatMessage(role="user", content="Bern?"), answer])
        sent = server.bodies[1]["messages"][1]
        assert [call["function"]["arguments"] for call in sent["tool_calls"]] == [ARGUMENTS]

    @pytest.mark.parametrize("method", ["predict_and_call", "apredict_and_call"])
    async def test_a_called_tool_is_run(self, llm, server, method):
        server.say(ONE)
        assert str(await start(llm, method, [WEATHER], "Bern?")) == "It is 21 degrees in Bern."

    @pytest.mark.parametrize("method", ["predict_and_call", "apredict_and_call"])
    async def test_several_called_tools_are_run(self, llm, server, method):
        server.say(TWO)
        answer = await start(llm, method, [WEATHER], "Bern?", allow_parallel_tool_calls=True)
        assert [source.content for source in answer.sources] == [
            "It is 21 degrees in Bern.",
            "It is 21 degrees in Oslo.",
        ]

    @pytest.mark.parametrize("method", ["predict_and_call", "apredict_and_call"])
    async def test_a_tools_error_is_told_or_raised(self, llm, server, method):
        server.say(ONE)
        assert "no weather in Bern" in str(await start(llm, method, [FAILING], "Bern?"))
        with pytest.raises(ValueError, match="no weather in Bern"):
            await start(llm, method, [FAILING], "Bern?", error_on_tool_error=True)

    @pytest.mark.parametrize("method", ["predict_and_call", "apredict_and_call"])
    async def test_no_call_is_an_error_unless_it_may_be(self, llm, server, method):
        server.say(WORDS)
        with pytest.raises(ValueError, match=r"."):
            await start(llm, method, [WEATHER], "Bern?")
        answer = await start(llm, method, [WEATHER], "Bern?", error_on_no_tool_call=False)
        assert str(answer) == "It is 21 degrees."

    @pytest.mark.parametrize("streaming", [True, False])
    @pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
    async def test_a_function_agent_calls_the_tool_and_answers(self, llm, server, streaming):
        server.say(ONE, WORDS)
        output = await FunctionAgent(tools=[WEATHER], llm=llm, streaming=streaming).run("Bern?")
        assert str(output) == "It is 21 degrees."
        result = server.bodies[1]["messages"][-1]
        assert (result["role"], result["content"]) == ("tool", "It is 21 degrees in Bern.")

    @pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
    async def test_a_workflow_knows_that_the_model_calls_tools(self, llm):
        workflow = AgentWorkflow.from_tools_or_functions([WEATHER], llm=llm)
        assert [type(agent) for agent in workflow.agents.values()] == [FunctionAgent]

    @pytest.mark.parametrize("streaming", [True, False])
    @pytest.mark.filterwarnings("ignore::pydantic.warnings.PydanticDeprecationWarning")
    @pytest.mark.filterwarnings("ignore:is_running called from within a step:DeprecationWarning")
    async def test_a_react_agent_calls_the_tool_and_answers(self, llm, server, streaming):
        server.say(
            Turn(text=("Thought: I need a tool.\nAction: weather\n", 'Action Input: {"city": "Bern"}')),
            Turn(text=("Thought: I can answer.\n", "Answer: 21 degrees.")),
        )
        output = await ReActAgent(tools=[WEATHER], llm=llm, streaming=streaming).run("Bern?")
        assert str(output) == "21 degrees."
        assert "It is 21 degrees in Bern." in server.bodies[1]["messages"][-1]["content"]

    async def test_text_beside_a_call_is_kept(self, llm, server):
        server.say(Turn(text=("Let me look.",), calls=(BERN,)))
        message = llm.chat_with_tools([WEATHER], "Bern?").message
        assert TextBlock(text="Let me look.") in message.blocks
        assert message.content == "Let me look."
