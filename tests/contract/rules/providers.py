"""A provider on a loopback socket: it answers every request with what it was asked, as JSON."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final, Self

from aigw._providers import PROVIDERS
from aigw.local import ForwardUpstream

if TYPE_CHECKING:
    from aigw.local import Upstream

CUSTOM: Final = ("custom-mine", "custom-custom-ai")


class EchoProvider:
    """The provider, running between entering and leaving."""

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Echo)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def upstreams(self) -> dict[str, Upstream]:
        """Give an upstream for each provider, each with a base path that tells it, and its region, apart."""
        base = f"http://127.0.0.1:{self._server.server_port}"
        regional = {slug: f"{base}/{slug}/{{region}}" for slug in ("google-vertex-ai", "aws-bedrock")}
        resource = {"azure-openai": f"{base}/azure-openai/{{resource}}"}
        urls = {slug: f"{base}/{slug}" for slug in (*PROVIDERS, *CUSTOM)} | regional | resource
        return {slug: ForwardUpstream(slug, url) for slug, url in urls.items()}


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode("utf-8", "replace")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = {"method": self.command, "path": self.path, "headers": headers, "body": body}
        content = json.dumps(asked).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = _answer  # noqa: N815 -- the base class's names
    do_POST = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Say nothing."""
