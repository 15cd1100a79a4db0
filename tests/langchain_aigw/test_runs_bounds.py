"""What the handler keeps, and for how long."""

import copy
import gc
import pickle
import weakref
from uuid import uuid4

import pytest
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tracers.context import _configure_hooks

import aigw
from langchain_aigw import AIGatewayCallbackHandler, capture_logs
from langchain_aigw._recorded import Caller, CallReport
from langchain_aigw._run_tree import RunTree
from langchain_aigw._runs import ModelRun, model_run


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def reported(run_id):
    run = ModelRun(run_id)
    run.reports.append(CallReport(Caller("chat", "m")))
    return run


def run_ids(entries):
    return [entry.run.run_id for entry in entries]


def test_the_least_recently_used_run_is_forgotten_first():
    tree = RunTree(max_runs=2, max_age=100)
    first, second, third = (uuid4() for _ in range(3))
    tree.start_model(reported(first), None)
    tree.start_model(reported(second), None)
    assert run_ids(tree.beneath(first)) == [first]
    tree.start_model(reported(third), None)
    assert run_ids(tree.entries()) == [first, third]
    assert tree.beneath(second) == []


def test_a_run_is_forgotten_when_it_was_not_used_for_long_enough():
    clock = Clock()
    tree = RunTree(max_runs=9, max_age=100, clock=clock)
    first, second = uuid4(), uuid4()
    tree.start_model(reported(first), None)
    tree.start_model(reported(second), None)
    clock.now = 60
    tree.beneath(second)
    clock.now = 101
    assert tree.beneath(first) == []
    assert run_ids(tree.beneath(second)) == [second]


def test_runs_that_called_nothing_are_forgotten_when_they_end():
    tree = RunTree(max_runs=9, max_age=100)
    run_id = uuid4()
    tree.start_model(ModelRun(run_id), None)
    tree.end_model(run_id)
    assert len(tree) == 0


def test_runs_that_have_ended_are_freed_a_little_later_and_their_calls_stay():
    tree = RunTree(max_runs=5000, max_age=100)
    roots = [uuid4() for _ in range(1000)]
    for root in roots:
        inner, model = uuid4(), uuid4()
        tree.start(root, None)
        tree.start(inner, root)
        tree.start_model(reported(model), inner)
        tree.end(inner)
        tree.end(root)
    assert tree.open_runs <= 256
    assert [len(tree.beneath(root)) for root in roots] == [1] * 1000


def test_runs_that_never_end_are_bounded():
    tree = RunTree(max_runs=10, max_age=100)
    for _ in range(100):
        tree.start(uuid4(), None)
    assert tree.open_runs == 40


def test_what_is_forgotten_is_freed():
    run = model_run(uuid4())
    reference = weakref.ref(run)
    tree = RunTree(max_runs=1, max_age=100)
    tree.start_model(run, uuid4())
    del run
    tree.start_model(reported(uuid4()), None)
    gc.collect()
    assert reference() is None
    assert tree._ledger.keys == 1


def test_the_handlers_bounds_are_its_arguments(stage):
    handler = AIGatewayCallbackHandler(max_runs=3)
    stage.chat().batch(["hi"] * 10, {"callbacks": [handler]})
    assert len(handler.calls()) == 3


@pytest.mark.parametrize("name", ["max_runs", "max_age"])
@pytest.mark.parametrize("value", [0, None, "many", True, float("nan"), "x" * 100_000])
def test_bounds_that_keep_nothing_are_refused(name, value):
    with pytest.raises(aigw.ConfigurationError, match=f"^{name} cannot be ") as caught:
        AIGatewayCallbackHandler(**{name: value})
    assert len(str(caught.value)) < 300


def test_a_thousand_captures_and_handlers_add_no_hook(stage):
    chain = ChatPromptTemplate.from_template("{text}") | stage.chat()
    before = len(_configure_hooks)
    for _ in range(1000):
        with capture_logs(), AIGatewayCallbackHandler().attached():
            pass
    with capture_logs() as logs, AIGatewayCallbackHandler().attached() as handler:
        chain.invoke({"text": "hi"})
    assert len(_configure_hooks) == before
    assert handler.log_ids() == logs.log_ids
    assert len(logs.log_ids) == 1


def test_a_copied_handler_is_the_same_and_a_pickled_one_an_empty_one_like_it(stage):
    handler = AIGatewayCallbackHandler(max_runs=3)
    model = stage.chat(callbacks=[handler])
    model.invoke("hi")
    copied, pickled = copy.deepcopy(model), pickle.loads(pickle.dumps(model))  # noqa: S301  pickled here
    copied.invoke("hi")
    assert len(handler.calls()) == 2
    pickled.batch(["hi"] * 5)
    assert len(handler.calls()) == 2
    assert len(pickled.callbacks[0].calls()) == 3


@pytest.mark.parametrize("run_id", [5, [], {}, b"run"])
def test_what_is_no_run_s_id_is_refused(run_id):
    for ask in (AIGatewayCallbackHandler().log_ids, AIGatewayCallbackHandler().calls, AIGatewayCallbackHandler().costs):
        with pytest.raises(aigw.ConfigurationError, match="run_id cannot be"):
            ask(run_id)
