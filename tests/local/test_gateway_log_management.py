"""How many logs a gateway keeps: `log_management` and its two strategies."""

import pytest

from aigw.local import LocalGateway

PATH = "/v1/acct/default/openai/chat/completions"


@pytest.fixture
def ask(open_client, kit):
    def ask(times=3, headers=None, **settings):
        client = open_client(LocalGateway(settings=settings))
        replies = [client.post(PATH, json=kit.chat(f"Call {number}"), headers=headers) for number in range(times)]
        assert [reply.status_code for reply in replies] == [200] * times
        return [reply.headers.get("cf-aig-log-id") for reply in replies], [log["id"] for log in kit.logs(client)]

    return ask


def test_at_the_limit_no_further_log_is_taken_and_none_is_named(ask):
    told, kept = ask(log_management=2, log_management_strategy="STOP_INSERTING")
    assert told[2] is None
    assert sorted(kept) == sorted(told[:2])


def test_without_a_strategy_no_further_log_is_taken(ask):
    assert len(ask(log_management=1)[1]) == 1


def test_the_oldest_logs_make_room_for_new_ones(ask):
    told, kept = ask(4, log_management=2, log_management_strategy="DELETE_OLDEST")
    assert sorted(kept) == sorted(told[2:])


@pytest.mark.parametrize("limit", [0, None])
def test_no_limit_keeps_all(ask, limit):
    assert len(ask(log_management=limit, log_management_strategy="STOP_INSERTING")[1]) == 3


def test_a_caller_cannot_ask_for_a_log_beyond_the_limit(ask):
    told, kept = ask(2, {"cf-aig-collect-log": "true"}, log_management=1)
    assert (told[1], kept) == (None, told[:1])
