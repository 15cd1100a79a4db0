"""How errors show what they refuse: whole where it is short, the beginning where it is long."""

import pytest

import aigw
from aigw import AIGateway, ConfigurationError
from aigw.integration import check_texts, shown

LONG = "x" * 100_000


@pytest.fixture
def client():
    with AIGateway("0123456789abcdef0123456789abcdef", "token", base_url="http://127.0.0.1:1") as client:
        yield client


def chat(client, **options):
    return client.chat({"model": "openai/gpt-4.1-mini", "messages": []}, gateway=options)


@pytest.mark.parametrize("value", ["short", "x" * 200, None, 5, {"a": [1]}, b"ab", "\ud800"])
def test_a_short_value_is_shown_as_python_writes_it(value):
    assert shown(value) == repr(value)


@pytest.mark.parametrize("value", [LONG, LONG.encode(), [LONG], {LONG: LONG}, list(range(10_000))])
def test_of_a_long_value_the_beginning_is_shown(value):
    assert shown(value) == repr(value)[:200] + "..."


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.chat({"model": LONG, "messages": []}),
        lambda client: client.run(LONG, {}),
        lambda client: client.gateway(LONG),
        lambda client: chat(client, cache_ttl=LONG),
        lambda client: chat(client, metadata=[LONG]),
        lambda client: chat(client, metadata={"a": [LONG]}),
        lambda client: chat(client, **{LONG: 1}),
        lambda client: client.gateway().patch_log("log", feedback=LONG),
        lambda client: client.gateway().patch_log("log", score=LONG),
        lambda client: client.gateway().patch_log("log", metadata=[LONG]),
        lambda client: client.gateway().get_log(LONG + "\n"),
        lambda client: client.gateway().list_logs(filters=[LONG]),
        lambda client: client.gateway().list_logs(filters=[{"key": LONG, "operator": "eq", "value": 1}]),
        lambda client: client.gateway().list_logs(order_by=LONG),
        lambda client: client.gateway().list_logs(page=LONG),
        lambda client: client.gateway().get_url(LONG + " "),
        lambda _: AIGateway(timeout=LONG),
        lambda _: AIGateway(base_url=LONG).chat({"model": "a/b", "messages": []}),
        lambda client: aigw.LogResolver(client).feedback([LONG]),
        lambda client: aigw.LogResolver(client).feedback("log", which=LONG),
    ],
)
def test_an_error_does_not_repeat_a_long_value(client, ask):
    with pytest.raises(ConfigurationError) as caught:
        ask(client)
    assert len(str(caught.value)) < 1000


def test_texts_are_given_as_a_list():
    assert check_texts(("a", "b")) == check_texts(iter("ab")) == ["a", "b"]


@pytest.mark.parametrize("texts", [None, 5, "a text", b"bytes"])
def test_what_is_no_list_of_texts_is_refused(texts):
    with pytest.raises(ConfigurationError, match=r"texts cannot be .*: they are a list of texts"):
        check_texts(texts)


@pytest.mark.parametrize("wrong", [None, 5, b"b", ["b"]])
def test_what_is_no_text_among_texts_is_refused(wrong):
    with pytest.raises(ConfigurationError, match="text number 2 cannot be"):
        check_texts(["a", wrong])
