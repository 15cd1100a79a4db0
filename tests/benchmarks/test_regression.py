"""The check that hot paths have not become dearer."""

from __future__ import annotations

import json

import pytest

from benchmarks import regression
from benchmarks.hot_paths import hot_paths, yardstick


@pytest.fixture(scope="module")
def paths():
    return hot_paths()


class Meter:
    """Finds a path cheaper each time, as the load of a machine goes."""

    def __init__(self, *costs):
        self.paths = {"a": None, "b": None}
        self._costs = list(costs)
        self.asked = []

    def measure(self, names, turns):
        assert turns > 0
        self.asked.append(names)

    def costs(self):
        return {"a": 1.0, "b": self._costs[min(len(self.asked), len(self._costs)) - 1]}


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(regression, "_PAUSE", 0)


def test_every_path_leads_through(paths):
    for path in paths:
        path.run()


def test_the_baseline_knows_every_path(paths):
    baseline = json.loads(regression.BASELINE.read_text())
    assert baseline
    for known in baseline.values():
        assert set(known["costs"]) == {path.name for path in paths}
        assert all(cost > 0 for cost in known["costs"].values())


def test_a_path_that_costs_15_percent_more_is_too_dear():
    baseline = {"a": 1.0, "b": 1.0}
    assert regression.too_dear({"a": 1.16, "b": 1.14, "new": 9.0}, baseline) == ["a"]


def test_only_what_looks_too_dear_is_measured_again():
    meter = Meter(1.5, 1.3, 1.1)
    assert regression.check(meter, {"a": 1.0, "b": 1.0}) == []
    assert meter.asked == [["a", "b"], ["b"], ["b"]]


def test_what_stays_too_dear_is_named_in_the_end():
    meter = Meter(1.5)
    assert regression.check(meter, {"a": 1.0, "b": 1.0}) == ["b"]
    assert len(meter.asked) == regression._AGAIN


def test_the_yardstick_is_always_the_same():
    assert yardstick() == yardstick()
