"""The progress file: whose it is, what it keeps, and that one run has it at a time."""

import os
import sqlite3
import stat

import pytest

from aigw import ConfigurationError
from aigw.scoring._progress import Progress, default_path

ABOUT = {"account": "acme", "gateway": "default", "judge": "m:f"}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "progress.sqlite3"


def opened(path, **other):
    return Progress(path, {**ABOUT, **other})


def test_what_was_noted_is_there_for_the_next_run(path):
    first = opened(path)
    first.note("a", "scored", {"score": 1})
    first.note("b", "judged", {"score": 0.5, "metadata": {"source": "m:f"}})
    first.note("c", "failed", None, "ValueError: no")
    first.note("d", "skipped")
    first.close()
    second = opened(path)
    assert [second.is_noted(name) for name in "abcde"] == [True, True, False, True, False]
    assert list(second.undelivered()) == [("b", {"score": 0.5, "metadata": {"source": "m:f"}})]
    second.close()


def test_only_its_owner_can_read_it(path):
    opened(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(("name", "value"), [("account", "other"), ("gateway", "other"), ("judge", "m:g")])
def test_it_belongs_to_one_gateway_and_judge(path, name, value):
    opened(path).close()
    with pytest.raises(ConfigurationError, match=f"its {name} is"):
        opened(path, **{name: value})


def test_one_run_has_it_at_a_time(path):
    first = opened(path)
    with pytest.raises(ConfigurationError, match="another run has it"):
        opened(path)
    first.close()
    opened(path).close()


def test_another_file_is_no_progress_file(path):
    path.write_bytes(b"something else altogether" * 100)
    with pytest.raises(ConfigurationError, match="no progress file"):
        opened(path)


def test_a_newer_version_is_refused(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9")
    db.close()
    with pytest.raises(ConfigurationError, match="version 9"):
        opened(path)


def test_a_folder_that_is_not_there_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        opened(tmp_path / "nowhere" / "progress.sqlite3")


def test_judging_again_lasts_until_it_has_ended(path):
    first = opened(path)
    first.note("a", "scored")
    first.begin_again()
    first.close()
    second = opened(path)
    assert second.is_again
    assert not second.is_noted("a")
    second.end_again()
    assert not second.is_again
    second.close()


def test_the_default_file_is_named_by_gateway_and_judge():
    assert os.fspath(default_path("shop", "judges:is polite/..")) == "aigw-score-shop-judges-is-polite-...sqlite3"
