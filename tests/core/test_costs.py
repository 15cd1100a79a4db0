"""What calls cost: rows, totals and the table, of calls whose logs are known."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from aigw import ConfigurationError, CostRow, Costs, GatewayLog, ResponseInfo
from aigw.integration import Caller, RecordedCall, sum_costs


def call(model="a/x", cost=0.5, event_id="e", **more):
    """A call with its log, or without one where `cost` is left open."""
    known = {"id": "L", "model": model.partition("/")[2], "provider": model.partition("/")[0], "cost": cost}
    log = None if cost is ... else GatewayLog(**known, **more)
    return RecordedCall(
        ResponseInfo(event_id=event_id), Caller("chat", model), 10, 4, None if cost is ... else cost, log=log
    )


def test_calls_are_added_up_by_model_the_dearest_first():
    costs = sum_costs([call(), call(), call("b/y", 2.0), call("b/y", ...)], "model")
    assert list(costs) == [
        CostRow("b/y", calls=2, input_tokens=20, output_tokens=8, cost=2.0, unknown_cost=1),
        CostRow("a/x", calls=2, input_tokens=20, output_tokens=8, cost=1.0),
    ]
    assert costs.total == CostRow("total", calls=4, input_tokens=40, output_tokens=16, cost=3.0, unknown_cost=1)


def test_calls_are_added_up_by_a_label_and_those_without_it_apart():
    costs = sum_costs([call(metadata={"team": "a"}), call(metadata={"team": 7}), call(), call(cost=...)], "team")
    assert {row.name: row.calls for row in costs} == {"a": 1, "7": 1, None: 2}


def test_calls_are_added_up_by_the_outermost_run_that_is_known():
    labelled = [call(metadata={"root_run_id": "r"}, event_id=name) for name in "ab"]
    assert {row.name: row.calls for row in sum_costs([*labelled, call(event_id="c")], "run")} == {"r": 2, "c": 1}


def test_what_the_gateways_cache_answered_cost_nothing():
    (row,) = sum_costs([call(cost=None, cached=True), call(cost=0.0, cached=True)], "model")
    assert (row.cached, row.cost, row.unknown_cost) == (2, 0.0, 0)


def test_a_price_that_is_not_known_is_said_and_not_taken_for_nothing():
    (row,) = sum_costs([call(cost=None)], "model")
    assert (row.cost, row.unknown_cost) == (0.0, 1)


def test_what_a_frameworks_cache_answered_is_no_call():
    replayed = RecordedCall(ResponseInfo(log_id="L"), Caller("chat", "a/x"), is_replayed=True)
    assert list(sum_costs([replayed], "model")) == []


@pytest.mark.parametrize("by", ["", None, 1])
def test_what_cannot_tell_rows_apart_is_refused(by):
    with pytest.raises(ConfigurationError, match="by cannot be"):
        sum_costs([], by)


def test_the_table_is_plain_text_with_a_total():
    costs = sum_costs([call(), call("b/long", 2.0), call("b/long", ...)], "model")
    assert str(costs).splitlines() == [
        "model   calls  cached  input  output       USD  unknown",
        "b/long      2       0     20       8  2.000000        1",
        "a/x         1       0     10       4  0.500000        0",
        "total       3       0     30      12  2.500000        1",
    ]


def test_rich_prints_the_same_numbers():
    costs = sum_costs([call(), call("b/long", 2.0)], "model")
    printed = io.StringIO()
    Console(file=printed, width=100).print(costs)
    assert all(word in printed.getvalue() for word in ("b/long", "a/x", "2.500000", "total"))


def test_costs_are_equal_by_what_they_hold():
    assert sum_costs([call()], "model") == sum_costs([call()], "model")
    assert sum_costs([call()], "model") != Costs("run", [])
    assert sum_costs([call()], "model")[0:1] == [CostRow("a/x", 1, 0, 10, 4, 0.5)]
