"""Feedback told to LangSmith, where an event id is the id of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langsmith import Client
from langsmith.utils import LangSmithConflictError, LangSmithNotFoundError, get_tracer_project

from aigw._errors import ConfigurationError
from aigw.feedback._entries import as_uuid, check_sink_names, chosen_event_id, entries_of, labels_of

if TYPE_CHECKING:
    from uuid import UUID

    from aigw.feedback._entries import Entry
    from aigw.feedback._sinks import SentFeedback


class LangSmithSink:
    """Rates the LangSmith run of a call: the adapter for LangChain sends the id of the model's run as event id.

    A run gets up to three feedback entries, `user_feedback`, `user_score` and `user_comment` (the metadata entry
    `comment`), each under an id made of the log's: what is told again is changed, not told twice. Other metadata and
    the ids of the call go into the source of the entry. What is cleared is deleted.

    Args:
        client: The LangSmith client; one from the environment when left out.
        prefix: What the names begin with.
        project: The name of the project of the runs; the one that LangSmith's tracer takes when left out.
        name: The sink's name in counts and dead letters.

    Raises:
        ConfigurationError: `name` or `prefix` is empty.
        ModuleNotFoundError: The extra `aigw[langsmith]` is not installed.
    """

    def __init__(
        self,
        client: Client | None = None,
        *,
        prefix: str = "user",
        project: str | None = None,
        name: str = "langsmith",
    ) -> None:
        check_sink_names(name, prefix)
        self.name = name
        self._prefix = prefix
        self._project = project
        self._client = client
        self._project_id: UUID | None = None

    def __repr__(self) -> str:
        return f"LangSmithSink(name={self.name!r})"

    def send(self, feedback: SentFeedback) -> None:
        """Tell LangSmith, and wait for its answer.

        Raises:
            ConfigurationError: The event id is no UUID, so that no run has it.
            LangSmithError: LangSmith could not be reached, or said no.
        """
        event_id = chosen_event_id(feedback)
        run_id = as_uuid(event_id)
        if run_id is None:
            raise ConfigurationError(
                f"LangSmith knows runs by UUID, and the call has the event id {event_id!r}: send the run's id with it"
            )
        if self._client is None:
            self._client = Client()
        for entry in entries_of(feedback, self._prefix):
            if entry.value is None:
                _delete(self._client, entry.id)
            else:
                self._put(self._client, run_id, entry, labels_of(feedback))

    def _put(self, client: Client, run_id: UUID, entry: Entry, labels: dict[str, Any]) -> None:
        said = _say(entry)
        try:
            client.create_feedback(
                run_id,
                entry.name,
                **said,
                feedback_id=entry.id,
                session_id=self._find_project(client),
                source_info=labels,
                stop_after_attempt=1,  # the queue knows when to try again
            )
        except LangSmithConflictError:
            client.update_feedback(entry.id, **said)

    def _find_project(self, client: Client) -> UUID:
        if self._project_id is None:
            project = client.read_project(project_name=self._project or get_tracer_project())
            self._project_id = project.id
        return self._project_id


def _say(entry: Entry) -> dict[str, Any]:
    return {"comment": entry.value} if isinstance(entry.value, str) else {"score": entry.value}


def _delete(client: Client, entry_id: UUID) -> None:
    try:
        client.delete_feedback(entry_id)
    except LangSmithNotFoundError:
        return
