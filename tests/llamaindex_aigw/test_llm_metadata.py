"""What an LLM says of its model: what was given, then what is known, then a default."""

import pytest

from llamaindex_aigw import CloudflareAIGateway


def metadata_of(model, **fields):
    metadata = CloudflareAIGateway(model=model, **fields).metadata
    return metadata.context_window, metadata.num_output, metadata.is_function_calling_model


@pytest.mark.parametrize("model", ["dynamic/my-route", "nobody/has-heard-of-it", "@cf/nobody/unknown"])
def test_an_unknown_model_has_a_large_window_and_calls_tools(model):
    assert metadata_of(model) == (128_000, 256, True)


@pytest.mark.parametrize("model", ["openai/gpt-4.1-mini", "openai/gpt-4.1-mini-2025-04-14"])
def test_a_known_model_has_its_profiles_numbers(model):
    assert metadata_of(model) == (1_047_576, 32_768, True)


def test_an_answer_is_left_at_most_a_quarter_of_the_window():
    window, answer, _ = metadata_of("openai/gpt-5-mini")
    assert (window, answer) == (272_000, 68_000)


def test_what_was_given_wins():
    given = {"context_window": 4096, "max_tokens": 100, "is_function_calling_model": False}
    assert metadata_of("openai/gpt-4.1-mini", **given) == (4096, 100, False)


def test_a_model_that_calls_no_tools_is_known():
    assert metadata_of("@cf/deepseek-ai/deepseek-r1-distill-qwen-32b")[2] is False


@pytest.mark.parametrize(
    ("model", "said", "takes"),
    [
        ("openai/gpt-4.1-mini", None, True),
        ("openai/gpt-4.1-mini", False, False),
        ("dynamic/my-route", None, False),
        ("dynamic/my-route", True, True),
    ],
)
def test_a_schema_is_taken_where_the_profile_or_the_user_says_so(model, said, takes):
    assert CloudflareAIGateway(model=model, is_structured_output_model=said)._takes_schema() is takes


def test_a_models_metadata_needs_no_client():
    llm = CloudflareAIGateway(model="openai/gpt-4.1-mini")
    assert llm.metadata.model_name == "openai/gpt-4.1-mini"
    assert (llm._clients._sync, llm._clients._async) == ({}, {})
