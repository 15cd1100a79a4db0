"""8: the open questions 18 to 24: feedback, logs, management."""

import json

from .exchanges import (
    CHAT,
    OPENAI,
    REST,
    asks,
    chat,
    rest_refusal,
)
from .s8_1_to_9 import NATIVE, add, rule


# 18: feedback
def patches(changes, expected):
    """A case: one patch after another, and what the log then says."""

    def check(world):
        place = world.at()
        log_id = place.ask(OPENAI, NATIVE, {"cf-aig-metadata": '{"a":1}'}).headers["cf-aig-log-id"]
        for change in changes:
            assert place.ask(f"PATCH {{manage}}/logs/{log_id}", change, REST).status_code == 200
        log = place.log(log_id)
        assert {name: log.get(name) for name in expected} == expected

    return check


FIVE = dict.fromkeys("abcde", 1)
add(18, "feedback-0", "Feedback may be 0.", patches([{"feedback": 0}], {"feedback": 0}))
add(
    18,
    "null-clears",
    "Null clears feedback and score.",
    patches([{"feedback": 1, "score": 5}, {"feedback": None, "score": None}], {"feedback": None, "score": None}),
)
add(18, "any-finite-score", "A score is any finite number.", patches([{"score": -12.5}], {"score": -12.5}))
add(
    18,
    "metadata-is-merged",
    "Metadata is merged key by key.",
    patches([{"metadata": {"b": 2}}, {"metadata": {"a": 3}}], {"metadata": {"a": 3, "b": 2}}),
)
add(
    18,
    "metadata-null-clears",
    "Null clears all of it.",
    patches([{"metadata": None}], {"metadata": None}),
)
add(
    18,
    "five-entries-at-most",
    "A log keeps five entries; those it has stay.",
    patches([{"metadata": FIVE}, {"metadata": {"f": 6}}], {"metadata": FIVE}),
)
add(
    18,
    "the-same-patch-twice",
    "The same patch twice is the same as once.",
    patches([{"feedback": 1, "metadata": {"b": 2}}] * 2, {"feedback": 1, "metadata": {"a": 1, "b": 2}}),
)


@rule(18, "feedback-shows-on-reads", "Feedback and score show in the list and on the single log.")
def _(world):
    place = world.at()
    log_id = place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"]
    place.ask(f"PATCH {{manage}}/logs/{log_id}", {"feedback": -1, "score": 3}, REST)
    assert [(log["feedback"], log["score"]) for log in (place.log(log_id), place.logs()[0])] == [(-1, 3)] * 2


add(
    18,
    "a-log-that-is-not-written-yet",
    "A patch of a log that is not there (yet) is 404.",
    asks("PATCH {manage}/logs/not-yet", {"feedback": 1}, REST, **rest_refusal(404, 7002)),
)

# 19, 20, 21: logs


@rule(19, "20-a-page-newest-first", "A page has 20 logs, the newest first.")
def _(world):
    place = world.at()
    ids = []
    for _ in range(21):
        place.clock.now += 1
        ids.append(place.ask(OPENAI, NATIVE).headers["cf-aig-log-id"])
    assert [log["id"] for log in place.logs()] == ids[:0:-1]


@rule(19, "a-log-is-there-at-once", "A log is there as soon as its answer is.")
def _(world):
    place = world.at()
    assert [place.log(place.ask(OPENAI, NATIVE))["success"] for _ in range(5)] == [True] * 5


@rule(19, "bodies-have-their-content-type", "A raw body has the content type it was logged with.")
def _(world):
    place = world.at()
    log_id = place.ask(OPENAI, {**NATIVE, "stream": True}).headers["cf-aig-log-id"]
    reply = place.ask(f"GET {{manage}}/logs/{log_id}/response", headers=REST)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert reply.text.endswith("data: [DONE]\n\n")


@rule(19, "a-body-that-was-not-stored", "One that was not stored is 404.")
def _(world):
    place = world.at()
    log_id = place.ask(OPENAI, NATIVE, {"cf-aig-collect-log-payload": "false"}).headers["cf-aig-log-id"]
    assert place.ask(f"GET {{manage}}/logs/{log_id}/response", headers=REST).status_code == 404


@rule(20, "a-long-body-has-a-head", "Of a long body the log has a beginning, and says that it is not all.")
def _(world):
    place = world.at()
    log = place.log(place.ask(OPENAI, chat("gpt-5-mini", "x" * 300_000 + "{gw}")))
    assert (log["request_head_complete"], log["request_size"] > 300_000) == (False, True)
    assert 0 < len(log["request_head"]) < log["request_size"]


@rule(21, "long-metadata", "Metadata keys and values may be long.")
def _(world):
    place = world.at()
    labels = {"k" * 200: "v" * 4000}
    assert place.log(place.ask(OPENAI, NATIVE, {"cf-aig-metadata": json.dumps(labels)}))["metadata"] == labels


# 23, 24: REST
add(
    23,
    "the-text-of-10000",
    "The text of 10000 is “Authentication error”.",
    asks(
        CHAT,
        chat(),
        {"authorization": "Bearer bad"},
        server="tokens",
        **rest_refusal(401, 10000, "Authentication error"),
    ),
)
for name, path in (("custom-providers", "custom-providers"), ("billing", "billing/credit-balance")):
    add(
        24,
        f"not-here-{name}",
        f"`ai-gateway/{path}` is not here: 501.",
        asks(f"GET {{account}}/{path}", None, REST, **rest_refusal(501, 7000)),
    )
add(
    24,
    "not-here-routes",
    "Nor is the management of dynamic routes.",
    asks("GET {manage}/routes", None, REST, **rest_refusal(501, 7000)),
)
