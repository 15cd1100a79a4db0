"""The chat model as an object: names, copies, secrets, serialization, tracing; no call is made."""

import copy
import pickle
import subprocess
import sys

import httpx
import pytest
from langchain_core.load import dumpd, dumps, load
from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField

import aigw
import langchain_aigw
from langchain_aigw import ChatCloudflareAIGateway

SECRETS = {"api_token": "test-token", "provider_key": "test-provider-key"}
FIELDS = {"model": "openai/gpt-5-mini", "account_id": "acct", "gateway_id": "g", "base_url": "http://127.0.0.1:1"}


def make(**fields):
    return ChatCloudflareAIGateway(**{**FIELDS, **SECRETS, **fields})


def test_the_package_exports_its_names_and_the_cores_version():
    assert langchain_aigw.__all__ == [
        "AIGatewayCallbackHandler",
        "ChatCloudflareAIGateway",
        "CloudflareAIGatewayEmbeddings",
        "RecordedCall",
        "__version__",
        "capture_logs",
        "get_cost_callback",
    ]
    assert langchain_aigw.__version__ == aigw.__version__
    assert {*langchain_aigw.__all__} <= {*dir(langchain_aigw)}


def test_an_unknown_export_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Chat'"):
        _ = langchain_aigw.Chat


def test_importing_the_package_imports_no_langchain():
    code = "import langchain_aigw, sys; sys.exit('langchain_core' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603  our own code


@pytest.mark.parametrize(
    ("alias", "name", "value"),
    [
        ("model_name", "model", "m"),
        ("api_key", "api_token", "test-token"),
        ("request_timeout", "timeout", 5),
        ("max_completion_tokens", "max_tokens", 5),
        ("stop_sequences", "stop", ["x"]),
    ],
)
def test_a_field_is_known_by_its_other_name_too(alias, name, value):
    given = {key: field for key, field in {**FIELDS, **SECRETS}.items() if key != name}
    field = getattr(ChatCloudflareAIGateway(**{**given, alias: value}), name)
    assert (field.get_secret_value() if name == "api_token" else field) == value


def test_the_model_is_also_called_model_name():
    assert make().model_name == "openai/gpt-5-mini"


def test_making_a_model_needs_no_account_and_no_token():
    assert ChatCloudflareAIGateway(model="m").api_token is None


def test_the_first_call_asks_for_what_is_missing():
    with pytest.raises(aigw.ConfigurationError, match="CLOUDFLARE_ACCOUNT_ID"):
        ChatCloudflareAIGateway(model="openai/gpt-5-mini").invoke("hi")


def test_no_secret_shows_anywhere():
    model = make()
    shown = [
        repr(model),
        str(model),
        str(model.model_dump()),
        model.model_dump_json(),
        dumps(model),
        str(model.asdict()),
    ]
    shown += [str(model._get_invocation_params()), str(model._get_ls_params()), model._get_llm_string()]
    assert [text for text in shown if "test-token" in text or "test-provider-key" in text] == []


def test_secrets_are_serialized_as_names():
    kwargs = dumpd(make())["kwargs"]
    assert kwargs["api_token"] == {"lc": 1, "type": "secret", "id": ["CLOUDFLARE_API_TOKEN"]}
    assert kwargs["provider_key"] == {"lc": 1, "type": "secret", "id": ["AIGW_PROVIDER_KEY"]}


@pytest.mark.filterwarnings("ignore:The function `load` is in beta")
def test_a_model_goes_through_langchains_serialization_and_back():
    model = make(
        temperature=0.5, max_completion_tokens=5, gateway_options={"metadata": {"a": 1}}, model_kwargs={"top_k": 1}
    )
    loaded = load(
        dumpd(model),
        allowed_objects=[ChatCloudflareAIGateway],
        valid_namespaces=["langchain_aigw"],
        secrets_map={"CLOUDFLARE_API_TOKEN": "test-token", "AIGW_PROVIDER_KEY": "test-provider-key"},
    )
    assert loaded.model_dump() == model.model_dump()


@pytest.mark.parametrize("again", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])  # noqa: S301
def test_a_deep_copy_is_equal_and_has_clients_of_its_own(again):
    model = make()
    client = model._sync_client()
    copied = again(model)
    assert copied == model
    assert copied._sync_client() is not client


@pytest.mark.parametrize("again", [copy.copy, lambda model: model.model_copy(update={"temperature": 0.5})])
def test_a_shallow_copy_shares_the_clients(again):
    model = make()
    client = model._sync_client()
    assert again(model)._sync_client() is client


def test_models_are_equal_by_their_settings_and_not_by_their_clients():
    assert make() == make()
    assert make() != make(gateway_id="other")
    assert make() != "a model"


def test_the_clients_are_in_no_dump():
    model = make()
    model._sync_client()
    shown = [repr(model), str(model.model_dump()), dumps(model), str(model.asdict()), model._get_llm_string()]
    assert [text for text in shown if "clients" in text.replace("http_clients", "")] == []


def configured(original, **values):
    """Rebuild a model as LangChain does when a field of it is configured for one call."""
    fields = {name: ConfigurableField(id=name) for name in values}
    return original.configurable_fields(**fields)._prepare({"configurable": values})[0]


def test_a_configured_model_shares_the_clients():
    model = make()
    assert configured(model, model="openai/gpt-5")._sync_client() is model._sync_client()


def test_a_configured_model_still_streams_when_somebody_listens():
    assert configured(make(), temperature=0.5)._streaming_disabled() is False


def test_a_copy_shares_the_callers_own_client():
    with httpx.Client() as client:
        assert copy.deepcopy(make(http_client=client)).http_client is client


def test_the_callers_own_clients_are_in_no_dump():
    with httpx.Client() as client:
        model = make(http_client=client)
        assert "http_client" not in model.model_dump()
        assert "http_client" not in dumpd(model)["kwargs"]


def test_a_model_makes_one_client_and_another_when_its_settings_change():
    model = make()
    first = model._sync_client()
    assert model._sync_client() is first
    model.gateway_id = "other"
    assert model._sync_client().gateway_id == "other"


def test_a_copy_that_connects_elsewhere_has_a_client_of_its_own():
    model = make()
    assert model._sync_client().gateway_id == "g"
    assert model.model_copy(update={"gateway_id": "other"})._sync_client().gateway_id == "other"
    assert model._sync_client().gateway_id == "g"


@pytest.mark.parametrize(
    ("name", "value"),
    [("model", "m2"), ("gateway_id", "g2"), ("account_id", "acct2"), ("base_url", "http://127.0.0.1:2")],
)
def test_langchains_cache_tells_models_gateways_and_accounts_apart(name, value):
    assert make()._get_llm_string() != make(**{name: value})._get_llm_string()
    assert make()._identifying_params != make(**{name: value})._identifying_params


def test_langchains_cache_tells_a_changed_copy_from_its_original():
    model = make()
    assert model._get_llm_string() != model.model_copy(update={"model": "m2"})._get_llm_string()


def test_tracers_learn_the_provider_the_model_and_the_sampling():
    params = make(temperature=0.5, max_tokens=5, stop="x")._get_ls_params()
    assert params == {
        "ls_provider": "cloudflare_ai_gateway",
        "ls_model_name": "openai/gpt-5-mini",
        "ls_model_type": "chat",
        "ls_temperature": 0.5,
        "ls_max_tokens": 5,
        "ls_stop": ["x"],
    }


def test_tracers_learn_of_a_calls_own_model():
    assert make()._get_ls_params(model="m2", stop=["y"])["ls_model_name"] == "m2"


def test_tracers_learn_the_versions_of_core_and_of_this_package():
    class Mine(ChatCloudflareAIGateway):
        pass

    assert {"langchain-core", "aigw"} <= {*Mine(model="m").metadata["lc_versions"]}


def test_the_metadata_given_stays_as_it_was():
    given = {"team": "search"}
    make(metadata=given)
    assert given == {"team": "search"}


def test_tokens_are_estimated_without_a_download():
    model = make()
    assert model.get_num_tokens("abcdefgh") == 2
    assert model.get_num_tokens_from_messages([HumanMessage("abcdefgh")]) == 6
    assert model.get_num_tokens_from_messages([HumanMessage("abcdefgh")], tools=[print_it]) > 6


def print_it(text: str) -> None:
    """Print a text."""
    print(text)  # noqa: T201  a tool that does something


def test_the_callers_own_way_to_count_tokens_is_used():
    assert make(custom_get_token_ids=lambda text: [0] * len(text)).get_num_tokens("abc") == 3
