"""`score_logs` over a real socket: what is judged, sent, passed over, kept, and tried again."""

import asyncio
import inspect
import threading
import time

import pytest

from aigw import APIConnectionError, AsyncAIGateway, AuthenticationError, ConfigurationError
from aigw.local import LocalGateway
from aigw.scoring import JudgedLog, ascore_logs, judge_name, load_judge, score_logs
from aigw.scoring._run import ScoringOptions

from_the_id = {f"log-{n:06d}": n for n in range(120)}


def by_id(log):
    return from_the_id[log.id]


@pytest.fixture
def score(filled):
    """Score with a client to the gateway."""
    return lambda judge, **given: score_logs(judge, **{"client": filled.client(), "name": "judge", **given})


@pytest.fixture
def progress(tmp_path):
    return tmp_path / "progress.sqlite3"


def test_every_log_gets_its_verdict_and_the_judges_name(filled, score):
    summary = score(by_id)
    assert (summary.total, summary.read, summary.scored) == (120, 120, 120)
    assert filled.said() == {log_id: (n, None, "judge") for log_id, n in from_the_id.items()}


def test_an_async_judge_says_the_same(filled, score):
    async def judge(log):
        await asyncio.sleep(0)
        return by_id(log)

    assert score(judge).scored == 120
    assert filled.said() == {log_id: (n, None, "judge") for log_id, n in from_the_id.items()}


def test_a_judge_that_says_nothing_changes_nothing(filled, score):
    summary = score(lambda log: {"feedback": 1} if by_id(log) < 3 else None)
    assert (summary.scored, summary.skipped) == (3, 117)
    assert sorted(filled.patches) == ["log-000000", "log-000001", "log-000002"]


def test_only_logs_that_fit_are_judged(score):
    filters = [{"key": "model", "operator": "contains", "value": "small"}]
    asked = []
    assert score(lambda log: asked.append(log.model), filters=filters).skipped == 60
    assert set(asked) == {"openai/small"}


def test_a_second_run_judges_and_patches_nothing(filled, score, progress):
    asked = []

    def judge(log):
        asked.append(log.id)
        return by_id(log) if by_id(log) % 2 else None

    score(judge, progress=progress)
    summary = score(judge, progress=progress)
    assert (summary.scored, summary.skipped, summary.already) == (0, 0, 120)
    assert len(asked) == 120
    assert len(filled.patches) == 60


def test_without_a_progress_file_the_logs_themselves_say_what_was_judged(filled, score):
    score(by_id)
    assert score(by_id).already == 120
    assert len(filled.patches) == 120


def test_another_judge_judges_them_too(filled, score):
    score(by_id)
    assert score(lambda _: 1, name="another").scored == 120
    assert set(filled.said().values()) == {(1, None, "another")}


def test_again_judges_what_was_judged_and_goes_on_where_it_was_broken_off(filled, score, progress):
    score(by_id, progress=progress)
    assert score(lambda _: 7, progress=progress, again=True, limit=50).scored == 50
    rest = score(lambda _: 7, progress=progress)
    assert (rest.already, rest.scored) == (50, 70)
    assert set(filled.said().values()) == {(7, None, "judge")}
    assert score(lambda _: 8, progress=progress).already == 120


def test_a_judge_that_raises_is_asked_again_by_the_next_run(filled, score, progress):
    def judge(log):
        if by_id(log) % 10 == 0:
            raise ValueError(f"cannot judge {log.id} with test-token")
        return by_id(log)

    first = score(judge, progress=progress)
    assert (first.scored, first.failed, first.is_finished) == (108, 12, False)
    assert first.errors["log-000010"] == "ValueError: cannot judge log-000010 with ***"
    assert len(first.errors) == 10
    second = score(by_id, progress=progress)
    assert (second.scored, second.already, second.is_finished) == (12, 108, True)
    assert len(filled.said()) == 120


def test_a_verdict_that_cannot_be_sent_counts_as_the_judges_failure(filled, score):
    summary = score(lambda _: {"score": "high"}, limit=2)
    assert summary.failed == 2
    assert "score cannot be 'high'" in next(iter(summary.errors.values()))
    assert filled.patches == []


def test_what_was_judged_and_not_delivered_is_sent_by_the_next_run_without_the_judge(filled, score, progress):
    patch = filled.store.patch
    filled.store.patch = lambda account, gateway, log_id, changes: (
        log_id != "log-000007" and patch(account, gateway, log_id, changes)
    )
    first = score(by_id, progress=progress)
    assert (first.scored, first.undelivered, first.is_finished) == (119, 1, False)
    filled.store.patch = patch
    second = score(lambda _: pytest.fail("asked again"), progress=progress)
    assert (second.scored, second.already, second.failed) == (1, 120, 0)
    assert filled.said()["log-000007"] == (7, None, "judge")


def test_a_limit_judges_so_many_and_the_next_run_the_next(filled, score, progress):
    score(by_id, progress=progress, limit=5)
    assert len(filled.said()) == 5
    score(by_id, progress=progress, limit=5)
    assert sorted(filled.said()) == [f"log-{n:06d}" for n in range(10)]


def test_a_sample_is_the_same_in_every_run(filled, score):
    first = score(by_id, sample=0.3)
    assert first.scored + first.unsampled == 120
    assert 10 < first.scored < 70
    second = score(by_id, sample=0.3)
    assert (second.already, second.unsampled) == (first.scored, first.unsampled)
    assert len(filled.said()) == first.scored


def test_a_dry_run_asks_and_sends_nothing_and_makes_no_file(filled, score, progress):
    heard = []
    summary = score(by_id, dry_run=True, progress=progress, limit=4, watch=lambda _, scored: heard.append(scored))
    assert summary.scored == 4
    assert {one.log_id: one.changes["score"] for one in heard} == {f"log-{n:06d}": n for n in range(4)}
    assert filled.patches == []
    assert not progress.exists()


def test_a_sync_judge_reads_a_body_when_it_looks(filled, score):
    def judge(log):
        return log.request["question"] + log.response["answer"]

    assert score(judge, limit=9).scored == 9
    assert filled.said()["log-000004"] == (12, None, "judge")


def test_an_async_judge_has_the_bodies_read_before(filled, score):
    async def judge(log):
        return log.request["question"] + log.response["answer"]

    assert score(judge, limit=9).scored == 9
    assert filled.said()["log-000004"] == (12, None, "judge")


def test_an_async_judge_without_bodies_is_told_what_to_do(score):
    async def judge(log):
        return log.request["question"]

    summary = score(judge, limit=1, bodies=False)
    assert "bodies=True" in summary.errors["log-000000"]


def test_a_body_that_was_not_kept_is_none(empty):
    empty.add(range(3), request_body=None, response_body=None)
    bodies = []
    score_logs(lambda log: bodies.append((log.request, log.response)), client=empty.client(), bodies=True)
    assert bodies == [(None, None)] * 3


def test_sync_judges_work_at_once_and_no_more_than_was_said(score):
    together, counts, lock = threading.Barrier(4), [0, 0], threading.Lock()

    def judge(_log):
        with lock:
            counts[0] += 1
            counts[1] = max(counts)
        together.wait(timeout=20)
        with lock:
            counts[0] -= 1

    assert score(judge, concurrency=4, limit=40).skipped == 40
    assert counts[1] == 4


def test_a_judge_that_calls_the_gateway_is_not_judged_itself(filled, score):
    asked = []

    def judge(log):
        asked.append(log.id)
        filled.add([5000 + by_id(log)], created_at=int(time.time() * 1000))
        return 1

    assert score(judge).scored == 120
    assert len(asked) == 120


def test_a_gateway_that_cannot_be_reached_ends_the_run(score):
    with LocalGateway() as gone:
        address = gone.base_url
    with pytest.raises(APIConnectionError):
        score(by_id, client=AsyncAIGateway("acme", "test-token", base_url=address, max_retries=0))


def test_a_gateway_that_goes_away_ends_the_run_and_keeps_what_was_judged(filled, progress):
    asked = []
    client = AsyncAIGateway("acme", "test-token", base_url=filled.base_url, max_retries=0)
    original = type(client.gateway()).patch_log

    async def patch_log(gateway, log_id, **changes):
        if log_id > "log-000020":
            raise APIConnectionError("gone")
        await original(gateway, log_id, **changes)

    def judge(log):
        asked.append(log.id)
        return by_id(log)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(client.gateway()), "patch_log", patch_log)
        with pytest.raises(APIConnectionError):
            score_logs(judge, client=client, name="judge", progress=progress)
    assert len(asked) < 60
    score_logs(judge, client=client, name="judge", progress=progress)
    assert len(asked) == len(set(asked)) == 120
    assert len(filled.said()) == 120


def test_a_refused_token_ends_the_run():
    with LocalGateway(tokens=("right",)) as local, pytest.raises(AuthenticationError):
        score_logs(by_id, client=AsyncAIGateway("acme", "wrong", base_url=local.base_url))


def test_a_gateway_without_logs_is_no_error(empty):
    assert score_logs(by_id, client=empty.client()).read == 0


async def test_in_an_event_loop_it_is_awaited(filled):
    async with filled.client() as client:
        assert (await ascore_logs(by_id, client=client)).scored == 120


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"concurrency": 0}, "concurrency"),
        ({"limit": 0}, "limit"),
        ({"sample": 2}, "sample"),
        ({"name": "a\nb"}, "name"),
        ({"gateway_id": "a/b"}, "gateway_id"),
    ],
)
def test_a_wrong_argument_is_refused_before_any_request(filled, score, given, words):
    with pytest.raises(ConfigurationError, match=words):
        score(by_id, **given)
    assert filled.patches == []


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        ("judges", "module:function"),
        ("no_such_module_here:f", "no module"),
        ("json:no_such_judge", "no_such_judge"),
        ("json:__name__", "cannot be called"),
    ],
)
def test_a_judge_that_is_not_there_is_said(judge, words):
    with pytest.raises(ConfigurationError, match=words):
        load_judge(judge)


def test_a_judge_is_named_as_it_is_imported():
    assert judge_name(load_judge("json:dumps")) == "json:dumps"
    assert judge_name("judges:polite") == "judges:polite"
    assert judge_name(threading.Barrier(1)) == "threading:Barrier"


def test_a_judge_can_be_tested_with_bodies_given():
    log = JudgedLog.of(JudgedLog(id="a"), request={"messages": []})
    assert (log.id, log.request, log.response) == ("a", {"messages": []}, None)


def test_both_ways_to_score_take_the_same_arguments():
    named = [name for name in inspect.signature(ascore_logs).parameters if name != "judge"]
    assert sorted(ScoringOptions.__annotations__) == sorted(named)
