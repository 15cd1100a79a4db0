"""Other places that are told of feedback: what the real SDKs send to a server of ours, and what a failing one costs."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import UUID, uuid4

import langfuse
import langsmith
import pytest
from opentelemetry.sdk import _logs as logs_sdk
from opentelemetry.sdk._logs import export as exporters
from urllib3 import Retry

from aigw import AIGateway, ConfigurationError
from aigw.feedback import FeedbackQueue, LangfuseSink, LangSmithSink, OTelSink, SentFeedback, TraceLink

RUN = UUID("6b1c7d5e-3f2a-4c1d-9e8f-0a1b2c3d4e5f")
LOG = "0199d1a2-7c3b-7def-8123-456789abcdef"
ULID = "01JADMCQQQBWH3NXZ5GCRN98DP"
PROJECT = uuid4()
KEY = "ls-secret-key"
CHAT = {"model": "openai/gpt-4.1-mini", "messages": [{"role": "user", "content": "Hello"}]}


def sent(log_id=LOG, event_id=str(RUN), **changes):
    return SentFeedback("docs-bot", log_id, event_id, changes)


class Recorder(BaseHTTPRequestHandler):
    """Writes requests down, and answers by method and path as it was told."""

    def _answer(self):
        size = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(size)
        path = self.path.partition("?")[0]
        self.server.seen.append((self.command, path, json.loads(body) if body else None))
        statuses = self.server.statuses.get((self.command, path), [])
        status = statuses.pop(0) if statuses else 200
        answer = json.dumps(self.server.answers.get(path, {})).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.fixture
def recorder():
    with ThreadingHTTPServer(("127.0.0.1", 0), Recorder) as server:
        server.seen, server.statuses, server.answers = [], {}, {}
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.said = lambda *methods: [seen for seen in server.seen if seen[0] in (methods or ("POST",))]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def smith(recorder, monkeypatch):
    """Give a sink that tells a LangSmith of our own."""
    monkeypatch.setenv("LANGSMITH_PROJECT", "chat")
    project = {"id": str(PROJECT), "name": "chat", "tenant_id": str(uuid4()), "reference_dataset_id": None}
    recorder.answers["/sessions"] = [{**project, "start_time": "2026-01-01T00:00:00Z"}]
    client = langsmith.Client(recorder.url, api_key=KEY, auto_batch_tracing=False, retry_config=Retry(0))
    yield LangSmithSink(client)
    client.session.close()


@pytest.fixture
def fuse(recorder):
    """Give a sink that tells a Langfuse of our own."""
    recorder.answers["/api/public/scores"] = {"message": "Accepted"}
    client = langfuse.Langfuse(public_key=f"pk-{uuid4()}", secret_key="sk-secret-key", base_url=recorder.url)
    yield LangfuseSink(client)
    client.shutdown()


@pytest.fixture
def telemetry():
    """Give a logger provider that keeps what it exports, and what it kept."""
    exporter = exporters.InMemoryLogRecordExporter()
    provider = logs_sdk.LoggerProvider()
    provider.add_log_record_processor(exporters.SimpleLogRecordProcessor(exporter))
    yield provider, lambda: [data.log_record for data in exporter.get_finished_logs()]
    provider.shutdown()


def posted(recorder, path="/feedback"):
    return [body for method, at, body in recorder.seen if (method, at) == ("POST", path)]


def test_langsmith_gets_an_entry_for_each_field_of_the_run(recorder, smith):
    smith.send(sent(feedback=-1, score=20, metadata={"comment": "Wrong.", "source": "web"}))
    thumb, score, comment = posted(recorder)
    assert {entry["run_id"] for entry in (thumb, score, comment)} == {str(RUN)}
    assert {entry["session_id"] for entry in (thumb, score, comment)} == {str(PROJECT)}
    assert (thumb["key"], thumb["score"]) == ("user_feedback", -1)
    assert (score["key"], score["score"]) == ("user_score", 20)
    assert (comment["key"], comment["comment"]) == ("user_comment", "Wrong.")
    assert "score" not in comment
    labels = {"source": "web", "aigw_gateway_id": "docs-bot", "aigw_log_id": LOG, "aigw_event_id": str(RUN)}
    assert thumb["feedback_source"]["metadata"] == labels


def test_what_langsmith_is_told_again_has_the_same_id_and_what_is_of_another_log_has_not(recorder, smith):
    smith.send(sent(feedback=1))
    smith.send(sent(feedback=-1))
    smith.send(sent(feedback=1, score=1))
    smith.send(sent("another log", feedback=1))
    first, again, third, of_score, of_another = [entry["id"] for entry in posted(recorder)]
    assert first == again == third
    assert len({first, of_score, of_another}) == 3


def test_what_langsmith_has_already_is_changed(recorder, smith):
    recorder.statuses["POST", "/feedback"] = [409]
    smith.send(sent(feedback=-1))
    (entry,) = posted(recorder)
    assert recorder.said("PATCH") == [("PATCH", f"/feedback/{entry['id']}", {"score": -1})]


def test_what_is_cleared_is_deleted_in_langsmith_also_where_it_never_was(recorder, smith):
    smith.send(sent(feedback=1))
    (entry,) = posted(recorder)
    recorder.statuses["DELETE", f"/feedback/{entry['id']}"] = [200, 404]
    for _ in range(2):
        smith.send(sent(feedback=None))
    assert [path for _, path, _ in recorder.said("DELETE")] == [f"/feedback/{entry['id']}"] * 2


def test_langsmith_is_asked_for_the_project_once_and_without_a_warning(recorder, smith):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            smith.send(sent(feedback=1))
    assert [path for _, path, _ in recorder.said("GET")].count("/sessions") == 1


@pytest.mark.parametrize("event_id", ["", "turn 17", LOG])  # the last is the log's, which the gateway repeats
def test_an_event_id_that_is_no_run_is_refused_before_langsmith_is_asked(event_id, recorder, smith):
    with pytest.raises(ConfigurationError, match="LangSmith knows runs by UUID"):
        smith.send(sent(event_id=event_id, feedback=1))
    assert recorder.seen == []


@pytest.mark.parametrize("status", [401, 404, 422, 429, 500])
def test_an_answer_of_langsmith_that_is_no_yes_is_raised_and_holds_no_key(status, recorder, smith):
    recorder.statuses["POST", "/feedback"] = [status]
    with pytest.raises(langsmith.utils.LangSmithError) as caught:
        smith.send(sent(feedback=1))
    assert len(posted(recorder)) == 1
    assert KEY not in str(caught.value) + repr(smith)


def test_metadata_alone_tells_langsmith_nothing(recorder, smith):
    smith.send(sent(metadata={"source": "web"}))
    assert recorder.said() == []


def scores(recorder):
    return [score for body in posted(recorder, "/api/public/scores") for score in body]


def test_langfuse_gets_a_score_for_each_field_of_the_trace(recorder, fuse):
    fuse.send(sent(feedback=-1, score=20.5, metadata={"comment": "Wrong.", "source": "web"}))
    assert len(posted(recorder, "/api/public/scores")) == 1
    thumb, score, comment = scores(recorder)
    assert {entry["traceId"] for entry in (thumb, score, comment)} == {RUN.hex}
    assert (thumb["name"], thumb["value"], thumb["dataType"]) == ("user_feedback", -1, "NUMERIC")
    assert (score["name"], score["value"], score["dataType"]) == ("user_score", 20.5, "NUMERIC")
    assert (comment["name"], comment["value"], comment["dataType"]) == ("user_comment", "Wrong.", "TEXT")
    labels = {"source": "web", "aigw_gateway_id": "docs-bot", "aigw_log_id": LOG, "aigw_event_id": str(RUN)}
    assert thumb["metadata"] == labels


@pytest.mark.parametrize(
    ("log_id", "when"),
    [(LOG, "2025-10-11T04:58:30.843+00:00"), (ULID, "2024-10-17T16:18:53.303+00:00")],
)
def test_what_langfuse_is_told_again_has_the_same_id_and_time(log_id, when, recorder, fuse):
    fuse.send(sent(log_id, feedback=1))
    fuse.send(sent(log_id, feedback=-1))
    first, again = scores(recorder)
    assert (first["id"], first["timestamp"]) == (again["id"], again["timestamp"])
    assert datetime.fromisoformat(first["timestamp"]) == datetime.fromisoformat(when)


@pytest.mark.parametrize(
    ("event_id", "trace", "span"),
    [
        (RUN.hex, RUN.hex, None),
        (f"00-{RUN.hex}-00f067aa0ba902b7-01", RUN.hex, "00f067aa0ba902b7"),
        (f"{RUN.hex}-00f067aa0ba902b7", RUN.hex, "00f067aa0ba902b7"),
    ],
)
def test_an_event_id_can_be_a_trace_id_or_a_traceparent(event_id, trace, span, recorder, fuse):
    fuse.send(sent(event_id=event_id, feedback=1))
    (score,) = scores(recorder)
    assert (score["traceId"], score.get("observationId")) == (trace, span)


def test_a_function_can_say_where_a_call_stands(recorder, fuse):
    seeded = LangfuseSink(
        fuse._client, find_trace=lambda told: TraceLink(langfuse.Langfuse.create_trace_id(seed=told.event_id))
    )
    seeded.send(sent(event_id="turn 17", feedback=1))
    assert scores(recorder)[0]["traceId"] == langfuse.Langfuse.create_trace_id(seed="turn 17")


@pytest.mark.parametrize(("event_id", "shown"), [("", ""), ("turn 17", "turn 17"), (LOG, "")])
def test_an_event_id_that_is_no_trace_is_refused_before_langfuse_is_asked(event_id, shown, recorder, fuse):
    with pytest.raises(ConfigurationError, match=f"'{shown}' is no trace id of Langfuse"):
        fuse.send(sent(event_id=event_id, feedback=1))
    assert recorder.seen == []


def test_langfuse_without_keys_says_which_to_set(monkeypatch):
    for name in ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match="set LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY"):
        LangfuseSink(langfuse.Langfuse()).send(sent(feedback=1))


@pytest.mark.parametrize("link", [("x", None), (RUN.hex.upper(), None), (RUN.hex, "7")])
def test_a_place_that_no_trace_has_is_refused(link):
    with pytest.raises(ConfigurationError, match="hexadecimal"):
        TraceLink(*link)


def test_what_is_cleared_is_deleted_in_langfuse_also_where_it_never_was(recorder, fuse):
    fuse.send(sent(feedback=1))
    path = f"/api/public/scores/{scores(recorder)[0]['id']}"
    recorder.statuses["DELETE", path] = [200, 404]
    for _ in range(2):
        fuse.send(sent(feedback=None))
    assert [at for _, at, _ in recorder.said("DELETE")] == [path] * 2


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_an_answer_of_langfuse_that_is_no_yes_is_raised_at_once_and_holds_no_key(status, recorder, fuse):
    recorder.statuses["POST", "/api/public/scores"] = [status]
    with pytest.raises(Exception) as caught:  # noqa: PT011  of four classes
        fuse.send(sent(feedback=1))
    assert type(caught.value).__module__.startswith("langfuse.")
    assert len(posted(recorder, "/api/public/scores")) == 1
    assert "sk-secret-key" not in str(caught.value) + repr(fuse)


def test_a_score_that_langfuse_refuses_in_a_batch_is_raised(recorder, fuse):
    recorder.statuses["POST", "/api/public/scores"] = [207]
    recorder.answers["/api/public/scores"] = {"accepted": 0, "rejected": 1, "errors": [{"message": "no"}]}
    with pytest.raises(ConfigurationError, match="Langfuse refused 1 of 1 scores"):
        fuse.send(sent(feedback=1))


def test_opentelemetry_gets_an_event_for_each_field_in_the_trace_of_the_call(telemetry):
    provider, kept = telemetry
    OTelSink(provider).send(sent(feedback=-1, score=20, metadata={"comment": "Wrong.", "source": "web"}))
    thumb, score, comment = kept()
    assert {event.event_name for event in (thumb, score, comment)} == {"gen_ai.evaluation.result"}
    assert {event.trace_id for event in (thumb, score, comment)} == {RUN.int}
    labels = {"source": "web", "aigw_gateway_id": "docs-bot", "aigw_log_id": LOG, "aigw_event_id": str(RUN)}
    given = dict(thumb.attributes)
    entry_id = given.pop("aigw_entry_id")
    assert given == {
        "gen_ai.evaluation.name": "user_feedback",
        "gen_ai.evaluation.score.value": -1.0,
        "gen_ai.evaluation.score.label": "bad",
        **labels,
    }
    assert UUID(entry_id).version == 5
    assert score.attributes["gen_ai.evaluation.score.value"] == 20
    assert comment.attributes["gen_ai.evaluation.explanation"] == "Wrong."


def test_an_event_of_a_traceparent_belongs_to_the_span(telemetry):
    provider, kept = telemetry
    OTelSink(provider).send(sent(event_id=f"00-{RUN.hex}-00f067aa0ba902b7-01", feedback=1))
    assert (kept()[0].trace_id, kept()[0].span_id) == (RUN.int, 0x00F067AA0BA902B7)


def test_a_call_of_no_known_trace_gives_an_event_outside_of_any(telemetry):
    provider, kept = telemetry
    OTelSink(provider).send(sent(event_id="turn 17", feedback=None))
    (event,) = kept()
    assert event.trace_id == 0
    assert event.attributes["aigw_event_id"] == "turn 17"
    assert event.attributes["gen_ai.evaluation.score.label"] == "cleared"


def test_events_of_the_same_field_of_a_log_can_be_told_by_their_id(telemetry):
    provider, kept = telemetry
    for changes in ({"feedback": 1}, {"feedback": -1}, {"score": 1}):
        OTelSink(provider).send(sent(**changes))
    first, again, other = [event.attributes["aigw_entry_id"] for event in kept()]
    assert first == again != other


def test_without_a_logger_provider_feedback_is_not_lost_unseen():
    with pytest.raises(ConfigurationError, match="set a logger provider"):
        OTelSink().send(sent(feedback=1))


@pytest.mark.parametrize("sink", [LangSmithSink, LangfuseSink, OTelSink])
def test_a_sink_has_a_name_and_can_have_another(sink):
    assert sink(name="second").name == "second"
    assert sink(prefix="judge").name in ("langsmith", "langfuse", "otel")
    with pytest.raises(ConfigurationError, match="name of a sink"):
        sink(name="")


EXTRAS = {
    "LangSmithSink": ("langsmith", "langsmith"),
    "LangfuseSink": ("langfuse", "langfuse"),
    "OTelSink": ("opentelemetry", "otel"),
    "FeedbackTokens": ("itsdangerous", "feedback"),
    "feedback_app": ("starlette", "feedback"),
}
WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import aigw.feedback
for name in sys.argv[2].split(","):
    try:
        getattr(aigw.feedback, name)
    except ModuleNotFoundError as error:
        print(error)
"""


def test_without_its_extra_a_name_says_how_to_get_it():
    missing = ",".join(module for module, _ in EXTRAS.values())
    run = subprocess.run(  # noqa: S603  ourselves
        [sys.executable, "-c", WITHOUT, missing, ",".join(EXTRAS)], capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines() == [
        f'aigw.feedback.{name} needs {module}: pip install "aigw[{extra}]"' for name, (module, extra) in EXTRAS.items()
    ]


@pytest.fixture
def client(aigw_local):
    with AIGateway("acme", "test-token", base_url=aigw_local.base_url) as client:
        yield client


class Broken:
    """A sink that always fails, and says what it should not."""

    name = "broken"

    def send(self, feedback):
        raise RuntimeError(f"token {KEY} for {feedback.log_id}")


def test_one_feedback_reaches_the_log_and_every_place_that_works(client, recorder, smith, fuse, telemetry):
    provider, kept = telemetry
    answer = client.chat(CHAT, gateway={"event_id": str(RUN)})
    with FeedbackQueue(client, mirror=[smith, fuse, OTelSink(provider), Broken()], late=0.2) as queue:
        queue.feedback(answer, -1)
        assert queue.flush(20)
        counts, failed = queue.counts, queue.failed()
    assert client.gateway().get_log(answer.info.log_id).feedback == -1
    assert counts.mirrored == {"langsmith": 1, "langfuse": 1, "otel": 1, "broken": 0}
    assert counts.unmirrored == {"langsmith": 0, "langfuse": 0, "otel": 0, "broken": 1}
    assert (counts.delivered, counts.failed) == (1, 0)
    assert [(letter.sink, letter.name) for letter in failed] == [("broken", answer.info.log_id)]
    assert KEY not in failed[0].error
    assert posted(recorder)[0]["run_id"] == str(RUN)
    assert scores(recorder)[0]["traceId"] == RUN.hex
    assert kept()[0].trace_id == RUN.int


def test_an_event_id_that_a_sink_cannot_use_becomes_a_dead_letter_of_that_sink_alone(client, smith, telemetry):
    provider, kept = telemetry
    answer = client.chat(CHAT, gateway={"event_id": "turn 17"})
    with FeedbackQueue(client, mirror=[smith, OTelSink(provider)]) as queue:
        queue.feedback(answer, 1)
        assert queue.flush(20)
        (letter,) = queue.failed()
        counts = queue.counts
    assert letter.sink == "langsmith"
    assert "the event id 'turn 17'" in letter.error
    assert (counts.delivered, counts.mirrored["otel"], len(kept())) == (1, 1, 1)


def test_a_place_that_fails_at_first_is_told_later_and_has_one_entry(client, recorder, smith):
    recorder.statuses["POST", "/feedback"] = [500, 429, 200]
    answer = client.chat(CHAT, gateway={"event_id": str(RUN)})
    with FeedbackQueue(client, mirror=[smith]) as queue:
        queue.feedback(answer, 1)
        assert queue.flush(20)
        counts = queue.counts
    assert (counts.mirrored, counts.unmirrored) == ({"langsmith": 1}, {"langsmith": 0})
    assert len(posted(recorder)) == 3
    assert len({entry["id"] for entry in posted(recorder)}) == 1


@pytest.mark.parametrize("mirror", [Broken(), None, [None], "broken", [Broken], [Broken(), 5]])
def test_a_mirror_that_is_no_list_of_sinks_is_refused(client, mirror):
    with pytest.raises(
        ConfigurationError, match=r"mirror cannot be a .*: it is|a sink of mirror cannot be a .*: it has"
    ):
        FeedbackQueue(client, mirror=mirror)
