"""5: feedback on logs, deleting them, and our client on them."""

import pytest

import aigw

from .exchanges import COMPAT, OPENAI, REST, asks, chat, rest_refusal
from .rule import DOCUMENTED, GUESS
from .s5_logs import NATIVE, SECTION, ULID, one_log, patched, query, refused

add, rule = SECTION.add, SECTION.rule

# feedback
add("feedback-good", "`PATCH logs/{id}` takes `feedback` 1.", DOCUMENTED, patched({"feedback": 1}, {"feedback": 1}))
add("feedback-bad", "And -1.", DOCUMENTED, patched({"feedback": -1}, {"feedback": -1}))
add("score", "It takes a `score`.", DOCUMENTED, patched({"score": 100}, {"score": 100}))
add(
    "patch-metadata",
    "It takes `metadata` of texts, numbers and booleans.",
    DOCUMENTED,
    patched({"metadata": {"a": "b", "n": 1, "ok": True}}, {"metadata": {"a": "b", "n": 1, "ok": True}}),
)
add(
    "patch-all",
    "All three at once.",
    DOCUMENTED,
    patched({"feedback": 1, "score": 50, "metadata": {"a": "b"}}, {"feedback": 1, "score": 50, "metadata": {"a": "b"}}),
)
add(
    "patch-leaves-the-rest",
    "What a patch leaves out stays.",
    DOCUMENTED,
    patched({"score": 50}, {"feedback": 1, "score": 50}, first={"feedback": 1}),
)


@rule("patch-answers", "A patch answers `{success: true, result: {}}`.", DOCUMENTED)
def _(world):
    place, log_id = one_log(world)
    reply = place.ask(f"PATCH {{manage}}/logs/{log_id}", {"feedback": 1}, REST)
    assert reply.json() == {"result": {}, "success": True, "errors": [], "messages": []}


add("patch-refuses-feedback", "Another feedback is refused.", GUESS, refused({"feedback": 5}))
add("patch-refuses-text", "A score that is no number is refused.", GUESS, refused({"score": "high"}))
add("patch-refuses-nesting", "Metadata with nesting is refused.", GUESS, refused({"metadata": {"a": {"b": 1}}}))
add("patch-refuses-unknown-fields", "Another field is refused.", GUESS, refused({"stars": 5}))

# deleting


@rule("delete-by-filter", "`DELETE logs` deletes what its filters find, and answers `success`.", DOCUMENTED)
def _(world):
    place, log_id = one_log(world)
    place.ask(COMPAT, chat("groq/some-model"))
    reply = place.ask(f"DELETE {{manage}}/logs{query(('provider', 'eq', ['groq']))}", headers=REST)
    assert reply.json()["success"] is True
    assert [log["id"] for log in place.logs()] == [log_id]


@rule("delete-by-order-and-limit", "With `order_by` and `limit` it deletes the first of that order.", DOCUMENTED)
def _(world):
    place = world.at()
    costs = [{"cf-aig-custom-cost": f'{{"total_cost":{cost}}}'} for cost in (1, 3, 2)]
    for headers in costs:
        place.ask(OPENAI, NATIVE, headers)
    place.ask("DELETE {manage}/logs?order_by=cost&order_by_direction=desc&limit=1", headers=REST)
    assert sorted(log["cost"] for log in place.logs()) == [1, 2]


# our client


@rule("client-reads-and-rates", "Our client rates, reads, lists and finds logs.", DOCUMENTED)
def _(world):
    place, log_id = one_log(world, {"cf-aig-event-id": "evt-5"})
    gateway = place.client().gateway()
    gateway.patch_log(log_id, feedback=-1, score=7, metadata={"why": "wrong"})
    log = gateway.get_log(log_id)
    assert (log.feedback, log.score, log.metadata, log.event_id) == (-1, 7, {"why": "wrong"}, "evt-5")
    assert [log.id for log in gateway.find_logs(event_id="evt-5")] == [log_id]
    assert [log.id for log in gateway.list_logs(filters=[{"key": "feedback", "operator": "eq", "value": -1}]).logs] == [
        log_id
    ]
    assert gateway.log_request(log_id)["model"] == "gpt-5-mini"


@rule("client-cannot-find", "A log that is not there is a `LogNotFoundError` to our client.", DOCUMENTED)
def _(world):
    gateway = world.at().client().gateway()
    for ask in (gateway.get_log, gateway.log_request, lambda log_id: gateway.patch_log(log_id, feedback=1)):
        with pytest.raises(aigw.LogNotFoundError):
            ask(ULID)


@rule("client-walks-all-pages", "Our client walks all pages.", DOCUMENTED)
def _(world):
    place = world.at()
    ids = {place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"] for _ in range(3)}
    assert {log.id for log in place.client().gateway().iter_logs(per_page=2)} == ids


# what the local gateway does not have
for path in ("datasets", "evaluations", "datasets/some-id"):
    add(
        f"not-here-{path.partition('/')[0]}{'-one' if '/' in path else ''}",
        f"`{path}` is a part of the API that the local gateway does not have: 501, and says so.",
        GUESS,
        asks(f"GET {{manage}}/{path}", None, REST, **rest_refusal(501, 7000)),
    )
