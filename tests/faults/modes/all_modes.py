"""Every mode, in the order of the page."""

from __future__ import annotations

from typing import Final

from . import bodies, connections, framing, statuses, streams

SECTIONS: Final = {
    "Connections": connections,
    "HTTP": framing,
    "Bodies": bodies,
    "Event streams": streams,
    "Refusals and redirects": statuses,
}

MODES: Final = [mode for section in SECTIONS.values() for mode in section.MODES]
