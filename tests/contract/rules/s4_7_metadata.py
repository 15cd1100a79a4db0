"""4.7: metadata."""

import json

import pytest

from aigw import ConfigurationError

from .exchanges import CHAT, OPENAI, REST, asks, chat
from .matching import ABSENT
from .rule import DOCUMENTED, OBSERVED, Section

SECTION = Section("4.7", "Metadata", "The caller's labels, in `cf-aig-metadata`.")
add, rule = SECTION.add, SECTION.rule

NATIVE = chat("gpt-5-mini")
SIX = {f"k{index}": index for index in range(6)}
FIVE = {f"k{index}": index for index in range(5)}


def logged(given, kept):
    """A case: of these labels the log keeps those."""
    text = given if isinstance(given, str) else json.dumps(given)
    exactly = {"metadata": lambda found: found == kept} if kept else {"metadata": ABSENT}
    return asks(OPENAI, NATIVE, {"cf-aig-metadata": text}, logged=exactly)


add("five-entries", "A call has up to five entries.", DOCUMENTED, logged(FIVE, FIVE))
add("the-first-five", "Of more the first five are kept.", DOCUMENTED, logged(SIX, FIVE))
for name, value in (("text", "gold"), ("number", 12.5), ("boolean", False)):
    add(f"a-{name}", f"A value may be a {name}.", DOCUMENTED, logged({"k": value}, {"k": value}))
for name, value in (("null", None), ("object", {"a": 1}), ("array", [1])):
    add(
        f"a-{name}-loses-all",
        f"One value that is {'null' if name == 'null' else 'an ' + name} loses the whole metadata; the call goes on.",
        OBSERVED,
        logged({"ok": "yes", "k": value}, None),
    )
add(
    "cf-keys-are-removed",
    "Keys that begin with `cf.` are taken out.",
    DOCUMENTED,
    logged({"cf.user_id": "x", "k": 1}, {"k": 1}),
)
add(
    "cf-keys-do-not-count",
    "They do not count among the five.",
    DOCUMENTED,
    logged({"cf.a": 1, **FIVE}, FIVE),
)
add(
    "on-rest",
    "It holds on REST too.",
    DOCUMENTED,
    asks(CHAT, chat(), {**REST, "cf-aig-metadata": '{"k":1}'}, logged={"metadata": {"k": 1}}),
)
add("600-characters", "A value may have 600 characters.", OBSERVED, logged({"k": "x" * 600}, {"k": "x" * 600}))


@rule("it-is-not-for-the-provider", "Metadata does not become part of the provider's body.", DOCUMENTED)
def _(world):
    place = world.at()
    place.ask(OPENAI, NATIVE, {"cf-aig-metadata": '{"secret-label":1}'})
    assert "secret-label" not in json.dumps(place.requests[-1].body)


for name, value in (
    ("six-entries", SIX),
    ("a-null", {"k": None}),
    ("an-object", {"k": {}}),
    ("a-cf-key", {"cf.user_id": "x"}),
):

    def refused(world, value=value):
        place = world.at()
        with pytest.raises(ConfigurationError, match="metadata"):
            place.client().chat(NATIVE, gateway={"metadata": value})
        assert place.logs() == []

    add(
        f"client-refuses-{name}",
        f"Our client refuses {name.replace('-', ' ')}, which would be lost, before anything is sent.",
        DOCUMENTED,
        refused,
    )
