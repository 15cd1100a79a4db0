"""Score with a judge that writes down that it was asked: what `test_scoring_killed` starts and kills."""

import sys
from pathlib import Path

from aigw import AsyncAIGateway
from aigw.scoring import score_logs

base_url, progress, asked = sys.argv[1:]


def judge(log):
    with Path(asked).open("a") as file:
        file.write(f"{log.id}\n")
    return int(log.id[-6:])


client = AsyncAIGateway("acme", "test-token", base_url=base_url)
score_logs(judge, client=client, name="judge", progress=progress, concurrency=4)
