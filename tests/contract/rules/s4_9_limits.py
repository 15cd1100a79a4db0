"""4.9: limits."""

import json

from .exchanges import OPENAI, Exchange, chat, story
from .matching import ABSENT
from .rule import DOCUMENTED, Section

SECTION = Section("4.9", "Limits", "Limits on metadata, rules and ids are in the sections these belong to.")
add = SECTION.add

LARGE = json.dumps(chat("gpt-5-mini", "x" * (25 * 1024 * 1024))).encode()

add(
    "a-request-of-25-megabytes-is-not-cached",
    "A request of more than 25 MB is answered and not cached.",
    DOCUMENTED,
    story(
        Exchange(
            OPENAI,
            LARGE,
            {"cf-aig-collect-log": "false", "content-type": "application/json"},
            fields={"cf-aig-cache-status": ABSENT},
        ),
        settings={"cache_ttl": 600},
    ),
)
