"""Where a call stands among LlamaIndex's spans and workflow runs.

LlamaIndex knows the span that runs, but not the spans around it: those are learnt by watching spans begin. One watcher
serves all who ask, and goes when the last of them does.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable  # noqa: TC003 pydantic reads the annotation
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.instrumentation.span import BaseSpan, active_span_id
from llama_index.core.instrumentation.span_handlers import BaseSpanHandler
from llama_index_instrumentation import get_dispatcher
from llama_index_instrumentation.dispatcher import active_instrument_tags
from pydantic import PrivateAttr

from aigw.integration import ForkSafeLock, leave

if TYPE_CHECKING:
    import inspect
    from collections.abc import Iterator, Mapping

RUN_ID_TAG: Final = "llamaindex.run_id"
"""The tag under which LlamaIndex's workflows tell of their run."""

_NO_TAGS: Final[Mapping[str, Any]] = {}
_MAX_SPANS: Final = 20_000
_LOCK: Final = ForkSafeLock()


@dataclass(frozen=True, slots=True)
class Place:
    """Where something happens.

    Attributes:
        spans: Ids of LlamaIndex's spans, the outermost first, the innermost last.
        runs: Ids of the workflow runs around it, the outermost first.
    """

    spans: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def within(self, span_id: str, run_id: str | None) -> Place:
        """Give the place one span further in, and in another workflow run if the id is another."""
        runs = self.runs if run_id is None or run_id in self.runs else (*self.runs, run_id)
        return Place((*self.spans, span_id), runs)


NOWHERE: Final = Place()
"""What is in no span and no workflow run."""


class SpanWatcher(BaseSpanHandler[BaseSpan]):
    """Remembers of every span where it stands; of closed ones too, since tasks outlive the span that began them."""

    _places: OrderedDict[str, Place] = PrivateAttr(default_factory=OrderedDict)
    _guard: ForkSafeLock = PrivateAttr(default_factory=ForkSafeLock)
    _users: int = PrivateAttr(default=0)
    _listeners: tuple[Callable[[Place, Any], object], ...] = PrivateAttr(default=())

    @classmethod
    def class_name(cls) -> str:
        """Give the name LlamaIndex knows the class by."""
        return "AIGatewaySpanWatcher"

    def place(self, span_id: str) -> Place:
        """Give where a span stands; one whose beginning was not seen stands alone."""
        with self._guard:
            return self._places.get(span_id) or Place((span_id,))

    def new_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002 the signature is LlamaIndex's
        instance: Any | None = None,  # noqa: ARG002
        parent_span_id: str | None = None,
        tags: dict[str, Any] | None = None,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Remember where a span stands; nothing is opened."""
        with self._guard:
            self._places[id_] = self._outer(parent_span_id).within(id_, current_run_id())
            while len(self._places) > _MAX_SPANS:
                self._places.popitem(last=False)

    def prepare_to_exit_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,  # noqa: ARG002 the signature is LlamaIndex's
        instance: Any | None = None,  # noqa: ARG002
        result: Any | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Tell what the span gave to those who listen; a closed span is remembered too."""
        for listen in self._listeners:
            listen(self.place(id_), result)

    def prepare_to_drop_span(
        self,
        id_: str,
        bound_args: inspect.BoundArguments,
        instance: Any | None = None,
        err: BaseException | None = None,
        **kwargs: Any,
    ) -> None:
        """Do nothing: a failed span is remembered too."""

    def _outer(self, span_id: str | None) -> Place:
        """Give the place of a span that something begins in, which so stays among the last used."""
        if span_id is None:
            return Place()
        place = self._places.get(span_id)
        if place is None:
            return Place((span_id,))
        self._places.move_to_end(span_id)
        return place


def start_watching(listen: Callable[[Place, Any], object] | None = None) -> None:
    """Have spans watched from now on; each start wants its own stop.

    Args:
        listen: Is told where a span stood that ended, and what it gave.
    """
    root = get_dispatcher()
    with _LOCK:
        watcher = _watcher()
        if watcher is None:
            watcher = SpanWatcher()
            root.span_handlers = [*root.span_handlers, watcher]
        watcher._users += 1  # noqa: SLF001 counted here, under the lock
        if listen is not None:
            watcher._listeners = (*watcher._listeners, listen)  # noqa: SLF001 as above


def stop_watching(listen: Callable[[Place, Any], object] | None = None) -> None:
    """Take back one start; with the last one the watcher goes."""
    root = get_dispatcher()
    with _LOCK:
        watcher = _watcher()
        if watcher is None:
            return
        watcher._users -= 1  # noqa: SLF001 as above
        watcher._listeners = tuple(other for other in watcher._listeners if other != listen)  # noqa: SLF001 as above
        if watcher._users <= 0:  # noqa: SLF001 as above
            root.span_handlers = [other for other in root.span_handlers if other is not watcher]


@contextmanager
def watched_spans(tags: Mapping[str, Any] | None = None) -> Iterator[None]:
    """Watch spans while the block runs, and lay tags over LlamaIndex's `instrument_tags` in it."""
    start_watching()
    try:
        token = active_instrument_tags.set({**active_instrument_tags.get(), **(tags or {})})
        try:
            yield
        finally:
            leave(active_instrument_tags, token)
    finally:
        stop_watching()


def current_place() -> Place:
    """Give where this code runs."""
    span_id, run_id = active_span_id.get(), current_run_id()
    if span_id is None:
        return Place((), () if run_id is None else (run_id,))
    watcher = _watcher()
    place = Place((span_id,)) if watcher is None else watcher.place(span_id)
    return place if run_id is None or run_id in place.runs else Place(place.spans, (*place.runs, run_id))


def current_run_id() -> str | None:
    """Give the id of the workflow run this code runs in."""
    run_id = active_instrument_tags.get().get(RUN_ID_TAG)
    return run_id if isinstance(run_id, str) else None


def current_tags() -> Mapping[str, Any]:
    """Give LlamaIndex's `instrument_tags` as they stand, without what its workflows add for themselves."""
    tags = active_instrument_tags.get()
    return {name: value for name, value in tags.items() if not name.startswith("llamaindex.")} if tags else _NO_TAGS


def _watcher() -> SpanWatcher | None:
    handlers = get_dispatcher().span_handlers
    return next((handler for handler in handlers if isinstance(handler, SpanWatcher)), None)
