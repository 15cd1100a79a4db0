"""Who has taken feedback out of a spool that several processes share, and whether that process is still alive.

What a killed process had taken must go to another at once, not after a time-out; and what a slow one has taken must
not. Linux tells processes apart for certain, by their number and the moment they began; elsewhere nothing is known, and
a claim ends when it is not renewed.
"""

from __future__ import annotations

import os
import socket
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Owner:
    """One queue in one process.

    Attributes:
        place: The machine and the space of process numbers on it: containers that share a disk have their own.
        pid: The process.
        began: When the process began, in the kernel's own count; empty where it cannot be told.
        queue: The queue, among all that ever were.
    """

    place: str
    pid: int
    began: str
    queue: str

    @classmethod
    def current(cls) -> Self:
        """Name a new queue of this process."""
        return cls(_place(), os.getpid(), _began(os.getpid()), uuid.uuid4().hex)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` gave."""
        place, pid, began, queue = text.rsplit("|", 3)
        return cls(place, int(pid), began, queue)

    def __str__(self) -> str:
        return f"{self.place}|{self.pid}|{self.began}|{self.queue}"

    @property
    def is_gone(self) -> bool:
        """Whether the process has certainly ended."""
        return bool(self.began) and self.place == _place() and _began(self.pid) != self.began


def _place() -> str:
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    return f"{socket.gethostname()}|{space}"


def _began(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]
