"""What `aigw.local` gives, and what importing it does not import."""

import subprocess
import sys

import pytest

import aigw.local


def test_the_public_names_are_these():
    assert sorted(aigw.local.__all__) == [
        "Check",
        "ForwardUpstream",
        "GatewayLogs",
        "GatewaySettingsDict",
        "GatewayTransport",
        "LocalGateway",
        "OfflineUpstream",
        "Reply",
        "Script",
        "ScriptRequest",
        "ScriptUpstream",
        "SwitchesDict",
        "Upstream",
        "UpstreamRequest",
        "UpstreamRequests",
        "UpstreamUnreachableError",
        "find_patterns",
        "find_words",
        "json_reply",
    ]
    assert all(getattr(aigw.local, name) for name in aigw.local.__all__)
    assert set(aigw.local.__all__) <= set(dir(aigw.local))


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'LocalGatway'"):
        _ = aigw.local.LocalGatway


def test_the_built_in_upstreams_are_upstreams():
    assert isinstance(aigw.local.OfflineUpstream(), aigw.local.Upstream)
    assert isinstance(aigw.local.ForwardUpstream("x", "http://localhost:1/v1"), aigw.local.Upstream)


def test_the_pytest_plugin_imports_no_engine_and_no_server():
    program = """
import sys, aigw.local.pytest_plugin
print([name for name in ("starlette", "uvicorn", "sqlite3", "aigw.local._engine") if name in sys.modules])
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 -- our own program
    assert (done.stdout, done.stderr) == ("[]\n", "")
