"""One list of answers as upstreams send them, `shapes.yaml`, and the message LangChain must be given for each.

Ours equals the golden one by all ways to call. `ChatOpenAI` reads the same bytes to show where it differs: the
difference becomes the property `chat_openai` of its test (`--junit-xml`), and what it was is told in the list.
"""

import functools
import json
import operator
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from langchain_openai import ChatOpenAI

import aigw
from langchain_aigw import ChatCloudflareAIGateway

SHAPES = {shape["name"]: shape for shape in yaml.safe_load(Path(__file__).with_name("shapes.yaml").read_text())}
WAYS = ["invoke", "ainvoke", "stream", "astream"]


def body_of(shape):
    if "stream" in shape:
        return "text/event-stream", shape["stream"].replace("\n", "\n\n").encode()
    return "application/json", json.dumps(shape["whole"]).encode()


class Recorded(BaseHTTPRequestHandler):
    """Answers with the bytes of the shape that is asked for as a model."""

    disable_nagle_algorithm = True

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        shape = SHAPES[asked["model"].removeprefix("recorded/")]
        kind, body = body_of(shape)
        self.send_response(shape.get("status", 200))
        self.send_header("content-type", kind)
        self.send_header("cf-aig-log-id", "log-1")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def origin():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorded)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


async def ask(model, way, *, streams):
    if way == "invoke":
        return model.invoke("hi", **({"stream": True} if streams else {}))
    if way == "ainvoke":
        return await model.ainvoke("hi", **({"stream": True} if streams else {}))
    chunks = list(model.stream("hi")) if way == "stream" else [chunk async for chunk in model.astream("hi")]
    return functools.reduce(operator.add, chunks)


def told(message):
    """Give what a message says in the words of the list."""
    metadata = {**message.response_metadata}
    for name in ("aigw", "model_provider", "token_usage"):
        metadata.pop(name, None)
    return {
        "text": message.content,
        "additional_kwargs": message.additional_kwargs,
        "tool_calls": [[call["name"], call["args"], call["id"]] for call in message.tool_calls],
        "invalid_tool_calls": [[call["name"], call["args"], call["id"]] for call in message.invalid_tool_calls],
        "usage": message.usage_metadata,
        "metadata": {name: value for name, value in metadata.items() if value is not None},
    }


def golden(shape):
    empty = {"text": "", "additional_kwargs": {}, "tool_calls": [], "invalid_tool_calls": [], "usage": None}
    return {**empty, **shape["message"]}


def bare(value):
    """Leave out what says nothing, so that only what matters differs."""
    if not isinstance(value, dict):
        return value
    return {name: bare(entry) for name, entry in value.items() if entry not in (None, {})}


def ours(origin, name):
    return ChatCloudflareAIGateway(
        model=f"recorded/{name}", account_id="acct", api_token="test-token", base_url=origin, max_retries=0
    )


READABLE = [(name, way) for name, shape in SHAPES.items() if "message" in shape for way in shape.get("ways", WAYS)]
FAILING = [(name, way) for name, shape in SHAPES.items() if "error" in shape for way in shape.get("ways", WAYS)]


@pytest.mark.parametrize(("name", "way"), READABLE)
async def test_our_message_is_the_golden_one(origin, name, way):
    shape = SHAPES[name]
    message = await ask(ours(origin, name), way, streams="stream" in shape)
    assert told(message) == golden(shape)
    assert message.response_metadata["model_provider"] == "cloudflare_ai_gateway"
    assert message.response_metadata["aigw"] == {"log_id": "log-1", "gateway_id": "default", "status_code": 200}


@pytest.mark.parametrize(("name", "way"), FAILING)
async def test_our_error_is_of_its_class_and_knows_its_log(origin, name, way):
    shape = SHAPES[name]
    with pytest.raises(getattr(aigw, shape["error"])) as caught:
        await ask(ours(origin, name), way, streams="stream" in shape)
    assert caught.value.log_id == "log-1"


def test_the_list_is_long_enough():
    assert len(SHAPES) >= 30


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHAPES)
async def test_where_chatopenai_differs_is_told(origin, name, record_property):
    shape = SHAPES[name]
    url = f"{origin}/client/v4/accounts/acct/ai/v1"
    model = ChatOpenAI(model=f"recorded/{name}", api_key="test-token", base_url=url, max_retries=0)
    streams = "stream" in shape or shape.get("ways") == ["stream", "astream"]
    try:
        message = await ask(model, "stream" if streams else "invoke", streams=False)
    except Exception as error:  # noqa: BLE001  whatever it raises is what is told
        record_property("chat_openai", f"{type(error).__name__}: {error}")
        return
    expected = golden(shape) if "message" in shape else {}
    found = {key: value for key, value in told(message).items() if bare(value) != bare(expected.get(key))}
    record_property("chat_openai", json.dumps(found, default=str) if found else "the same")
