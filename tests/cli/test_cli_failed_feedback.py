"""`feedback --failed`: dead letters of a spool, seen and tried again."""

import pytest

from aigw.feedback._rows import Target
from aigw.feedback._spool import Spool

ACCOUNT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def dead(tmp_path):
    """Make a spool with one dead letter, for a log."""

    def dead(log_id):
        spool = Spool(tmp_path / "spool", ACCOUNT)
        spool.accept([Target("default", "log", log_id)], {"feedback": -1, "score": 7}, 0)
        spool.fail(spool.take(1), "PermissionDeniedError: not you", 1)
        spool.close()
        return tmp_path / "spool"

    return dead


def test_dead_letters_are_listed_with_their_reason(invoke, dead):
    done = invoke(None, "feedback", "--failed", "--spool", dead("log-1"))
    assert done.code == 0
    assert all(part in done.out for part in ("log-1", "PermissionDeniedError: not you", "1970-01-01", "1 failed"))


def test_dead_letters_are_listed_as_json_from_the_spool_of_the_environment(invoke, dead):
    done = invoke(None, "feedback", "--failed", "--json", AIGW_FEEDBACK_SPOOL=str(dead("log-1")))
    [letter] = done.json["failed"]
    assert (done.json["waiting"], letter["name"], letter["changes"]) == (0, "log-1", [{"feedback": -1, "score": 7}])


def test_dead_letters_are_delivered_when_they_are_tried_again(invoke, aigw_local, dead):
    log_id = invoke(aigw_local.base_url, "chat", "openai/m", "Hi", "--json").json["info"]["log_id"]
    done = invoke(aigw_local.base_url, "feedback", "--failed", "--retry", "--spool", dead(log_id), "--json")
    assert (done.code, done.json) == (0, {"waiting": 0, "failed": []})
    assert invoke(aigw_local.base_url, "logs", "get", log_id, "--json").json["score"] == 7


def test_what_fails_again_is_1(invoke, aigw_local, dead):
    done = invoke(aigw_local.base_url, "feedback", "--failed", "--retry", "--wait", "0.2", "--spool", dead("absent"))
    assert (done.code, done.out.strip()) == (1, "0 failed, 1 waiting")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--failed"], "which spool?"),
        (["--failed", "--spool", "no-such-file"], "there is no spool 'no-such-file'"),
        (["--failed", "log-1"], "--failed rates nothing"),
        (["log-1", "1", "--retry"], "--retry goes with --failed"),
    ],
)
def test_what_cannot_be_is_wrong_usage(invoke, words, says):
    done = invoke(None, "feedback", *words)
    assert (done.code, says in done.err) == (2, True)


def test_a_file_that_is_no_spool_is_said_to_be_none_and_left_alone(invoke, tmp_path):
    (tmp_path / "letter").write_text("dear all" * 1000)
    done = invoke(None, "feedback", "--failed", "--spool", tmp_path / "letter")
    assert (done.code, "not a database" in done.err) == (2, True)
    assert (tmp_path / "letter").read_text() == "dear all" * 1000
