"""Dynamic routes, providers of one's own, and the native paths of every provider."""

import json

import pytest

from aigw._providers import PROVIDERS
from aigw.local import LocalGateway, ScriptUpstream
from aigw.local._routing._dynamic import Router, Walk
from aigw.local._spending._windows import Windows

COMPAT = "/v1/acct/gw/compat/chat/completions"
CHAT = [{"role": "user", "content": "hi"}]


def start(to):
    return {"id": "start", "type": "start", "outputs": {"next": {"elementId": to}}}


def model(name, provider="openai", fallback=None, success="end", **properties):
    outputs = {"success": {"elementId": success}} | ({"fallback": {"elementId": fallback}} if fallback else {})
    properties = {"provider": provider, "model": name, "retries": 0, "timeout": 0} | properties
    return {"id": name, "type": "model", "outputs": outputs, "properties": properties}


def element(kind, outputs, **properties):
    outputs = {name: {"elementId": to} for name, to in outputs.items()}
    return {"id": kind, "type": kind, "outputs": outputs, "properties": properties}


END = {"id": "end", "type": "end", "outputs": {}}
TWO = [start("a"), model("a", fallback="b"), model("b", provider="anthropic"), END]
PLANS = [
    start("conditional"),
    element("conditional", {"true": "a", "false": "b"}, conditions={"metadata.plan": {"$eq": "gold"}}),
    model("a"),
    model("b"),
    END,
]


@pytest.fixture
def gateway(open_client):
    def gateway(elements, *says, **more):
        upstream = ScriptUpstream([*says] or [{"text": "fine", "times": "forever"}])
        return open_client(LocalGateway(upstream=upstream, routes={"support": {"elements": elements}}, **more))

    return gateway


def ask(client, name="support", **headers):
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    return client.post(COMPAT, json={"model": f"dynamic/{name}", "messages": CHAT}, headers=fields)


def test_a_route_ends_in_a_model_and_says_which(gateway, kit):
    client = gateway(TWO)
    reply = ask(client)
    assert (reply.status_code, reply.headers["cf-aig-model"]) == (200, "openai/a")
    log = kit.log(client, reply.headers["cf-aig-log-id"], "gw")
    assert (log["provider"], log["model"], log["compatibilityMode"]) == ("openai", "openai/a", True)


def test_a_model_that_fails_has_a_fallback(gateway, kit):
    client = gateway(TWO, 500, "from b")
    reply = ask(client)
    assert (reply.headers["cf-aig-model"], reply.json()["choices"][0]["message"]["content"]) == (
        "anthropic/b",
        "from b",
    )
    assert len(kit.logs(client, "gw")) == 1


def test_the_last_models_error_is_the_routes(gateway):
    reply = ask(gateway(TWO, 500, {"status": 418, "message": "short and stout"}))
    assert (reply.status_code, reply.json()["error"]["message"]) == (418, "short and stout")


def test_a_model_is_tried_again_as_the_route_says(gateway):
    elements = [start("a"), model("a", retries=2), END]
    assert ask(gateway(elements, 500, 500, "third"), cf_aig_retry_delay="0").status_code == 200


def test_a_models_timeout_leads_to_its_fallback(gateway):
    elements = [start("a"), model("a", fallback="b", timeout=20), model("b"), END]
    assert ask(gateway(elements, {"text": "late", "delay": 5000}, "b")).headers["cf-aig-model"] == "openai/b"


def test_a_stream_comes_through_a_route(gateway, kit):
    client = gateway(TWO, 503, "streamed well")
    body = {"model": "dynamic/support", "messages": CHAT, "stream": True}
    reply = client.post(COMPAT, json=body)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert kit.log(client, reply.headers["cf-aig-log-id"], "gw")["model"] == "anthropic/b"


@pytest.mark.parametrize(("plan", "chosen"), [("gold", "openai/a"), ("free", "openai/b")])
def test_a_condition_looks_at_the_metadata(gateway, plan, chosen):
    reply = ask(gateway(PLANS), cf_aig_metadata=json.dumps({"plan": plan}))
    assert reply.headers["cf-aig-model"] == chosen


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"metadata.plan": "gold"}, True),
        ({"metadata.plan": {"$ne": "gold"}}, False),
        ({"metadata.plan": {"$in": ["free", "gold"]}}, True),
        ({"metadata.none": {"$in": ["gold"]}}, False),
        ({"$and": [{"metadata.plan": "gold"}, {"body.stream": True}]}, True),
        ({"$or": [{"metadata.plan": "free"}, {"headers.x-team": "a"}]}, True),
        ({"$or": [{"metadata.plan": "free"}]}, False),
        ({"metadata.plan": {"$unheard": 1}}, False),
        ({}, True),
    ],
)
def test_conditions_are_read(condition, holds):
    elements = [*PLANS[:1], element("conditional", {"true": "a", "false": "b"}, conditions=condition), *PLANS[2:]]
    facts = {"metadata": {"plan": "gold"}, "body": {"stream": True}, "headers": {"x-team": "a"}}
    route = Router({"r": elements}, Windows(lambda: 0.0))
    assert next(route.walk("dynamic/r", Walk(("a", "g", "r"), facts))).model == ("a" if holds else "b")


@pytest.mark.parametrize(
    ("drawn", "chosen"), [(0.0, "a"), (0.09, "a"), (0.1, "b"), (0.59, "b"), (0.6, "c"), (1.0, "c")]
)
def test_percentages_share_the_calls(drawn, chosen):
    elements = [
        start("percentage"),
        element("percentage", {"10%": "a", "50%": "b", "else": "c"}),
        *map(model, "abc"),
        END,
    ]
    route = Router({"r": elements}, Windows(lambda: 0.0), lambda: drawn)
    assert next(route.walk("dynamic/r", Walk((), {}))).model == chosen


def test_a_rate_by_key_falls_back(gateway):
    rate = element(
        "rate", {"success": "a", "fallback": "b"}, limitType="count", key="metadata.user", limit=1, window=60
    )
    client = gateway([start("rate"), rate, model("a"), model("b"), END], clock=lambda: 1000.0)
    chosen = [ask(client, cf_aig_metadata=f'{{"user":"{user}"}}').headers["cf-aig-model"] for user in "xxy"]
    assert chosen == ["openai/a", "openai/b", "openai/a"]


def test_a_rate_without_a_fallback_ends_the_route(gateway):
    rate = element("rate", {"success": "a"}, limitType="count", key="metadata.user", limit=1, window=60)
    client = gateway([start("rate"), rate, model("a"), END], clock=lambda: 1000.0)
    assert ask(client).status_code == 200
    assert ask(client).json()["internalCode"] == 2003


def test_a_rate_can_count_dollars(gateway):
    rate = element("rate", {"success": "a", "fallback": "b"}, limitType="cost", key="", limit=0.5, window=60)
    client = gateway([start("rate"), rate, model("a"), model("b"), END], clock=lambda: 1000.0)
    priced = {"cf_aig_custom_cost": '{"total_cost":0.6}'}
    assert [ask(client, **priced).headers["cf-aig-model"] for _ in range(2)] == ["openai/a", "openai/b"]


def test_a_model_without_a_key_has_failed_and_the_route_goes_on(gateway):
    elements = [start("a"), model("a", fallback="w"), model("w", provider="workers-ai"), END]
    assert ask(gateway(elements, settings={"byok_only": True})).headers["cf-aig-model"] == "w"


def test_a_graph_that_goes_in_circles_ends(gateway):
    elements = [start("c"), {"id": "c", "type": "conditional", "outputs": {"true": {"elementId": "c"}}}]
    assert ask(gateway(elements)).json()["internalCode"] == 2005


def test_another_route_does_not_exist_where_there_are_any(gateway):
    assert ask(gateway(TWO), "other").json()["internalCode"] == 7003


def test_a_route_exists_whichever_models_do(gateway):
    client = gateway(TWO, models=["anthropic/*"])
    assert ask(client).status_code == 200
    assert ask(client, "other").json()["internalCode"] == 7003


def test_every_route_exists_where_there_are_none(open_client):
    assert ask(open_client(LocalGateway())).status_code == 200


def test_a_step_of_the_universal_endpoint_may_be_a_route(gateway):
    step = {
        "provider": "compat",
        "endpoint": "chat/completions",
        "query": {"model": "dynamic/support", "messages": CHAT},
    }
    reply = gateway(TWO).post("/v1/acct/gw", json=[step])
    assert reply.headers["cf-aig-model"] == "openai/a"


def test_routes_are_read_from_a_file(tmp_path, open_client):
    path = tmp_path / "routes.json"
    path.write_text(json.dumps({"support": {"elements": TWO}}))
    assert ask(open_client(LocalGateway(routes=path))).headers["cf-aig-model"] == "openai/a"


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({}, "array of elements"),
        ([END], "one start"),
        ([start("nowhere")], "no element 'nowhere'"),
        ([{"id": "x", "type": "teleport"}], "expected a type"),
        ([{"type": "start"}], "needs an id"),
        ([start("m"), {"id": "m", "type": "model", "properties": {"model": "x"}}], "properties.provider"),
        ([start("rate"), element("rate", {}, limit=1, window=0)], "properties.window"),
        ([start("m"), model("m", success="m", retries="two")], "properties.retries"),
        ([start("conditional"), element("conditional", {}, conditions=["x"])], "each condition is an object"),
        ([start("conditional"), element("conditional", {}, conditions={"$or": {"a": 1}})], "wants an array"),
        ([start("percentage"), element("percentage", {"60%": "start"})], "100 %"),
        ([start("percentage"), element("percentage", {"60%": "start", "50%": "start"})], "100 %"),
        ([{"id": "start", "type": "start", "outputs": {"next": "a"}}], "elementId"),
    ],
)
def test_a_route_that_is_none_is_refused_by_name(elements, named):
    with pytest.raises(ValueError, match=named):
        LocalGateway(routes={"support": elements})


def test_a_provider_may_have_an_upstream_of_its_own(open_client):
    mine = ScriptUpstream(["mine"], provider="custom-mine")
    client = open_client(LocalGateway(upstream=ScriptUpstream(["shared"]), upstreams={"custom-mine": mine}))
    path = "/v1/acct/gw/custom-mine/v1/chat/completions"
    reply = client.post(path, json={"model": "m", "messages": CHAT})
    assert (reply.headers["cf-aig-provider"], reply.json()["choices"][0]["message"]["content"]) == (
        "custom-mine",
        "mine",
    )
    compat = client.post(COMPAT, json={"model": "openai/m", "messages": CHAT})
    assert compat.json()["choices"][0]["message"]["content"] == "shared"
    assert mine.requests[0].body["model"] == "m"


def test_a_custom_provider_can_be_asked_by_compat(open_client):
    mine = ScriptUpstream(["mine"], provider="custom-mine")
    client = open_client(LocalGateway(upstreams={"custom-mine": mine}))
    client.post(COMPAT, json={"model": "custom-mine/some/model", "messages": CHAT})
    assert mine.requests[0].body["model"] == "some/model"


NATIVE = [(slug, kind, path) for slug, row in PROVIDERS.items() for kind, path in row.paths.items()]
BODIES = {
    "chat": {"model": "@cf/m/m", "messages": CHAT},
    "embeddings": {"model": "@cf/m/m", "input": "hi"},
    "responses": {"model": "@cf/m/m", "input": "hi"},
    "messages": {"model": "@cf/m/m", "messages": CHAT, "max_tokens": 5},
}


@pytest.mark.parametrize(("slug", "kind", "path"), NATIVE, ids=[f"{slug}-{kind}" for slug, kind, _ in NATIVE])
def test_a_providers_own_path_is_answered(socket_client, slug, kind, path):
    reply = socket_client.post(f"/v1/acct/gw/{slug}/{path}", json=BODIES[kind])
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize("slug", [slug for slug, row in PROVIDERS.items() if not row.paths])
def test_a_path_of_another_shape_says_how_it_would_be_answered(socket_client, slug):
    reply = socket_client.post(f"/v1/acct/gw/{slug}/some/path", json={})
    assert (reply.status_code, reply.json()["internalCode"]) == (501, 7000)
    assert f"POST {slug}/some/path" in reply.json()["message"]
    assert f'upstreams={{"{slug}": ForwardUpstream("{slug}"' in reply.json()["message"]


def test_azure_names_the_model_in_the_path(open_client):
    upstream = ScriptUpstream(["hi"])
    client = open_client(LocalGateway(upstream=upstream))
    path = "/v1/acct/gw/azure-openai/my-resource/my-deployment/chat/completions?api-version=2024-10-21"
    assert client.post(path, json={"messages": CHAT}, headers={"api-key": "k"}).status_code == 200
    assert upstream.requests[0].body["model"] == "my-deployment"
