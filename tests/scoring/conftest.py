"""A local gateway that has logs already, and clients to it."""

from __future__ import annotations

import json

import pytest

from aigw import AsyncAIGateway
from aigw.local import LocalGateway
from aigw.local._logs._record import LogRecord

ACCOUNT = "acme"
BEGAN = 1_790_000_000_000


def record(number, **given):
    """Give a log; three of them share a millisecond."""
    asked, answered = ({"question": number}, {"answer": 2 * number})
    fields = {
        "account": ACCOUNT,
        "gateway": "default",
        "id": f"log-{number:06d}",
        "created_at": BEGAN + number // 3,
        "provider": "openai",
        "model": f"openai/{'small' if number % 2 else 'large'}",
        "path": "chat/completions",
        "event_id": f"event-{number // 2}",
        "metadata": {"team": "search"},
        "request_body": json.dumps(asked).encode(),
        "response_body": json.dumps(answered).encode(),
    }
    return LogRecord(**{**fields, **given})


class Filled:
    """A gateway with logs in it; `patches` are those it was sent."""

    def __init__(self, local):
        self.local = local
        self.base_url = local.base_url
        self.store = local._log_store()
        self.patches = []
        patch = self.store.patch

        def counted(account, gateway, log_id, changes):
            self.patches.append(log_id)
            return patch(account, gateway, log_id, changes)

        self.store.patch = counted

    def add(self, numbers, **given):
        self.store.add_many([record(number, **given) for number in numbers])

    def client(self, **given):
        return AsyncAIGateway(ACCOUNT, "test-token", base_url=self.base_url, **given)

    def said(self, gateway="default"):
        """Give what the logs say that was judged: score, feedback and source by id."""
        rows = self.store._db.execute(
            "SELECT id, score, feedback, metadata FROM logs WHERE gateway = ? ORDER BY id", (gateway,)
        )
        found = {row["id"]: (row["score"], row["feedback"], json.loads(row["metadata"] or "{}")) for row in rows}
        return {
            log_id: (score, feedback, labels["source"])
            for log_id, (score, feedback, labels) in found.items()
            if "source" in labels
        }


@pytest.fixture
def filled():
    """Give a running gateway with 120 logs."""
    with LocalGateway() as local:
        filled = Filled(local)
        filled.add(range(120))
        yield filled


@pytest.fixture
def empty():
    """Give a running gateway without logs."""
    with LocalGateway() as local:
        yield Filled(local)
