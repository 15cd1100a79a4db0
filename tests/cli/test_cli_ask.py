"""`run` and `chat` against the local gateway: the answer on stdout, the log id on stderr."""

import base64
import json

import pytest

from aigw import AIGateway

MODEL = "openai/gpt-4.1-mini"


def last_log(gateway):
    client = AIGateway("acct", "any-token", base_url=gateway.base_url)
    return client.gateway().list_logs(per_page=1).logs[0]


def test_chat_prints_the_answer_and_then_its_log_id(shell, aigw_local):
    done = shell(aigw_local.base_url, "chat", MODEL, "Say hello.", CLOUDFLARE_ACCOUNT_ID="acct")
    assert done.code == 0
    assert done.out.startswith("This is the offline model")
    assert done.out.endswith("\n")
    assert done.err == f"log {last_log(aigw_local).id}\n"


def test_chat_reads_the_prompt_from_stdin(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "chat", MODEL, stdin="Say hello.\n")
    assert done.code == 0
    assert "Say hello." in done.out


def test_chat_as_json_is_one_document_with_the_same_keys_always(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "chat", MODEL, "Hello", "--system", "Be kind.", "--json")
    assert list(done.json) == ["text", "model", "finish_reason", "usage", "info"]
    assert done.json["finish_reason"] == "stop"
    assert done.json["info"]["log_id"]
    assert done.err == ""


def test_labels_and_an_event_id_are_kept_in_the_log(invoke, aigw_local):
    words = ["--metadata", "team=red", "--metadata", "try=2", "--metadata", 'code="7"', "--event-id", "event-1"]
    invoke(aigw_local.base_url, "chat", MODEL, "Hello", *words, CLOUDFLARE_ACCOUNT_ID="acct")
    log = last_log(aigw_local)
    assert (log.metadata, log.event_id) == ({"team": "red", "try": 2, "code": "7"}, "event-1")


def test_a_stream_that_is_cut_says_so_after_what_came_and_is_3(invoke, scripted):
    chunk = {"choices": [{"index": 0, "delta": {"content": "Half an"}}]}
    body = f"data: {json.dumps(chunk)}\n\n"
    headers = {"content-type": "text/event-stream", "cf-aig-log-id": "log-1"}
    scripted.answers["chat/completions"] = (200, body, headers)
    done = invoke(scripted.base_url, "chat", MODEL, "Hello")
    assert (done.code, done.out) == (3, "Half an\n")
    assert done.err.startswith("log log-1\ncf-aigw: ")
    assert done.err.count("\n") == 2


def test_a_model_cannot_command_the_terminal(invoke, scripted):
    chunk = {"choices": [{"index": 0, "delta": {"content": "a\x1b[2Jb\tc\nd"}, "finish_reason": "stop"}]}
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n"
    scripted.answers["chat/completions"] = (200, body, {"content-type": "text/event-stream"})
    assert invoke(scripted.base_url, "chat", MODEL, "Hello").out == "a\N{REPLACEMENT CHARACTER}[2Jb\tc\nd\n"


@pytest.mark.parametrize("form", ["argument", "stdin", "file"])
def test_run_takes_its_inputs_from_everywhere(invoke, aigw_local, tmp_path, form):
    text = '{"text": ["a text"]}'
    (tmp_path / "inputs.json").write_text(text)
    words = {"argument": ["--input", text], "stdin": [], "file": ["--input", f"@{tmp_path / 'inputs.json'}"]}[form]
    done = invoke(aigw_local.base_url, "run", "@cf/baai/bge-m3", *words, stdin=text)
    assert json.loads(done.out)["shape"] == [1, 384]
    assert done.err.startswith("log ")


def test_run_without_its_file_is_one_sentence_and_2(invoke):
    done = invoke("http://127.0.0.1:9", "run", "openai/m", "--input", "@/no/such/file")
    assert (done.code, done.err) == (2, "cf-aigw: --input: cannot read /no/such/file: No such file or directory\n")


def test_run_as_json_has_the_same_keys_always(invoke, aigw_local):
    done = invoke(aigw_local.base_url, "run", "@cf/baai/bge-m3", "--input", '{"text": ["a"]}', "--json")
    assert list(done.json) == ["output", "output_base64", "content_type", "info"]
    assert done.json["output_base64"] is None
    assert done.json["info"]["gateway_id"] == "default"


def test_run_streams_one_json_a_line(invoke, aigw_local):
    inputs = json.dumps({"messages": [{"role": "user", "content": "Hello"}]})
    done = invoke(aigw_local.base_url, "run", MODEL, "--input", inputs, "--stream")
    assert len(done.lines) > 2
    assert all(line["object"] == "chat.completion.chunk" for line in done.lines)


def test_a_binary_answer_is_written_as_it_is_or_as_base64(shell, scripted):
    scripted.answers["/ai/run"] = (200, b"\x89PNG\xff", {"content-type": "image/png"})
    done = shell(scripted.base_url, "run", "google/nano-banana", "--input", "{}", "--json")
    assert base64.b64decode(done.json["output_base64"]) == b"\x89PNG\xff"
    assert (done.json["output"], done.json["content_type"]) == (None, "image/png")


def test_a_chat_as_json_says_what_was_used(invoke, aigw_local):
    usage = invoke(aigw_local.base_url, "chat", MODEL, "Say hello.", "--json").json["usage"]
    assert usage["prompt_tokens"] > 0
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_an_empty_event_id_is_refused_and_not_left_out(invoke):
    done = invoke("http://127.0.0.1:9", "chat", MODEL, "Say hello.", "--event-id", "")
    assert (done.code, done.err.split(":")[1]) == (2, " gateway option event_id cannot be ''")


def test_a_file_that_is_no_text_is_one_sentence_and_2(invoke, tmp_path):
    (tmp_path / "image.png").write_bytes(b"\x89PNG\xff")
    done = invoke("http://127.0.0.1:9", "run", MODEL, "--input", f"@{tmp_path / 'image.png'}")
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("cf-aigw: --input: this is no JSON: ")
