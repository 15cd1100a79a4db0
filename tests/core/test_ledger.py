"""What a ledger keeps, under which keys, and for how long."""

from __future__ import annotations

import threading

import pytest

from aigw.integration import Ledger


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_thing_is_found_by_each_of_its_keys():
    ledger = Ledger(max_items=9, max_age=60)
    ledger.add(1, "first", ["outer", "a"])
    ledger.add(2, "second", ["outer", "b"])

    assert [ledger.find(key) for key in ("outer", "a", "b", "c")] == [["first", "second"], ["first"], ["second"], []]
    assert ledger.items() == ["first", "second"]
    assert (ledger.get(2), ledger.get(3), ledger.newest) == ("second", None, "second")


def test_so_many_things_are_kept_and_the_keys_of_others_are_forgotten():
    ledger = Ledger(max_items=2, max_age=60)
    for number in range(10):
        ledger.add(number, number, ["outer", f"span-{number}"])

    assert ledger.find("outer") == [8, 9]
    assert ledger.find("span-0") == []
    assert (len(ledger), ledger.keys) == (2, 3)


@pytest.mark.parametrize("use", [lambda ledger: ledger.find("a"), lambda ledger: ledger.use("a")])
def test_the_least_recently_used_is_forgotten_first(use):
    ledger = Ledger(max_items=2, max_age=60)
    ledger.add("a", "a", ["a"])
    ledger.add("b", "b", ["b"])
    use(ledger)
    ledger.add("c", "c", ["c"])

    assert [bool(ledger.find(key)) for key in "abc"] == [True, False, True]


def test_looking_without_using_does_not_keep_a_thing():
    ledger = Ledger(max_items=2, max_age=60)
    ledger.add("a", "a", ["a"])
    ledger.add("b", "b", ["b"])

    assert ledger.peek("a") == ["a"]
    ledger.add("c", "c", ["c"])
    assert ledger.peek("a") == []


def test_what_was_not_used_for_long_enough_is_forgotten(clock):
    ledger = Ledger(max_items=10, max_age=60, clock=clock)
    ledger.add("a", "a", ["a"])
    clock.now = 50
    ledger.find("a")
    clock.now = 100
    assert ledger.find("a") == ["a"]
    clock.now = 161

    assert ledger.find("a") == []
    assert (len(ledger), ledger.keys) == (0, 0)


def test_a_thing_of_the_same_name_takes_the_others_place():
    ledger = Ledger(max_items=9, max_age=60)
    ledger.add("a", "old", ["x"])
    ledger.add("a", "new", ["y"])

    assert (ledger.items(), ledger.find("x"), ledger.find("y")) == (["new"], [], ["new"])


def test_a_thing_can_be_dropped():
    ledger = Ledger(max_items=9, max_age=60)
    ledger.add("a", "a", ["x"])
    ledger.drop("a")
    ledger.drop("a")

    assert (len(ledger), ledger.keys) == (0, 0)


def test_threads_may_add_and_find_at_once():
    ledger = Ledger(max_items=50, max_age=60)

    def work(name):
        for number in range(300):
            ledger.add((name, number), number, ["all", name])
            ledger.find("all")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ledger) == len(ledger.find("all")) == 50
