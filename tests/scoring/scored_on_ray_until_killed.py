"""Score on a local Ray cluster with a judge that never says the same twice: what `test_ray_killed` starts and kills.

It writes down who its workers are, and kills one of them once; before there is a file `go` it does not come to the end.
"""

import os
import signal
import sys
import time
from pathlib import Path

import ray

from aigw.ray import ClientSettings, score_logs

base_url, cluster, place, token = sys.argv[1:]
DIES_AT, STOPS_AT = 30, 150


def judge(log):
    number, folder = int(log.id[-6:]), Path(place)
    (folder / f"worker-{os.getpid()}").touch()
    if number == DIES_AT and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    while number >= STOPS_AT and not (folder / "go").exists():
        time.sleep(0.05)
    return {"score": time.monotonic_ns()}


def main():
    ray.init(num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", _temp_dir=cluster)
    ray.data.DataContext.get_current().enable_progress_bars = False
    summary = score_logs(
        judge, ClientSettings("acme", base_url=base_url, api_token=token), name="judge", logs_per_task=30
    )
    sys.stdout.write(f"{summary.total} {summary.read} {summary.scored} {summary.undelivered}")


if __name__ == "__main__":
    main()
