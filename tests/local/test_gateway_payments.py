"""Machine payments (x402) on `/ai/run`."""

import json
from base64 import b64decode, b64encode

import pytest

from aigw.local import LocalGateway

PAYS = {"payment-method": "x402"}
SIGNED = {"payment-signature": b64encode(b'{"x402Version":2,"payload":{}}').decode()}
BODY = {"model": "openai/gpt-5-mini", "input": {"messages": [{"role": "user", "content": "hi"}]}}


@pytest.fixture
def client(open_client):
    return open_client(LocalGateway(switches={"credits": 0.0}))


def run(client, kit, *headers, path="/run", body=BODY):
    given = {name: value for one in (kit.token, *headers) for name, value in one.items()}
    return client.post(kit.rest + path, json=body, headers=given)


def test_a_call_that_has_not_paid_is_told_what_is_demanded(client, kit):
    reply = run(client, kit, PAYS)
    demand = json.loads(b64decode(reply.headers["payment-required"]))
    assert (reply.status_code, demand["x402Version"], len(demand["accepts"])) == (402, 2, 1)


def test_a_call_that_has_paid_needs_no_credits(client, kit):
    assert run(client, kit).status_code == 402
    assert run(client, kit, PAYS, SIGNED).status_code == 200


@pytest.mark.parametrize("signature", ["", "x", "e30", "MQ=="])
def test_what_is_no_signature_pays_nothing(client, kit, signature):
    assert run(client, kit, PAYS, {"payment-signature": signature}).status_code == 402


def test_elsewhere_the_method_means_nothing(client, kit):
    reply = run(client, kit, PAYS, SIGNED, path="/v1/chat/completions", body=kit.chat())
    assert (reply.status_code, reply.json()["errors"][0]["code"]) == (402, 2021)


def test_the_signature_goes_to_no_provider(open_client, kit):
    upstream = kit.Scripted(kit.completion("hi"))
    assert run(open_client(LocalGateway(upstream=upstream)), kit, PAYS, SIGNED).status_code == 200
    assert {"payment-method", "payment-signature"}.isdisjoint(upstream.asked[0][2])
