"""What a model forwards of the run it is called in: ids of every kind, and a warning that points at the caller."""

import warnings
from uuid import uuid4

import pytest

import langchain_aigw


def test_an_id_that_is_a_uuid_is_sent_as_its_text(adapter, make, gateway):
    user = uuid4()
    with adapter.knowing(make(metadata_keys=["user_id"]), user_id=user) as model:
        adapter.ask(model)
    assert [log.metadata for log in gateway.logs] == [{"user_id": str(user)}]


def test_the_warning_points_at_the_line_that_called(adapter, make):
    def call(model):
        return model.invoke("hi") if adapter.package is langchain_aigw else model.complete("hi")

    given = make(metadata_keys=["user_id"])
    with (
        adapter.knowing(given, user_id=["no", "scalar"]) as model,
        pytest.warns(UserWarning, match="user_id") as warned,
    ):
        call(model)
    assert [(each.filename, each.lineno) for each in warned] == [(__file__, call.__code__.co_firstlineno + 1)]


def test_a_line_is_warned_once(adapter, make):
    given = make(metadata_keys=["user_id"])
    with adapter.knowing(given, user_id=["no", "scalar"]) as model, warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        for _ in range(3):
            adapter.ask(model)
    assert len(warned) == 1
