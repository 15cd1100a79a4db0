"""A conformance suite for LlamaIndex's `FunctionCallingLLM`: subclass it, and pytest asks your integration everything.

LlamaIndex has none of its own. This one knows no integration: it stands on LlamaIndex, pytest, pytest-asyncio (with
`asyncio_mode = "auto"`) and the standard library, and brings the server it asks, an OpenAI-compatible one on a real
loopback socket that answers in written turns. Take this file and the folder `_conformance` beside it:

    from .conformance import FunctionCallingLLMConformance

    class TestMyLLM(FunctionCallingLLMConformance):
        def new_llm(self, url, **fields):
            return MyLLM(**{"model": "my-model", "api_base": f"{url}/v1", "api_key": self.secret, **fields})

A case that demands what not every integration does says in its docstring why it is right to.

To show that it is fair, it is also asked of LlamaIndex's own OpenAI integration (`test_conformance_openai.py`). Of 367
cases that one passes 310; what it fails is in `OPENAI_FAILS`, each with why it is right to demand it.
"""

from __future__ import annotations

from typing import Final

from ._conformance.content import ContentCases
from ._conformance.endpoints import EndpointCases
from ._conformance.objects import ObjectCases
from ._conformance.structured import StructuredCases
from ._conformance.telling import TellingCases
from ._conformance.tools import ToolCases


class FunctionCallingLLMConformance(EndpointCases, TellingCases, ToolCases, StructuredCases, ContentCases, ObjectCases):
    """All cases.

    Give `new_llm(url, **fields)`: an LLM that asks the server at `url`, has `self.secret` for its credential and does
    not retry; `fields` are arguments of its constructor. Override what does not fit:

    Attributes:
        secret: The credential; nothing published may hold it.
        structured: The fields of an LLM that is asked for objects by `schema`, and of one by `tools`; leave out a way
            that the integration does not know.
        model_ids: Ids that must have metadata; none to begin with, since not every integration takes any id.
        thinks: Whether reasoning (`reasoning_content`) is read.
        takes_images, takes_audio, takes_documents: What messages may hold.

    `async close_llm(llm)` gives back connections, where an integration has a way to.
    """


OPENAI_FAILS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "test_the_last_raw_has_the_servers_usage": (
        ("stream",),
        "it does not ask for a stream's usage, and so LlamaIndex's counters guess",
    ),
    "test_the_token_counts_are_in_additional_kwargs": (("stream",), "as the usage in `raw`"),
    "test_tokens_are_counted_as_the_server_counts": (
        ("stream",),
        "as the usage in `raw`: 5 and 4 are counted for 7 and 5",
    ),
    "test_a_stream_that_says_nothing_is_no_error": (
        ("stream_complete",),
        "it yields nothing, of which LlamaIndex's event at the end makes a ValidationError in the user's loop",
    ),
    "test_a_stream_left_early_frees_its_connection": (
        (),
        "the connection is held until the garbage is collected, and the model goes on writing, which is paid for",
    ),
    "test_without_tools_nothing_is_said_of_them": (
        (),
        "it sends `parallel_tool_calls` without tools, which the API refuses",
    ),
    "test_the_history_stays_as_it_was": ((), "it appends the user's message to the list it was given"),
    "test_the_keywords_that_are_given_stay_as_they_were": (
        ("schema",),
        "it puts `response_format` into the dict it was given, and the caller's next call sends it",
    ),
    "test_the_system_prompt_is_kept": (
        ("[astructured_predict-tools]",),
        "it leaves async to LlamaIndex's program, which drops the system prompt that the sync one sends",
    ),
    "test_else_the_tool_is_required": (
        ("stream",),
        "it leaves the tool to the model's choice, and an answer in words is an empty object",
    ),
    "test_a_wrong_object_is_an_error": (
        ("stream",),
        "the stream ends in `FlexiblePerson`, which has been checked by nobody",
    ),
    "test_an_object_that_was_cut_off_is_an_error": (
        ("stream", "-tools"),
        "the JSON is completed by guess: an age of 36 cut to 3 is given as 3",
    ),
    "test_words_instead_of_a_call_are_an_error": (("stream",), "the stream ends in an empty `FlexiblePerson`"),
    "test_a_prediction_starts_once_and_ends_once": (
        ("[structured_predict-schema]", "[astructured_predict-schema]"),
        "asked by schema it tells of no prediction; as a stream it does",
    ),
    "test_no_secret_is_shown": (
        ("repr", "str", "to_dict", "to_json"),
        "the key is a plain field: it is in every traceback and log line that shows the model",
    ),
    "test_a_copy_of_a_used_one_works": (("deepcopy",), "it holds a client, which cannot be copied deeply"),
    "test_two_event_loops_are_two_requests": (
        (),
        "its async client belongs to the first loop: the second call fails, or is sent twice when it may retry",
    ),
}
"""What `llama-index-llms-openai` 0.8.3 with `llama-index-core` 0.14.25 fails: the parameters (all, if none) and why."""
