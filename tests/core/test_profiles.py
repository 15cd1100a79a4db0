"""What is known of a model, under every spelling the gateway has for it, and nothing about what nobody can know."""

import json
import pathlib
import subprocess
import sys

import pytest
from langchain_core.language_models import ModelProfile

import aigw
from aigw import model_profile
from aigw._providers import PROVIDERS, REST_ONLY_AUTHORS, SLUG_OF_AUTHOR

DATA = pathlib.Path(aigw.__file__).with_name("_profiles.json")
MODELS = sorted(json.loads(DATA.read_text(encoding="utf-8"))["models"])

FACTS = [
    # each stands in two independent collections of model facts
    ("openai/gpt-4.1-mini", 1_047_576, 32_768, {"tool_calling", "structured_output", "image_inputs"}),
    ("openai/gpt-4o-mini", 128_000, 16_384, {"tool_calling", "structured_output", "image_inputs"}),
    ("openai/gpt-5-mini", 272_000, 128_000, {"tool_calling", "structured_output", "reasoning_output"}),
    ("openai/o3-mini", 200_000, 100_000, {"tool_calling", "structured_output", "reasoning_output"}),
    ("anthropic/claude-haiku-4.5", 200_000, 64_000, {"tool_calling", "image_inputs", "pdf_inputs"}),
    ("anthropic/claude-opus-4.5", 200_000, 64_000, {"tool_calling", "structured_output", "reasoning_output"}),
    ("google/gemini-2.5-flash", 1_048_576, 65_536, {"tool_calling", "image_inputs", "audio_inputs", "video_inputs"}),
    ("xai/grok-4", 256_000, 64_000, {"tool_calling", "reasoning_output"}),
    ("groq/openai/gpt-oss-120b", 131_072, 65_536, {"tool_calling", "structured_output", "reasoning_output"}),
    ("moonshotai/kimi-k2.6", 262_144, 262_144, {"tool_calling", "structured_output", "image_inputs"}),
    ("minimax/m3", 1_000_000, 128_000, {"tool_calling", "reasoning_output", "image_inputs"}),
    ("@cf/meta/llama-3.3-70b-instruct-fp8-fast", 24_000, 24_000, {"tool_calling"}),
    ("@cf/meta/llama-3.1-8b-instruct", 7_968, 7_968, {"text_inputs", "text_outputs"}),
    ("@cf/qwen/qwen3-30b-a3b-fp8", 32_768, 32_768, {"tool_calling", "reasoning_output"}),
]

SAME = [
    ("google-ai-studio/gemini-2.5-flash", "google/gemini-2.5-flash"),
    ("google-vertex-ai/google/gemini-2.5-pro", "google/gemini-2.5-pro"),
    ("google-vertex-ai/anthropic/claude-haiku-4-5@20251001", "anthropic/claude-haiku-4.5"),
    ("google/gemini-2.5-pro-preview-03-25", "google/gemini-2.5-pro"),
    ("google/gemini-2.0-flash-001", "google/gemini-2.0-flash"),
    ("google/gemini-3-flash", "google/gemini-3-flash-preview"),
    ("grok/grok-4", "xai/grok-4"),
    ("grok/grok-4.5", "xai/grok-4.5"),
    ("anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4.5"),
    ("anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4.5"),
    ("anthropic/claude-3-haiku", "anthropic/claude-3-haiku-20240307"),
    ("anthropic/claude-opus-4", "anthropic/claude-opus-4-20250514"),
    ("openai/gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini"),
    ("OpenAI/GPT-4.1-mini", "openai/gpt-4.1-mini"),
    ("workers-ai/@cf/meta/llama-3.1-8b-instruct", "@cf/meta/llama-3.1-8b-instruct"),
    (
        "aws-bedrock/us.anthropic.claude-haiku-4-5-20251001-v1:0",
        "aws-bedrock/anthropic.claude-haiku-4-5-20251001-v1:0",
    ),
    ("aws-bedrock/eu.anthropic.claude-sonnet-4-6", "aws-bedrock/anthropic.claude-sonnet-4-6"),
    ("minimax/m2.5", "minimax/MiniMax-M2.5"),
    ("mistral/mistral-large", "mistral/mistral-large-latest"),
]

UNKNOWN = [
    "dynamic/support",
    "cloudflare/auto",
    "custom-mine/gpt-4.1-mini",
    "gpt-4.1-mini",
    "openai/",
    "openai/gpt-4.1-mini/",
    "openai/no-such-model",
    "openai/text-embedding-3-small",
    "nobody/gpt-4.1-mini",
    "@cf/baai/bge-m3",
    "azure-openai/gpt-4.1-mini",
    "-cf/meta/llama-3.1-8b-instruct",
    "",
]

MAIN = [
    *("openai/gpt-4.1", "openai/gpt-4o", "openai/gpt-5", "openai/gpt-5.1", "openai/gpt-6-sol", "openai/o4-mini"),
    *(
        "anthropic/claude-sonnet-4.5",
        "anthropic/claude-sonnet-5",
        "anthropic/claude-opus-5",
        "anthropic/claude-fable-5",
    ),
    *("google/gemini-2.5-flash-lite", "google/gemini-3-pro", "google/gemini-3.1-pro", "google/gemini-3.8-flash"),
    *("xai/grok-3", "xai/grok-4.3", "grok/grok-4.6"),
    *("deepseek/deepseek-chat", "deepseek/deepseek-v4-pro"),
    *("mistral/mistral-small-latest", "mistral/codestral-latest"),
    *("groq/llama-3.3-70b-versatile", "groq/qwen/qwen3-32b"),
    *("@cf/meta/llama-4-scout-17b-16e-instruct", "@cf/openai/gpt-oss-120b", "@cf/moonshotai/kimi-k2.6"),
    *("alibaba/qwen3-max", "alibaba/qwen3.8-max", "moonshotai/kimi-k3", "minimax/m2.7"),
    *("perplexity-ai/sonar", "cerebras/gpt-oss-120b", "cohere/command-a-03-2025", "openrouter/z-ai/glm-5.3"),
]


@pytest.mark.parametrize(("model", "max_input", "max_output", "able"), FACTS)
def test_the_facts_of_a_model_are_these(model, max_input, max_output, able):
    profile = model_profile(model)

    assert (profile["max_input_tokens"], profile["max_output_tokens"]) == (max_input, max_output)
    assert able <= {key for key, value in profile.items() if value is True}


def test_a_profile_is_made_of_langchains_keys():
    assert model_profile("anthropic/claude-sonnet-4.6") == {
        "name": "Claude Sonnet 4.6",
        "release_date": "2026-02-17",
        "open_weights": False,
        "max_input_tokens": 1_000_000,
        "max_output_tokens": 128_000,
        "text_inputs": True,
        "image_inputs": True,
        "image_url_inputs": True,
        "pdf_inputs": True,
        "audio_inputs": False,
        "video_inputs": False,
        "text_outputs": True,
        "image_outputs": False,
        "audio_outputs": False,
        "video_outputs": False,
        "reasoning_output": True,
        "reasoning_effort_levels": ["low", "medium", "high", "max"],
        "reasoning_effort_default": "high",
        "tool_calling": True,
        "tool_call_streaming": True,
        "structured_output": True,
        "attachment": True,
        "temperature": True,
    }


@pytest.mark.parametrize(("model", "listed"), SAME)
def test_another_spelling_gives_the_same_profile(model, listed):
    assert model_profile(model) == model_profile(listed) is not None


@pytest.mark.parametrize("model", MAIN)
def test_a_main_model_of_the_catalogue_is_known(model):
    assert model_profile(model) is not None


@pytest.mark.parametrize("model", UNKNOWN)
def test_nothing_is_known_of_what_is_no_listed_chat_model(model):
    assert model_profile(model) is None


def test_a_dated_release_with_facts_of_its_own_keeps_them():
    assert model_profile("openai/gpt-4o-2024-05-13")["max_output_tokens"] == 4_096
    assert model_profile("openai/gpt-4o")["max_output_tokens"] == 16_384


def test_a_preview_that_is_not_listed_is_not_taken_for_the_model():
    assert model_profile("openai/gpt-5-preview") is None


def test_what_sources_contradict_is_left_out():
    assert "tool_calling" not in model_profile("openai/gpt-3.5-turbo")


def test_every_call_gives_a_dict_of_its_own():
    model_profile("anthropic/claude-sonnet-4.6")["reasoning_effort_levels"].clear()
    model_profile("anthropic/claude-sonnet-4.6").clear()

    assert model_profile("anthropic/claude-sonnet-4.6")["reasoning_effort_levels"] == ["low", "medium", "high", "max"]


def test_every_listed_model_has_whole_and_plausible_facts():
    for model in MODELS:
        profile = model_profile(model)

        assert profile.keys() <= ModelProfile.__annotations__.keys()
        assert profile["text_inputs"] is profile["text_outputs"] is True
        assert 1_000 <= profile.get("max_input_tokens", 1_000) <= 12_000_000
        assert 0 < profile.get("max_output_tokens", 1) <= 2_000_000


def test_the_prefix_of_every_listed_model_is_one_the_gateway_knows():
    known = {"@cf", *PROVIDERS, *SLUG_OF_AUTHOR, *REST_ONLY_AUTHORS}

    assert {model.partition("/")[0] for model in MODELS} <= known


def test_the_file_is_small_and_sorted_and_holds_hundreds_of_models():
    lines = DATA.read_text(encoding="utf-8").splitlines()[3:-1]

    assert DATA.stat().st_size < 150_000
    assert [json.loads(line.partition(":[")[0]) for line in lines] == MODELS
    assert len(MODELS) > 300


def test_the_file_is_not_read_before_it_is_asked_for():
    script = (
        "import aigw._profiles as p; assert not p._table.cache_info().currsize; "
        "p.model_profile('x'); p.model_profile('y'); print(p._table.cache_info().misses)"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)  # noqa: S603 -- our own interpreter

    assert found.stdout == "1\n"


@pytest.mark.parametrize("model", [None, 5, ["openai/gpt-4.1-mini"]])
def test_what_is_no_model_s_id_is_refused(model):
    with pytest.raises(aigw.ConfigurationError, match=r"model cannot be .*: it is an id such as"):
        model_profile(model)
