"""The pipeline: windows of time as read tasks, the judge over their logs, the verdicts sent to the gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aigw._given import check_whole
from aigw.ray._rows import verdicts_of_rows
from aigw.ray._settings import ClientSettings
from aigw.ray._tasks import JudgeLogs, ReadWindows, SendVerdicts
from aigw.scoring._judges import check_name, judge_name, load_judge
from aigw.scoring._sampling import check_sample
from aigw.scoring._summary import ScoringSummary
from aigw.scoring._windows import LOGS_PER_WINDOW, Extent, Window, cut, extent_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ray.data import Dataset

    from aigw._calls._log_calls import LogFilter
    from aigw.scoring._judges import Judge


def read_logs(
    settings: ClientSettings | None = None,
    *,
    filters: Sequence[LogFilter] = (),
    sample: float = 1.0,
    without: str = "",
    logs_per_task: int = LOGS_PER_WINDOW,
) -> Dataset:
    """Give the logs that fit as a dataset of `id` and `log` (JSON), up to the newest of this moment.

    Args:
        settings: Whose logs; those of the environment when left out.
        filters: Which logs.
        sample: Which share of them, as `ascore_logs` takes it.
        without: A judge's name: logs that say it has judged them are left out.
        logs_per_task: About how many logs one task reads.

    Raises:
        ConfigurationError: An argument cannot be what it is.
        AIGatewayError: The logs cannot be read.
        ModuleNotFoundError: The extra `aigw[ray]` is not installed.
    """
    check_whole("logs_per_task", logs_per_task)
    settled, data = (settings or ClientSettings()).settled(), _ray_data()
    read = ReadWindows(settled, list(filters), check_sample(sample), without)
    _, windows = asyncio.run(_plan(settled, list(filters), logs_per_task))
    return _read(data, read, windows)


def judge_logs(
    logs: Dataset,
    judge: Judge | str,
    settings: ClientSettings | None = None,
    *,
    name: str | None = None,
    bodies: bool | None = None,
    concurrency: int = 8,
) -> Dataset:
    """Give the verdicts on logs as a dataset of `id`, `state`, `changes` (JSON, or empty) and `error`; none is sent.

    Args:
        logs: What `read_logs` gave.
        judge: A function or `module:function`, as for `ascore_logs`. A function of the program itself travels to the
            workers; one of a module is imported there.
        settings: Where bodies are read; from the environment when left out.
        name: What the logs call the judge; `module:function` when left out.
        bodies: Whether bodies are read first, as for `ascore_logs`.
        concurrency: How many logs each worker judges at once.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """
    check_whole("concurrency", concurrency)
    if isinstance(judge, str):
        load_judge(judge)
    settled = (settings or ClientSettings()).settled()
    task = JudgeLogs(settled, judge, check_name(name or judge_name(judge)), bodies, concurrency)
    return logs.map_batches(task, batch_size=None)


def send_verdicts(verdicts: Dataset, settings: ClientSettings | None = None, *, concurrency: int = 8) -> Dataset:
    """Send verdicts to their logs, and give them with what became of them; nothing is sent before it is consumed.

    Raises:
        ConfigurationError: An argument cannot be what it is.
    """
    check_whole("concurrency", concurrency)
    return verdicts.map_batches(SendVerdicts((settings or ClientSettings()).settled(), concurrency), batch_size=None)


def score_logs(
    judge: Judge | str,
    settings: ClientSettings | None = None,
    *,
    filters: Sequence[LogFilter] = (),
    name: str | None = None,
    concurrency: int = 8,
    bodies: bool | None = None,
    sample: float = 1.0,
    again: bool = False,
    logs_per_task: int = LOGS_PER_WINDOW,
) -> ScoringSummary:
    """Score every log that fits, as `aigw.scoring.score_logs` does, on a Ray cluster.

    Logs that say themselves that this judge has judged them are passed over, so that a run that was broken off is
    begun again and goes on. There is no progress file here: what the judge said nothing of, and what could not be
    delivered, is judged again by the next run. `concurrency` is that of each task.

    Args:
        judge: Who judges, as for `judge_logs`.
        settings: Whose logs; those of the environment when left out.
        filters: Which logs.
        name: What the logs call the judge.
        concurrency: How many logs each task judges or sends at once.
        bodies: Whether bodies are read first.
        sample: Which share of the logs.
        again: Judge also what was judged before.
        logs_per_task: About how many logs one task reads.

    Raises:
        ConfigurationError: An argument cannot be what it is.
        AIGatewayError: The logs cannot be read.
        ray.exceptions.RayTaskError: No feedback can be sent at all, or a worker has no token.
        ModuleNotFoundError: The extra `aigw[ray]` is not installed.
    """
    check_whole("logs_per_task", logs_per_task)
    name, chosen = check_name(name or judge_name(judge)), list(filters)
    settled, data = (settings or ClientSettings()).settled(), _ray_data()
    extent, windows = asyncio.run(_plan(settled, chosen, logs_per_task))
    logs = _read(data, ReadWindows(settled, chosen, check_sample(sample), "" if again else name), windows)
    verdicts = judge_logs(logs, judge, settled, name=name, bodies=bodies, concurrency=concurrency)
    summary = ScoringSummary(total=extent.count if extent else 0)
    for batch in send_verdicts(verdicts, settled, concurrency=concurrency).iter_batches(batch_size=None):
        for verdict in verdicts_of_rows(batch):
            summary.read += 1
            summary.count(verdict)
    return summary


async def _plan(
    settings: ClientSettings, filters: Sequence[LogFilter], size: int
) -> tuple[Extent | None, list[Window]]:
    async with settings.client() as client:
        gateway = client.gateway()
        extent = await extent_of(gateway, filters)
        return extent, [window async for window in cut(gateway, filters, extent, size)] if extent else []


def _read(data: Any, read: ReadWindows, windows: Sequence[Window]) -> Dataset:
    rows = [
        {"start": window.start.isoformat() if window.start else "", "end": window.end.isoformat()} for window in windows
    ]
    planned: Any = data.from_items(rows or [_NO_WINDOW], override_num_blocks=max(len(rows), 1))
    logs: Dataset = planned.map_batches(read, batch_size=1)
    return logs


_NO_WINDOW: Final = {"start": "", "end": ""}
"""For a dataset must have a row to have columns."""


def _ray_data() -> Any:
    try:
        import ray.data  # noqa: PLC0415 -- an extra, and seconds to import
    except ModuleNotFoundError as error:
        message = f'aigw.ray needs {error.name}: pip install "aigw[ray]"'
        raise ModuleNotFoundError(message, name=error.name) from error
    return ray.data
