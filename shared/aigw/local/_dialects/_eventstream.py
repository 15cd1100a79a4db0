"""Amazon's event stream: the binary frames that Bedrock streams its events in.

Source: AWS documentation, Amazon Transcribe, Event stream encoding, and the Smithy specification of
`application/vnd.amazon.eventstream`. A frame is its whole length, the length of its headers, a CRC-32 of these two, the
headers, the payload, and a CRC-32 of all before it; numbers are big-endian.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from zlib import crc32

from aigw._json import dump_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aigw.local._dialects._dialect import Body

EVENT_STREAM_TYPE: Final = "application/vnd.amazon.eventstream"

_STRING: Final = 7
_AROUND: Final = 16
"""Bytes of a frame that are neither headers nor payload."""


def frame(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Write one frame, whose header values are all strings."""
    fields = b"".join(_field(name, value) for name, value in headers.items())
    prelude = struct.pack(">II", len(fields) + len(payload) + _AROUND, len(fields))
    checked = prelude + struct.pack(">I", crc32(prelude)) + fields + payload
    return checked + struct.pack(">I", crc32(checked))


def event_frame(kind: str, body: Body) -> bytes:
    """Write one event whose payload is JSON."""
    return frame(_headers("event", kind), dump_json(body))


def exception_frame(kind: str, message: str) -> bytes:
    """Write one exception, which ends a stream."""
    return frame(_headers("exception", kind), dump_json({"message": message}))


def chunk_frame(body: Body) -> bytes:
    """Write one event of a model's own, in the envelope that `invoke-with-response-stream` puts round it."""
    return event_frame("chunk", {"bytes": b64encode(dump_json(body)).decode()})


def _headers(message: str, kind: str) -> dict[str, str]:
    return {f":{message}-type": kind, ":content-type": "application/json", ":message-type": message}


def _field(name: str, value: str) -> bytes:
    key, data = name.encode(), value.encode()
    return struct.pack(">B", len(key)) + key + struct.pack(">BH", _STRING, len(data)) + data
