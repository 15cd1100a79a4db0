"""A Redis of the test's own: Debian's server on a free loopback port, in memory alone."""

from __future__ import annotations

import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any


@pytest.fixture
def redis_url(require: Any, tmp_path: Path) -> Iterator[str]:
    """Run a Redis for one test; skipped where there is no `redis-server`."""
    program = require.program("redis-server", how="apt-get install redis-server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = ("--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no", "--dir", str(tmp_path))
    with subprocess.Popen([program, *settings], stdout=subprocess.PIPE, text=True) as server:  # noqa: S603  found on the path
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout)
        yield f"redis://127.0.0.1:{port}"
        server.terminate()
