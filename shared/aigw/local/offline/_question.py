"""What is asked, and what there is to answer it from.

Prompts for retrieval put the documents, the question and the instructions into one text. Their usual layouts are
recognised here (LlamaIndex's and LangChain's among them), so that an instruction is never quoted as an answer.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aigw.local.offline._messages import SYSTEM_ROLES, Message, last_user, new_results
from aigw.local.offline._passages import split_passages, split_sentences

_ASK: Final = r"(?:query|question|user question|user query|user input|input|task)"
_GIVEN: Final = r"(?:new context|context|documents?|sources?|passages?|text|information|article)"
_REPLY: Final = r"(?:(?:helpful|final|your|refined|new)\s+)?(?:answer|response|reply)"
_INDENT: Final = r"^[^\S\n]*+"
_RULER: Final = r"^[ \t]*+[-=]{4,}+[^\n\w]*+$"
_FLAGS: Final = re.IGNORECASE | re.DOTALL | re.MULTILINE

_LAYOUTS: Final = tuple(
    re.compile(layout, _FLAGS)
    for layout in (
        r"follow[- ]?up (?:input|message|question)\s*[:>]\s*(?P<restated>.*?)\s*<?standalone question\s*[:>]?\s*\Z",
        (
            rf"original (?:query|question) is as follows:\s*(?P<question>.*?)\s*We have provided an existing answer:"
            rf"\s*(?P<existing>.*?)\s*We have the opportunity.*?{_RULER}(?P<material>.*){_RULER}"
        ),
        (
            rf"{_INDENT}new context:\s*(?P<material>.*){_INDENT}query:\s*(?P<question>.*?)\s*original answer:"
            r"\s*(?P<existing>.*?)\s*new answer:\s*\Z"
        ),
        (
            rf"<(?P<tag>context|documents?)>(?P<material>.*)</(?P=tag)>.*?(?:<question>|{_INDENT}{_ASK}\s*:)\s*(?P<question>.*?)"
            rf"\s*(?:</question>.*|{_INDENT}{_REPLY}\s*:?\s*)?\Z"
        ),
        (
            rf"\A(?:(?!{_INDENT}{_GIVEN}\s*:|{_RULER}).)*?{_INDENT}{_ASK}\s*:\s*(?P<question>[^\n]+)\s*{_INDENT}{_GIVEN}\s*:\s*(?P<material>.*?)"
            rf"\s*(?:{_INDENT}{_REPLY}\s*:?\s*)?\Z"
        ),
        (
            rf"\A(?>.*?{_RULER})(?P<material>.*){_RULER}(?:(?!{_RULER}).)*?{_INDENT}{_ASK}\s*:\s*(?P<question>.*?)"
            rf"\s*(?:{_INDENT}{_REPLY}\s*:?\s*)?\Z"
        ),
        (
            r"following context[^\n:]*:\s*\n(?P<material>.*)"
            rf"{_INDENT}{_ASK}\s*:\s*(?P<question>.*?)\s*(?:{_INDENT}{_REPLY}\s*:?\s*)?\Z"
        ),
        rf"\A(?P<loose>.*){_INDENT}{_ASK}\s*:\s*(?P<question>[^\n].*?)\s*(?:{_INDENT}{_REPLY}\s*:?\s*)?\Z",
        (
            r"\A\s*(?P<question>[^\n]{0,80}\bsummar(?:y|i[sz]e)\b[^\n]*?)\s*:?\s*\n(?P<material>.*?)\s*"
            r"(?:(?:concise )?summary:[\s\"]*)?\Z"
        ),
    )
)
"""Layouts of one user message, the most telling first; each names the groups it finds."""

_SYSTEM_MATERIAL: Final = tuple(
    re.compile(layout, _FLAGS)
    for layout in (
        rf"{_RULER}(?P<material>.*){_RULER}",
        r"<(?P<tag>context|documents?)>(?P<material>.*)</(?P=tag)>",
        (
            rf"(?:{_RULER}|\b(?:context|documents|documents for the context)\s*:\s*$)(?P<material>.*?)"
            rf"(?:{_INDENT}(?:instruction|existing answer)s?\s*:.*)?\Z"
        ),
        rf"{_INDENT}(?:context|documents)\s*:\s*(?P<material>.*)\Z",
    )
)

_INSTRUCTION: Final = re.compile(
    r"\s*(?:you are|you're|your (?:task|job|role)|act as|always|never|answer|respond|reply|use (?:the|only"
    r"|three|these)|do not|don't|if you"
    r"|if the|given (?:the|a|this)|keep|think|be (?:concise|brief|helpful|polite)|please|return|output|only"
    r"|when in doubt|here (?:is|are) the"
    r"|make sure|context information)\b",
    re.IGNORECASE,
)
_BOILERPLATE: Final = re.compile(
    r"prior knowledge|answer the (?:users? |following )?(?:query|question)|pieces of (?:retrieved )?context"
    r"|based (?:only )?on the following"
    r"|if you don't know|^\s*context information|given the (?:new )?context",
    re.IGNORECASE,
)
_IMPERATIVE: Final = re.compile(
    r"\s*(?:please )?(?:summari[sz]e|explain|describe|extract|list|tell|give|find|answer|classify|translate"
    r"|write|identify|name|show|compare)\b",
    re.IGNORECASE,
)
_STANDALONE: Final = re.compile(r"standalone question", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What a conversation asks for.

    Attributes:
        text: The question alone.
        prompt: The question with what the user said around it, documents left out when their layout is known.
        material: The texts to answer from: documents, system context, tool results.
        history: What was said before; asked only when the material holds no answer.
        existing: An earlier answer that is to be refined.
        is_restatement: Whether the question is to be given back instead of answered.
    """

    text: str
    prompt: str
    material: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    existing: str = ""
    is_restatement: bool = False


def find_question(messages: Sequence[Message]) -> Question:
    """Find the question of a conversation: it stands in the last user message."""
    at = last_user(messages)
    systems = [message.text for message in messages if message.role in SYSTEM_ROLES]
    own = read_prompt(messages[at].text)
    results = [text for _, text in new_results(messages)]
    material = (*own.material, *filter(None, map(_read_system, systems)), *results)
    history = tuple(_said(message) for message in messages[:at] if message.role not in SYSTEM_ROLES and message.text)
    restated = own.is_restatement or any(map(_STANDALONE.search, systems))
    return Question(own.text, own.prompt, material, history, own.existing, restated)


def read_prompt(text: str) -> Question:
    """Read one user message by the first layout it has."""
    for layout in _LAYOUTS:
        if match := layout.search(text):
            return _by_layout(match.groupdict())
    return _without_layout(text)


def _by_layout(groups: dict[str, str | None]) -> Question:
    if restated := (groups.get("restated") or "").strip():
        return Question(restated, restated, is_restatement=True)
    question = (groups.get("question") or "").strip().removeprefix("<question>").strip()
    material = groups.get("material") or _without(_BOILERPLATE, groups.get("loose") or "")
    existing = (groups.get("existing") or "").strip()
    return Question(question, question, tuple(filter(None, (existing, material.strip()))), existing=existing)


def _without_layout(text: str) -> Question:
    paragraphs = [part for part in re.split(r"\n\s*\n|\n(?=```)", text.strip()) if part.strip()]
    passages = split_passages(text) if "?" in text else ()
    asked = [passage.text for passage in passages if passage.text.endswith("?") and passage.kind != "code"]
    if asked:
        return Question(" ".join(asked), text.strip(), tuple(filter(None, (_apart(text, asked),))))
    for place in (0, -1):
        if len(paragraphs) > 1 and _IMPERATIVE.match(paragraphs[place]):
            rest = paragraphs[1:] if place == 0 else paragraphs[:-1]
            return Question(paragraphs[place], text.strip(), ("\n\n".join(rest),))
    lead, colon, given = text.strip().partition(":")
    if colon and _IMPERATIVE.match(lead) and len(given) > len(lead):
        return Question(lead, text.strip(), (given.strip(),))
    return Question(text.strip(), text.strip())


def _apart(text: str, asked: Iterable[str]) -> str:
    rest = text
    for question in asked:
        pattern = r"\s+".join(map(re.escape, question.split()))
        rest = re.sub(pattern, "\n\n", rest, count=1)
    return rest.strip()


def _read_system(text: str) -> str:
    for layout in _SYSTEM_MATERIAL:
        match = layout.search(text)
        if match and match["material"].strip():
            return str(match["material"]).strip()
    return _without(_INSTRUCTION, _without(_BOILERPLATE, text))


def _said(message: Message) -> str:
    """Give the documents of an earlier prompt too: a follow-up may be answered from them."""
    earlier = read_prompt(message.text) if message.role == "user" else None
    return "\n\n".join(earlier.material) if earlier and earlier.material else message.text


def _without(pattern: re.Pattern[str], text: str) -> str:
    """Leave out the sentences that `pattern` finds."""
    kept = (" ".join(part for part in split_sentences(line) if not pattern.search(part)) for line in text.splitlines())
    return "\n".join(kept).strip()
