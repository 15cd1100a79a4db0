"""All logs that fit, scored by one process: read in the order of time, judged at once, noted before they are sent."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, closing
from typing import TYPE_CHECKING, Final

from typing_extensions import TypedDict, Unpack

from aigw._account import check_gateway_id
from aigw._async_client import AsyncAIGateway
from aigw._given import check_whole
from aigw.scoring._bounded import for_each
from aigw.scoring._judges import check_name, judge_name, load_judge
from aigw.scoring._progress import Progress
from aigw.scoring._sampling import check_sample, is_sampled
from aigw.scoring._scorer import Scorer, deliver
from aigw.scoring._summary import ScoredLog, ScoringSummary
from aigw.scoring._verdicts import is_marked
from aigw.scoring._windows import cut, extent_of, read_window

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Callable, Sequence

    from aigw._calls._log_calls import LogFilter
    from aigw._facts import GatewayLog
    from aigw.scoring._judges import Judge
    from aigw.scoring._summary import State
    from aigw.scoring._windows import Extent

    Watch = Callable[[ScoringSummary, ScoredLog | None], object]


MAX_RETRIES: Final = 6
"""How often a client of a run's own tries again, for a gateway that is busy is no reason to end it."""


class ScoringOptions(TypedDict, total=False):
    """What `ascore_logs` and `score_logs` take by keyword."""

    client: AsyncAIGateway | None
    gateway_id: str | None
    filters: Sequence[LogFilter]
    progress: str | os.PathLike[str] | None
    name: str | None
    concurrency: int
    bodies: bool | None
    sample: float
    limit: int | None
    again: bool
    dry_run: bool
    watch: Watch | None


async def ascore_logs(  # noqa: PLR0913 -- all that can be chosen, by keyword only
    judge: Judge | str,
    *,
    client: AsyncAIGateway | None = None,
    gateway_id: str | None = None,
    filters: Sequence[LogFilter] = (),
    progress: str | os.PathLike[str] | None = None,
    name: str | None = None,
    concurrency: int = 8,
    bodies: bool | None = None,
    sample: float = 1.0,
    limit: int | None = None,
    again: bool = False,
    dry_run: bool = False,
    watch: Watch | None = None,
) -> ScoringSummary:
    """Have every log that fits judged, and send each verdict to its log with `metadata.source`, the judge's name.

    Logs are read oldest first, up to the newest one of the moment it begins. A log that says itself that this judge
    has judged it is passed over, and so is one that the progress file knows to be finished; a verdict that is in the
    file and did not arrive is sent, and its judge not asked again. A judge that raises is counted, and asked again by
    the next run. A failing gateway ends the run; whoever is being judged is judged to the end.

    Args:
        judge: A function of one `JudgedLog`, sync (it runs in a thread) or async, that gives `None` to pass over the
            log, a number or bool for its score, or a mapping of `feedback`, `score` and `metadata`; or its name as
            `module:function`.
        client: Whose gateway it is; one from the environment when left out.
        gateway_id: The gateway; the client's when left out.
        filters: Which logs.
        progress: A file that keeps how far it came (SQLite, mode 0600), of one gateway and judge; none when left out.
        name: What the logs call the judge, 1 to 100 characters; `module:function` when left out.
        concurrency: How many logs are judged or sent at once, 1 or more.
        bodies: Whether the bodies are read before the judge is asked. When left out, an async judge has them read
            first, and for a sync one they are read when it looks.
        sample: Which share of the logs, above 0 and at most 1; by the hash of the event id, or of the log's without
            one, so that every run takes the same.
        limit: How many logs are judged at most.
        again: Judge also what was judged before. A run that was broken off goes on without it.
        dry_run: Ask the judge, and neither send nor note anything.
        watch: Called after each log that was read with the summary so far, and what became of the log if it was judged.

    Raises:
        ConfigurationError: An argument cannot be what it is, or the progress file belongs to something else.
        AIGatewayError: The logs cannot be read, or no feedback can be sent; what was judged is in the progress file.
    """
    name = check_name(name or judge_name(judge))
    judge = load_judge(judge) if isinstance(judge, str) else judge
    check_whole("concurrency", concurrency)
    check_whole("limit", 1 if limit is None else limit)
    async with AsyncExitStack() as stack:
        asked = client or AsyncAIGateway(max_retries=MAX_RETRIES)
        if client is None:
            stack.push_async_callback(asked.aclose)
        gateway_id = check_gateway_id(gateway_id or asked.gateway_id)
        about = {"account": asked.account_id, "gateway": gateway_id, "judge": name}
        notes = stack.enter_context(closing(Progress(None if dry_run else progress, about)))
        scorer = stack.enter_context(Scorer(asked, gateway_id, judge, name=name, bodies=bodies, threads=concurrency))
        run = _Run(scorer, notes, name, sample=check_sample(sample), limit=limit, is_dry=dry_run, watch=watch)
        return await run.perform(list(filters), concurrency, again=again)


def score_logs(judge: Judge | str, **given: Unpack[ScoringOptions]) -> ScoringSummary:
    """As `ascore_logs`, with the same arguments, where no event loop runs; it has one of its own.

    Raises:
        ConfigurationError: An argument cannot be what it is, or the progress file belongs to something else.
        AIGatewayError: The logs cannot be read, or no feedback can be sent; what was judged is in the progress file.
        RuntimeError: An event loop is running: await `ascore_logs` there.
    """
    return asyncio.run(ascore_logs(judge, **given))


class _Run:
    def __init__(
        self,
        scorer: Scorer,
        notes: Progress,
        name: str,
        *,
        sample: float,
        limit: int | None,
        is_dry: bool,
        watch: Watch | None,
    ) -> None:
        self._scorer = scorer
        self._notes = notes
        self._name = name
        self._sample = sample
        self._limit = limit
        self._is_dry = is_dry
        self._watch = watch
        self._summary = ScoringSummary()

    async def perform(self, filters: Sequence[LogFilter], concurrency: int, *, again: bool) -> ScoringSummary:
        if again:
            self._notes.begin_again()
        await for_each(self._left_over(), self._deliver, concurrency)
        is_whole = await self._score_all(filters, concurrency)
        if is_whole and self._summary.is_finished:
            self._notes.end_again()
        return self._summary

    async def _score_all(self, filters: Sequence[LogFilter], concurrency: int) -> bool:
        """Score what fits; whether that was all, and not as much as the limit."""
        extent = await extent_of(self._scorer.gateway, filters)
        if extent is None:
            return True
        self._summary.total = extent.count
        await for_each(self._chosen(self._logs(filters, extent)), self._score, concurrency)
        return self._limit is None or self._limit > 0

    async def _logs(self, filters: Sequence[LogFilter], extent: Extent) -> AsyncIterator[GatewayLog]:
        async for window in cut(self._scorer.gateway, filters, extent):
            async for log in read_window(self._scorer.gateway, filters, window):
                yield log

    async def _chosen(self, logs: AsyncIterator[GatewayLog]) -> AsyncIterator[GatewayLog]:
        async for log in logs:
            if self._limit == 0:
                return
            self._summary.read += 1
            if not is_sampled(log, self._sample):
                self._summary.unsampled += 1
            elif self._is_done(log):
                self._summary.already += 1
            else:
                self._limit = None if self._limit is None else self._limit - 1
                yield log
                continue
            self._tell(None)

    def _is_done(self, log: GatewayLog) -> bool:
        return self._notes.is_noted(log.id) or (is_marked(log, self._name) and not self._notes.is_again)

    async def _score(self, log: GatewayLog) -> None:
        judged = await self._scorer.judge(log)
        if judged.changes is None:
            self._note(judged, judged.state)
        elif self._is_dry:
            self._note(ScoredLog(log.id, "scored", judged.changes), "scored")
        else:
            self._notes.note(log.id, "judged", judged.changes)
            await self._deliver(judged)

    async def _deliver(self, judged: ScoredLog) -> None:
        sent = await deliver(self._scorer.gateway, judged.log_id, judged.changes or {})
        self._note(sent, sent.state)

    async def _left_over(self) -> AsyncIterator[ScoredLog]:
        for log_id, changes in self._notes.undelivered():
            yield ScoredLog(log_id, "undelivered", changes)

    def _note(self, scored: ScoredLog, state: State) -> None:
        noted = "judged" if state == "undelivered" else state
        self._notes.note(scored.log_id, noted, scored.changes, scored.error)
        self._summary.count(scored)
        self._tell(scored)

    def _tell(self, scored: ScoredLog | None) -> None:
        if self._watch is not None:
            self._watch(self._summary, scored)
