"""The main job, told from its beginning to its end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aigw import AIGateway, capture_logs
from examples.demo import report
from examples.demo.answering import caching
from examples.demo.calls import Call, label_calls, read_logs, read_rated_log
from examples.demo.connection import connect
from examples.demo.documents import read_documents
from examples.demo.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console

    from aigw import Gateway
    from examples.demo.answering import Side
    from examples.demo.connection import Connection
    from examples.demo.documents import SourceText

SCORE: Final = 100
_ROOT: Final = Path(__file__).resolve().parents[2]
_CACHE_TRIES: Final = 2
_STREAMS_ARE_NOT_CACHED: Final = (
    "Streams are not cached, so this is asked without streaming, and until the answer comes from the cache: "
    "a MISS is kept under the framework's cache key, the next is a HIT."
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What every part of the story needs.

    Attributes:
        console: Where it is told.
        connection: The gateway that is asked.
        gateway: The same gateway's logs.
        question: What is asked.
    """

    console: Console
    connection: Connection
    gateway: Gateway
    question: str


def tell(environment: Mapping[str, str]) -> None:
    """Do the main job and print it.

    Raises:
        DemoError: The documents, the upstream or the settings are in the way.
        AIGatewayError: The gateway is.
    """
    settings = read_settings(environment)
    documents = read_documents(settings.docs, _ROOT)
    console = report.open_console()
    with connect(settings) as connection, AIGateway(**connection.account) as client:
        scene = Scene(console, connection, client.gateway(), settings.question)
        _introduce(scene, documents)
        sides, calls = [], []
        for side in _build_sides(scene, documents):
            sides.append(side)
            calls += _index(side, documents)
            calls += _answer_streamed(scene, side)
        _show_calls(scene, "Every call, and its log", calls)
        rated = _rate(scene, [call for call in calls if call.step == "answer"])
        hits = _ask_again(scene, sides)
    console.print(f"\nDone: {rated} answers carry feedback in their logs, {hits} came again from the cache.")


def _introduce(scene: Scene, documents: Sequence[SourceText]) -> None:
    connection = scene.connection
    names = [document.name for document in documents]
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    facts = [
        ("gateway", f"{scene.gateway.gateway_id}: {connection.where}"),
        ("models", f"{connection.model} answers, {connection.embed_model} embeds"),
        ("documents", f"{shown} ({sum(len(document.text) for document in documents):,} characters)"),
        ("question", scene.question),
        *(("note", note) for note in connection.notes),
    ]
    report.show_heading(scene.console, "aigw demo")
    report.show_facts(scene.console, facts)


def _build_sides(scene: Scene, documents: Sequence[SourceText]) -> Iterator[Side]:
    """Import each framework when its turn comes: the first one's answer need not wait for the second's import."""
    from examples.demo.langchain_side import LangChainSide  # noqa: PLC0415 - see above

    yield LangChainSide(scene.connection, caching("LangChain", scene.connection, scene.question, documents))

    from examples.demo.llamaindex_side import LlamaIndexSide  # noqa: PLC0415 - see above

    yield LlamaIndexSide(scene.connection, caching("LlamaIndex", scene.connection, scene.question, documents))


def _index(side: Side, documents: Sequence[SourceText]) -> list[Call]:
    with capture_logs() as captured:
        side.index(documents)
    return [Call(side.framework, "index", info) for info in captured]


def _answer_streamed(scene: Scene, side: Side) -> list[Call]:
    report.show_heading(scene.console, f"{side.framework} answers, streamed")
    with capture_logs() as captured:
        facts = report.show_answer(scene.console, side.answer(scene.question, stream=True))
    return label_calls(side.framework, captured, facts.get("log_id"))


def _answer_whole(scene: Scene, side: Side) -> list[Call]:
    with capture_logs() as captured:
        facts = [piece.facts for piece in side.answer(scene.question, stream=False) if piece.facts]
    return label_calls(side.framework, captured, facts[-1].get("log_id") if facts else None)


def _show_calls(scene: Scene, title: str, calls: Sequence[Call]) -> None:
    logs = read_logs(scene.gateway, calls, scene.connection.log_wait)
    report.show_heading(scene.console, title)
    report.show_rows(scene.console, [report.call_row(call, log) for call, log in zip(calls, logs, strict=True)])
    scene.console.print("[dim]index and search are embeddings: of the documents, and of the question")


def _rate(scene: Scene, answers: Sequence[Call]) -> int:
    """Send feedback to the answers' logs and read them back; give how many show it."""
    report.show_heading(scene.console, f"Thumbs up and a score of {SCORE} for each answer, read back from its log")
    for answer in answers:
        scene.gateway.patch_log(answer.log_id, feedback=1, score=SCORE)
    logs = [read_rated_log(scene.gateway, answer.log_id, scene.connection.log_wait) for answer in answers]
    pairs = zip(answers, logs, strict=True)
    report.show_rows(scene.console, [report.rating_row(answer.framework, log) for answer, log in pairs])
    return sum(log.feedback == 1 and log.score == SCORE for log in logs)


def _ask_again(scene: Scene, sides: Sequence[Side]) -> int:
    """Ask without streaming until the cache answers; give how many of its answers came."""
    calls: list[Call] = []
    for side in sides:
        for _ in range(_CACHE_TRIES):
            calls += _answer_whole(scene, side)
            if calls[-1].info.cache_status == "HIT":
                break
    _show_calls(scene, "The same question again, from the cache", calls)
    scene.console.print(f"[dim]{_STREAMS_ARE_NOT_CACHED}")
    return sum(call.info.cache_status == "HIT" for call in calls)
