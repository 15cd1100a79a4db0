"""LlamaIndex's evaluators as the gateway's feedback: each answer is judged, and its log says how it did.

    python -m examples.llamaindex_evaluation

With CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN set it asks Cloudflare, else a gateway inside this program. Its
offline model answers from the text it is given; as a judge it has no opinion, and what it says shows the way only.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from llama_index.core import Document, SummaryIndex
from llama_index.core.evaluation import FaithfulnessEvaluator, RelevancyEvaluator

from aigw import AIGateway
from aigw.local import LocalGateway
from llamaindex_aigw import CloudflareAIGateway, capture_logs

if TYPE_CHECKING:
    from aigw import Gateway

MODEL = "@cf/meta/llama-3.1-8b-instruct"
TEXT = "The depot opens at seven. A tram ticket costs two crowns. Dogs travel free on the tram."
QUESTION = "What does a tram ticket cost?"


def main() -> None:
    """Ask a question, have the answer judged twice, and read back what its log says of it."""
    with ExitStack() as stack:
        if "CLOUDFLARE_API_TOKEN" not in os.environ:
            local = stack.enter_context(LocalGateway())
            os.environ |= {
                "CLOUDFLARE_ACCOUNT_ID": "local",
                "CLOUDFLARE_API_TOKEN": "any",
                "AIGW_BASE_URL": local.base_url,
            }
        llm = CloudflareAIGateway(model=MODEL)
        stack.callback(llm.close)
        ask(llm, stack.enter_context(AIGateway()).gateway())


def ask(llm: CloudflareAIGateway, gateway: Gateway) -> None:
    """Answer the question and rate the answer; the judges' own calls are made in the same block, and not rated."""
    engine = SummaryIndex.from_documents([Document(text=TEXT)]).as_query_engine(llm=llm)
    with capture_logs() as logs:
        response = engine.query(QUESTION)
        print(f"answer, log id {logs.log_ids[-1]}: {response}")
        for evaluator in (FaithfulnessEvaluator(llm=llm), RelevancyEvaluator(llm=llm)):
            evaluation = evaluator.evaluate(query=QUESTION, response=str(response), contexts=[TEXT])
            rated = logs.feedback_from(evaluation, metadata={"judge": type(evaluator).__name__})
            show(gateway, rated[0])
    print(f"{len(logs.log_ids)} calls, 1 of them rated")


def show(gateway: Gateway, log_id: str) -> None:
    """Read a rated log back."""
    log = gateway.get_log(log_id, wait=5)
    print(f"rated, log id {log.id}: feedback {log.feedback}, score {log.score}, {log.metadata}")


if __name__ == "__main__":
    main()
