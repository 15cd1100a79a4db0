"""What the tests of feedback share."""

from __future__ import annotations

from ..asgi_server import serve as serve  # noqa: PLC0414, TID252  a fixture of the examples too
from .queues import face as face  # noqa: PLC0414  a fixture
from .queues import faulty as faulty  # noqa: PLC0414  a fixture
