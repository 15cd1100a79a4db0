"""Which texts are credentials, and every form in which a server may say one again.

A server that echoes a key writes it as its answer is written: escaped for JSON, once or twice, for a URL or for HTML.
Nothing here is asked for before there is an error to tell of.
"""

from __future__ import annotations

import re
from html.entities import codepoint2name
from typing import Final
from urllib.parse import parse_qsl, urlsplit

_PLAIN: Final = re.compile(r"[A-Za-z0-9]+")
_PARTS: Final = re.compile(r"\\+|[A-Za-z0-9]+|.", re.DOTALL)
_ENTITIES: Final = codepoint2name | {ord("'"): "apos"}
_SCHEME: Final = re.compile(r"\s*[A-Za-z]+\s+(?=\S)")
_BETWEEN: Final = re.compile(r"[\s;,]+")
_SECRET_NAME: Final = re.compile(
    r"key|token|secret|auth|passw|cookie|session|credential|signature|^sig$|^pwd$", re.IGNORECASE
)


def every_form(secret: str) -> re.Pattern[str] | None:
    """Give the pattern of a secret however it is written; `None` if it is written in one way alone."""
    return None if _PLAIN.fullmatch(secret) else re.compile("".join(map(_any_form, _PARTS.findall(secret))))


def _any_form(part: str) -> str:
    """Give the pattern of what nobody escapes, of a run of backslashes, or of any other character.

    Each way to read it is one way alone, so that no text takes long to search.
    """
    if _PLAIN.fullmatch(part):
        return re.escape(part)
    size, char = len(part), part[0]
    in_url = "".join(f"%(?:25){{0,2}}{byte:02x}" for byte in char.encode("utf-8", "surrogatepass"))
    names = [f"#0{{0,7}}{ord(char)}", f"#x0{{0,7}}{ord(char):x}", _ENTITIES.get(ord(char))]
    in_html = f"&(?:amp;){{0,2}}(?:{'|'.join(filter(None, names))});"
    if char == "\\":
        return rf"(?i:\\{{{size},{16 * size}}}+|(?:{in_url}|{in_html}){{{size}}})"
    return rf"(?i:\\{{0,8}}+(?:{re.escape(char)}|u{ord(char):04x})|{in_url}|{in_html})"


def is_secret_name(name: str) -> bool:
    """Tell whether a header or a parameter of this name holds a credential, by what people call those."""
    return _SECRET_NAME.search(name) is not None


def secrets_in_header(name: str, value: str) -> list[str]:
    """Give the credentials of a header: its value without the scheme, and each part of that, a cookie's or a pair's."""
    if not is_secret_name(name):
        return []
    value = _SCHEME.sub("", value, count=1).strip()
    parts = _BETWEEN.split(value)
    return [value, *parts, *(part.partition("=")[2].strip('"') for part in parts)]


def secrets_in_query(path: str) -> list[str]:
    """Give the credentials in the query of a path or a URL."""
    try:
        pairs = parse_qsl(urlsplit(path).query)
    except ValueError:
        return []
    return [value for name, value in pairs if is_secret_name(name)]
