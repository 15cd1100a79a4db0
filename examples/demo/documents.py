"""Files found and read: what the question is answered from.

A folder gives every file in it whose kind is known; a file that is named itself must be readable.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from examples.demo.errors import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_OWN_DOCUMENTS: Final = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/*.md")
_SKIPPED_FOLDERS: Final = frozenset({"node_modules", "__pycache__"})
_BLOCKS: Final = frozenset({"p", "div", "li", "tr", "br", "pre", "section", "h1", "h2", "h3", "h4", "h5", "h6"})
_UNSEEN: Final = frozenset({"script", "style", "head", "template"})


@dataclass(frozen=True, slots=True)
class SourceText:
    """One document's text.

    Attributes:
        name: The path as a reader would write it.
        text: Its text, not empty.
    """

    name: str
    text: str


def read_documents(docs: str, root: Path) -> list[SourceText]:
    """Find and read the documents.

    Args:
        docs: Paths, separated by spaces or by the system's path separator; this project's documentation when empty.
        root: The project's folder.

    Raises:
        DemoError: A path does not exist, a file cannot be read as text, or there is no text at all.
    """
    if not docs:
        paths = [path for pattern in _OWN_DOCUMENTS for path in sorted(root.glob(pattern))]
        found = [SourceText(str(path.relative_to(root)), read_text(path)) for path in paths]
    else:
        found = [SourceText(str(path), read_text(path)) for path in find_files(docs)]
    texts = [document for document in found if document.text.strip()]
    if not texts:
        raise DemoError(f"there is no document with text in {docs or root} (kinds: {' '.join(READERS)})")
    return texts


def find_files(docs: str) -> list[Path]:
    """Turn what `DOCS` says into files, each once.

    Raises:
        DemoError: A path does not exist, or a file that is named itself is empty.
    """
    files: dict[Path, None] = {}
    for path in _split_paths(docs):
        if path.is_dir():
            files.update(dict.fromkeys(_files_below(path)))
        elif not path.exists():
            raise DemoError(f"there is no document {path}")
        elif path.is_file() and not path.stat().st_size:
            raise DemoError(f"{path} is empty")
        else:
            files[path] = None
    return list(files)


def read_text(path: Path) -> str:
    """Read one file as its kind is read; an unknown kind as plain text.

    Raises:
        DemoError: It cannot be read.
    """
    try:
        return READERS.get(path.suffix.lower(), _read_plain)(path)
    except UnicodeDecodeError as error:
        raise DemoError(f"cannot read {path}: it is not text in UTF-8") from error
    except OSError as error:
        raise DemoError(f"cannot read {path}: {error.strerror or error}") from error


def _split_paths(docs: str) -> list[Path]:
    """A path may itself contain spaces: what exists as a whole is not cut."""
    whole = Path(docs).expanduser()
    if whole.exists():
        return [whole]
    parts = docs.split(os.pathsep) if os.pathsep in docs else docs.split()
    return [Path(part).expanduser() for part in parts if part]


def _files_below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") or part in _SKIPPED_FOLDERS for part in parts)
        if path.is_file() and not hidden and path.suffix.lower() in READERS:
            yield path


def _read_plain(path: Path) -> str:
    text = path.read_text(encoding="utf-8-sig")
    if "\0" in text:
        raise DemoError(f"cannot read {path}: it is a binary file")
    return text


def _read_html(path: Path) -> str:
    page = _Page()
    page.feed(_read_plain(path))
    page.close()
    return "\n".join(line for line in map(str.strip, "".join(page.pieces).splitlines()) if line)


def _read_pdf(path: Path) -> str:
    try:
        pypdf = import_module("pypdf")  # optional
    except ModuleNotFoundError as error:
        raise DemoError(f"cannot read {path}: PDF files need `pip install pypdf`") from error
    try:
        return "\n\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    except pypdf.errors.PyPdfError as error:
        raise DemoError(f"cannot read {path}: {error}") from error


class _Page(HTMLParser):
    """The text of an HTML page, a line to a block."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._unseen += tag in _UNSEEN
        self.pieces.append("\n" if tag in _BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN
        self.pieces.append("\n" if tag in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)


READERS: Final[dict[str, Callable[[Path], str]]] = {
    ".md": _read_plain,
    ".txt": _read_plain,
    ".rst": _read_plain,
    ".py": _read_plain,
    ".html": _read_html,
    ".pdf": _read_pdf,
}
"""The kinds of files taken from a folder, and how each is read."""
