"""What cannot be run here is skipped with a sentence, unless the run says that it must be there."""

import json

import pytest

from . import needs


def missing_program():
    return needs.require.program("no-such-program", how="apt-get install it")


def missing_path(tmp_path):
    return needs.require.path(tmp_path / "nowhere", how="make it")


def test_what_is_there_is_given(tmp_path):
    assert needs.require.program("sh", how="").endswith("sh")
    assert needs.require.path(tmp_path, how="") == tmp_path
    assert needs.require.module("json", how="") is json


def test_what_is_missing_skips_and_says_how_to_have_it(tmp_path, monkeypatch):
    monkeypatch.setattr(needs, "_REQUIRED", frozenset())
    with pytest.raises(pytest.skip.Exception, match="no-such-program is missing; to have it: apt-get install it"):
        missing_program()
    with pytest.raises(pytest.skip.Exception, match="nowhere is missing; to have it: make it"):
        missing_path(tmp_path)
    with pytest.raises(pytest.skip.Exception, match=r"json\.nowhere is missing"):
        needs.require.module("json.nowhere", how="")


def test_what_must_be_there_fails(monkeypatch):
    monkeypatch.setattr(needs, "_REQUIRED", {"programs"})
    with pytest.raises(pytest.fail.Exception, match="no-such-program is missing"):
        missing_program()


def test_the_kinds_are_asked_for_one_by_one(monkeypatch):
    monkeypatch.setattr(needs, "_REQUIRED", {"modules"})
    with pytest.raises(pytest.skip.Exception):
        missing_program()
    with pytest.raises(pytest.fail.Exception):
        needs.require.module("no_such_module", how="")
