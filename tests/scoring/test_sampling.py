"""A sample is the same for every process, and a smaller one is part of a larger."""

import subprocess
import sys

import pytest

from aigw import ConfigurationError, GatewayLog
from aigw.scoring._sampling import check_sample, is_sampled

LOGS = [GatewayLog.model_validate({"id": f"log-{n}", "event_id": f"event-{n // 2}"}) for n in range(4000)]


def sampled(share):
    return {log.id for log in LOGS if is_sampled(log, share)}


def test_a_sample_is_about_its_share():
    assert 300 < len(sampled(0.1)) < 500
    assert len(sampled(1)) == 4000


def test_the_logs_of_one_event_are_in_it_together():
    chosen = sampled(0.1)
    assert all((f"log-{n}" in chosen) == (f"log-{n + 1}" in chosen) for n in range(0, 4000, 2))


def test_a_smaller_sample_is_part_of_a_larger():
    assert sampled(0.1) < sampled(0.3) < sampled(0.9)


def test_another_process_takes_the_same():
    program = (
        "from aigw import GatewayLog\nfrom aigw.scoring._sampling import is_sampled\n"
        "print(*(n for n in range(200) if is_sampled(GatewayLog(id=f'log-{n}'), 0.2)))"
    )
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={"PYTHONHASHSEED": "7"},
    )
    own = [n for n in range(200) if is_sampled(GatewayLog.model_validate({"id": f"log-{n}"}), 0.2)]
    assert [int(n) for n in done.stdout.split()] == own


@pytest.mark.parametrize("share", [0, -1, 1.5, True, "0.1", float("nan")])
def test_what_is_no_share_is_refused(share):
    with pytest.raises(ConfigurationError, match="share"):
        check_sample(share)
