"""4.6: data loss prevention."""

import json
from urllib.parse import quote

from .exchanges import CHAT, OPENAI, REST, asks, chat, refusal, rest_refusal
from .rule import DOCUMENTED, GUESS, Section

SECTION = Section("4.6", "Data loss prevention", "The local gateway's profile `test` finds the word `dlp-test`.")
add = SECTION.add

BAD = chat("gpt-5-mini", "dlp-test of {gw}")
GOOD = chat("gpt-5-mini")
LEAK = ("here is dlp-test",)
REQUEST_BLOCKED = "Request content blocked due to DLP policy violations"
RESPONSE_BLOCKED = "Response content blocked due to DLP policy violations"


def simple(action="BLOCK"):
    return {"dlp": {"enabled": True, "action": action, "profiles": ["test"]}}


def policy(action="BLOCK", check=("REQUEST", "RESPONSE"), **more):
    one = {"id": "p1", "action": action, "check": list(check), "enabled": True, "profiles": ["test"], **more}
    return {"dlp": {"enabled": True, "policies": [one]}}


def told(**wanted):
    """A pattern: a `cf-aig-dlp` field whose action and findings are these."""

    def fits(value):
        dlp = json.loads(value)
        checks = [(finding["check"], finding["policy_ids"]) for finding in dlp["findings"]]
        return (dlp["action"], checks) == (wanted["action"], wanted["findings"])

    return {"cf-aig-dlp": fits}


add(
    "request-blocked",
    "A blocked request has code 2029.",
    DOCUMENTED,
    asks(OPENAI, BAD, settings=simple(), **refusal(400, 2029, REQUEST_BLOCKED)),
)
add(
    "response-blocked",
    "A blocked answer has code 2030.",
    DOCUMENTED,
    asks(OPENAI, GOOD, settings=simple(), script=LEAK, **refusal(400, 2030, RESPONSE_BLOCKED)),
)
add(
    "request-blocked-on-rest",
    "On REST too.",
    GUESS,
    asks(CHAT, chat(text="dlp-test {gw}"), REST, settings=simple(), **rest_refusal(400, 2029, REQUEST_BLOCKED)),
)
add(
    "a-flag-lets-pass",
    "A flag lets the call pass.",
    DOCUMENTED,
    asks(OPENAI, BAD, settings=simple("FLAG"), script=LEAK),
)
add(
    "the-header-on-a-flag",
    "`cf-aig-dlp` tells of a flag, at either side.",
    DOCUMENTED,
    asks(
        OPENAI,
        BAD,
        settings=policy("FLAG"),
        script=LEAK,
        fields=told(action="FLAG", findings=[("REQUEST", ["p1"]), ("RESPONSE", ["p1"])]),
    ),
)
add(
    "the-header-on-a-block",
    "And of a block, with the policies that matched.",
    DOCUMENTED,
    asks(
        OPENAI,
        BAD,
        settings=policy(),
        status=400,
        fields=told(action="BLOCK", findings=[("REQUEST", ["p1"])]),
    ),
)
add(
    "a-policy-for-requests",
    "A policy may look at requests only.",
    DOCUMENTED,
    asks(OPENAI, GOOD, settings=policy(check=["REQUEST"]), script=LEAK),
)
add(
    "a-policy-for-responses",
    "Or at answers only.",
    DOCUMENTED,
    asks(OPENAI, BAD, settings=policy(check=["RESPONSE"]), script=("fine",)),
)
add(
    "a-policy-may-be-off",
    "A policy may be off.",
    DOCUMENTED,
    asks(OPENAI, BAD, settings=policy(enabled=False)),
)
add(
    "all-may-be-off",
    "All of DLP may be off.",
    DOCUMENTED,
    asks(OPENAI, BAD, settings={"dlp": {**simple()["dlp"], "enabled": False}}),
)
for action, status in (("FLAG", 200), ("BLOCK", 400)):
    add(
        f"the-log-says-{action.lower()}",
        f"The log's `dlp_action` is `{action}`.",
        DOCUMENTED,
        asks(OPENAI, BAD, settings=simple(action), status=status, logged={"dlp_action": action}),
    )


def filtered(world):
    place = world.at(**simple("FLAG"))
    flagged, _ = place.ask(OPENAI, BAD), place.ask(OPENAI, GOOD)
    filters = quote(json.dumps([{"key": "dlp_action", "operator": "eq", "value": ["FLAG"]}]))
    assert [log["id"] for log in place.logs(f"?filters={filters}")] == [flagged.headers["cf-aig-log-id"]]


add("dlp-action-is-a-filter", "Logs are found by `dlp_action`.", DOCUMENTED, filtered)
add(
    "another-profile",
    "A profile that is not named is not looked for.",
    DOCUMENTED,
    asks(OPENAI, BAD, settings={"dlp": {"enabled": True, "action": "BLOCK", "profiles": ["secrets"]}}),
)
