"""Score a gateway's logs on a local Ray cluster of two workers, and the same logs in this process; print JSON.

A program of its own, because Ray has threads, warnings and sockets that a test run does not allow.
"""

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

import ray

import aigw.scoring
from aigw import AsyncAIGateway
from aigw.ray import ClientSettings, judge_logs, read_logs, score_logs

base_url, folder, token = sys.argv[1:]


def judge(log):
    number = int(log.id[-6:])
    if number % 1000 == 999:
        raise ValueError(f"cannot judge {number}: {token}")
    if number % 100 == 50:
        return {"feedback": -1, "score": log.request["question"] / 8, "metadata": {"why": log.model}}
    return number % 7 / 8 if number % 10 == 0 else None


def main():
    began = time.monotonic()
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=folder)
    ray.data.DataContext.get_current().enable_progress_bars = False
    settings = ClientSettings("acme", "many", base_url, api_token=token)
    started = time.monotonic()
    first = score_logs(judge, settings, name="judge")
    scored = time.monotonic()
    marked = [{"key": "metadata.value", "operator": "eq", "value": "judge"}]
    second = score_logs(judge, settings, name="judge", filters=marked)
    filters = [{"key": "id", "operator": "contains", "value": "log-00001"}]
    verdicts = judge_logs(read_logs(settings, filters=filters), judge, settings, name="judge").take_all()
    nothing = score_logs(judge, ClientSettings("acme", "empty", base_url, api_token=token))
    ray.shutdown()
    ended = time.monotonic()
    client = AsyncAIGateway("acme", token, "one", base_url=base_url)
    here = aigw.scoring.score_logs(judge, client=client, name="judge")
    found = {
        "first": asdict(first),
        "second": asdict(second),
        "here": asdict(here),
        "verdicts": verdicts,
        "nothing": asdict(nothing),
        "settings": repr(settings),
        "seconds": {
            "start": started - began,
            "score": scored - started,
            "ray": ended - began,
            "here": time.monotonic() - ended,
        },
        "told": [
            str(path) for path in Path(folder).rglob("*") if path.is_file() and token.encode() in path.read_bytes()
        ],
    }
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
