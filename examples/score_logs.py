"""A judge over the logs of a gateway: each answer is scored in its log, and a second run has nothing left to do.

    python -m examples.score_logs

With CLOUDFLARE_ACCOUNT_ID and CLOUDFLARE_API_TOKEN set it asks Cloudflare, else a gateway inside this program. The same
judge from a shell:

    cf-aigw score --judge examples.score_logs:stays_with_the_text --filter event_id:contains:score-logs-
"""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigw import AIGateway
from aigw.local import LocalGateway
from aigw.scoring import score_logs

if TYPE_CHECKING:
    from aigw import LogFilter
    from aigw.scoring import JudgedLog

MODEL = "@cf/meta/llama-3.1-8b-instruct"
TEXT = "The depot opens at seven. A tram ticket costs two crowns. Dogs travel free on the tram."
QUESTIONS = ("When does the depot open?", "What does a tram ticket cost?", "Who pays nothing on the tram?")


def stays_with_the_text(log: JudgedLog) -> dict[str, Any] | None:
    """Tell which share of the answer's words stand in the text it was asked about; of a failed call, nothing."""
    if not log.success or not isinstance(log.response, dict):
        return None
    text = log.request["messages"][-1]["content"].partition("Question: ")[0]
    answer = _words(log.response["choices"][0]["message"]["content"])
    share = len(answer & _words(text)) / max(len(answer), 1)
    return {"score": round(share, 2), "feedback": 1 if share > 0.8 else -1, "metadata": {"words": len(answer)}}


def main() -> None:
    """Ask three questions, have the answers scored, and read back what their logs say."""
    with ExitStack() as stack:
        if "CLOUDFLARE_API_TOKEN" not in os.environ:
            local = stack.enter_context(LocalGateway())
            os.environ |= {
                "CLOUDFLARE_ACCOUNT_ID": "local",
                "CLOUDFLARE_API_TOKEN": "any",
                "AIGW_BASE_URL": local.base_url,
            }
        client = stack.enter_context(AIGateway())
        event_id = f"score-logs-{uuid.uuid4()}"
        log_ids = [ask(client, question, event_id) for question in QUESTIONS]
        for log_id in log_ids:
            client.gateway().get_log(log_id or "", wait=5)
        score(Path(stack.enter_context(tempfile.TemporaryDirectory())), event_id)
        for log in client.gateway().find_logs(event_id=event_id):
            print(f"log id {log.id}: score {log.score}, feedback {log.feedback}, {log.metadata}")


def ask(client: AIGateway, question: str, event_id: str) -> str | None:
    """Ask a question about the text; give the log's id."""
    messages = [{"role": "user", "content": f"{TEXT}\nQuestion: {question}"}]
    answer = client.chat({"model": MODEL, "messages": messages}, gateway={"event_id": event_id})
    print(f"{question} {answer.text}")
    return answer.info.log_id


def score(folder: Path, event_id: str) -> None:
    """Score the logs of these questions twice, with a progress file."""
    filters: list[LogFilter] = [{"key": "event_id", "operator": "eq", "value": event_id}]
    for run in ("first", "second"):
        summary = score_logs(stays_with_the_text, filters=filters, progress=folder / "progress.sqlite3", name="text")
        print(f"{run} run: {summary.scored} scored, {summary.already} already, {summary.failed} failed")


def _words(text: str) -> set[str]:
    return {word.strip(".,?!").lower() for word in text.split()}


if __name__ == "__main__":
    main()
