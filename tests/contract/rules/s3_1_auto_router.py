"""3.1: request headers of the Auto Router, a beta, which chooses the model of `cloudflare/auto`."""

from .exchanges import COMPAT, Exchange, asks, chat, refusal, story
from .rule import DOCUMENTED, GUESS
from .s3_1_request_headers import SECTION

add = SECTION.add

AUTO = chat("cloudflare/auto")
HAIKU = "anthropic/claude-haiku-4-5"


def routed(model, reason=str):
    return {
        "cf-aig-routed-model": model,
        "cf-aig-routing-reason": reason,
        "cf-aig-routing-decision-id": str,
    }


def another(model):
    return model != HAIKU


add(
    "auto-names-its-choice",
    "`cloudflare/auto` on compat is answered by a model of the pool, which the answer names, with the reason.",
    DOCUMENTED,
    asks(COMPAT, AUTO, fields=routed(str, "cost_optimal_within_pool")),
)
add(
    "auto-allowed-models",
    "`cf-aig-allowed-models` says which models may be chosen; a pool of one is a reason of its own.",
    DOCUMENTED,
    asks(COMPAT, AUTO, {"cf-aig-allowed-models": HAIKU}, fields=routed(HAIKU, "forced_by_candidate_pool")),
)
add(
    "auto-allowed-models-with-a-wildcard",
    "A `*` in it stands for anything but a `/`.",
    DOCUMENTED,
    asks(COMPAT, AUTO, {"cf-aig-allowed-models": "anthropic/claude-haiku-*"}, fields=routed(HAIKU)),
)
add(
    "auto-allowed-models-that-match-nothing",
    "An entry that matches nothing is 400.",
    DOCUMENTED,
    asks(COMPAT, AUTO, {"cf-aig-allowed-models": f"{HAIKU},open*"}, **refusal(400, int)),
)
add(
    "auto-allowed-providers",
    "`cf-aig-allowed-providers` says which providers may be chosen.",
    DOCUMENTED,
    asks(
        COMPAT,
        AUTO,
        {"cf-aig-allowed-providers": "anthropic"},
        fields=routed(lambda model: model.startswith("anthropic/")),
    ),
)
add(
    "auto-turn",
    "A turn (`cf-aig-turn-id`) keeps its model.",
    DOCUMENTED,
    story(
        Exchange(COMPAT, AUTO, {"cf-aig-turn-id": "t", "cf-aig-allowed-models": HAIKU}, fields=routed(HAIKU)),
        Exchange(COMPAT, AUTO, {"cf-aig-turn-id": "t"}, fields=routed(HAIKU, "pinned_by_turn")),
    ),
)
add(
    "auto-session",
    "A session (`cf-aig-session-id`) keeps its model.",
    DOCUMENTED,
    story(
        Exchange(COMPAT, AUTO, {"cf-aig-session-id": "s", "cf-aig-allowed-models": HAIKU}, fields=routed(HAIKU)),
        Exchange(COMPAT, AUTO, {"cf-aig-session-id": "s"}, fields=routed(HAIKU)),
    ),
)
add(
    "auto-no-session-affinity",
    "`cf-aig-no-session-affinity: true` chooses anew for the call.",
    DOCUMENTED,
    story(
        Exchange(COMPAT, AUTO, {"cf-aig-session-id": "s", "cf-aig-allowed-models": HAIKU}, fields=routed(HAIKU)),
        Exchange(
            COMPAT,
            AUTO,
            {"cf-aig-session-id": "s", "cf-aig-no-session-affinity": "true"},
            fields=routed(another),
        ),
    ),
)
add(
    "auto-is-logged-by-its-choice",
    "The log names the model that was chosen.",
    GUESS,
    asks(COMPAT, AUTO, {"cf-aig-allowed-models": HAIKU}, logged={"model": HAIKU}),
)
