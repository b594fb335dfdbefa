"""The right side of a job: overview, parameters, log, metrics, files, links."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.message import Message
from textual.widget import Widget

from xpm_engine.workspace.layout import JobKey, JobPaths
from xpm_tui import look
from xpm_tui.store import (
    FAILURES,
    Changed,
    Job,
    JobSubject,
    LogSubject,
    Store,
    Stream,
    Subject,
)
from xpm_tui.store.subjects import same_but_for_run
from xpm_tui.widgets.job.files import Files
from xpm_tui.widgets.job.links import Link, Links, dependants, links_of
from xpm_tui.widgets.job.metrics import MetricsOf, MetricsView
from xpm_tui.widgets.job.overview import Overview
from xpm_tui.widgets.job.overview_lines import Neighbour, OverviewOf, job_state_text
from xpm_tui.widgets.job.parameters import Parameters, ParametersOf
from xpm_tui.widgets.log.pane import LogPane
from xpm_tui.widgets.log.reading import LogStream
from xpm_tui.widgets.subject_view import SubjectView
from xpm_tui.widgets.table.table import Table

OVERVIEW, PARAMETERS, LOG, METRICS, FILES, LINKS = range(6)


class JobView(SubjectView):
    """One job; the tab that is open stays open for the next one."""

    TITLES: ClassVar[tuple[str, ...]] = (
        "Overview",
        "Parameters",
        "Log",
        "Metrics",
        "Files",
        "Links",
    )

    class LinkOpened(Message):
        """Something linked with the job is to be shown."""

        def __init__(self, target: Subject) -> None:
            super().__init__()
            self.target = target

    _open_newest = False
    """Whether the log is to open at its newest output, which was not there yet."""

    def make_panes(self) -> Sequence[Widget]:
        self.overview = Overview()
        self.parameters = Parameters()
        self.log_pane = LogPane()
        self.metrics = MetricsView()
        self.files = Files()
        self.links = Links()
        return (
            self.overview,
            self.parameters,
            self.log_pane,
            self.metrics,
            self.files,
            self.links,
        )

    def show(self, subject: Subject, store: Store) -> None:
        opened = not same_but_for_run(self.subject, subject)
        super().show(subject, store)
        if opened:
            self._open_newest = False
        if opened and isinstance(subject, LogSubject):
            self.show_log(subject.stream)

    def touched(self, changed: Changed) -> bool:
        job = self.job
        if job is None:
            return False
        around = {job.key, *job.dependencies}
        return not changed.jobs.isdisjoint(around) or job.run is None or job.run in changed.runs

    def show_moved(self, keys: frozenset[JobKey]) -> None:
        job = self.job
        if job is not None and not keys.isdisjoint((job.key, *job.dependencies)):
            self.feed(self.open_pane)

    @property
    def job(self) -> Job | None:
        """The job that is shown, as it is now."""
        if self.store is None or not isinstance(self.subject, (JobSubject, LogSubject)):
            return None
        return self.store.job(self.subject.key, self.store.run_of(self.subject))

    def feed(self, pane: int) -> None:
        store, job = self.store, self.job
        if store is None or job is None:
            return
        self.strip.show(job_line(store, job))
        paths = store.workspace.job(job.key)
        if pane == OVERVIEW:
            self.overview.show(overview_of(store, job))
        elif pane == PARAMETERS:
            self.parameters.show(ParametersOf(paths, job.record.attempt, job.drift))
        elif pane == LOG:
            self._feed_log(job, paths)
        elif pane == METRICS:
            attempt = job.record.attempt or None
            self.metrics.show(MetricsOf(paths.metrics, job.record.metrics, attempt))
        elif pane == FILES:
            self.files.lister, self.files.told = store.list_job, store.told
            self.files.show(paths.root)
        else:
            self.links.show(links_of(store, job))

    def tick(self) -> None:
        super().tick()
        job = self.job
        if job is None:
            return
        if self.open_pane == OVERVIEW:
            self.overview.tick()
        elif self.open_pane == METRICS and job.state.live:
            self.metrics.reread()

    def show_log(self, stream: Stream | None = None) -> None:
        """Open the log: this stream, else stderr at the error if it failed, else the newest."""
        self.choose(LOG)
        job = self.job
        if stream is not None:
            labels = [found.label for found in self.log_pane.view.streams]
            if stream.value in labels:
                self.log_pane.view.show_stream(labels.index(stream.value))
        elif job is not None and job.state not in FAILURES and self.store is not None:
            self._open_newest = True
            self._show_newest()

    def _feed_log(self, job: Job, paths: JobPaths) -> None:
        streams = log_streams(paths, job.record.attempt)
        self.log_pane.view.live = job.state.live
        if streams != self.log_pane.view.streams:
            self.log_pane.view.show_streams(streams, at_error=job.state in FAILURES)
        if self._open_newest:
            self._show_newest()

    def _show_newest(self) -> None:
        """Once there is one: nothing may be written yet, or brought here from another machine."""
        newest = newest_stream(self.log_pane.view.streams)
        if newest is not None:
            self._open_newest = False
            self.log_pane.view.show_stream(newest)

    def on_table_opened(self, message: Table.Opened) -> None:
        message.stop()
        if isinstance(message.row, Link):
            self.post_message(self.LinkOpened(message.row.target))


def log_streams(paths: JobPaths, attempt: int) -> tuple[LogStream, ...]:
    """Both logs of the last attempt, then those of the attempts before it."""
    streams: list[LogStream] = []
    for number in range(attempt, 0, -1):
        before = "" if number == attempt else f"attempt {number} "
        streams.append(LogStream(f"{before}{Stream.STDERR.value}", Path(paths.stderr(number))))
        streams.append(LogStream(f"{before}{Stream.STDOUT.value}", Path(paths.stdout(number))))
    return tuple(streams)


def newest_stream(streams: Sequence[LogStream]) -> int | None:
    """Which of the last attempt's logs was written to last; None where nothing was written."""
    times: list[float] = []
    for stream in streams[:2]:
        try:
            found = stream.path.stat()
        except OSError:
            times.append(0.0)
        else:
            times.append(found.st_mtime if found.st_size else 0.0)
    return times.index(max(times)) if any(times) else None


def job_line(store: Store, job: Job) -> Text:
    """``drmm › learn › lr=0.01 seed=2   ✗ failed``."""
    words = store.title(job)
    if job.run is not None:
        words = f"{job.run.experiment} › {words}"
    line = Text().append(look.plain(words), "xpm.title")
    line.append("   ")
    line.append_text(job_state_text(job))
    return line if job.key.short in words else line.append(f"   {job.key.short}", "xpm.faint")


def overview_of(store: Store, job: Job) -> OverviewOf:
    """What the store knows around a job."""

    def neighbour(key: JobKey) -> Neighbour:
        other = store.job(key, store.home_of(key))
        return Neighbour(store.title(other), other)

    runs = store.runs_of(job.key)
    return OverviewOf(
        workspace=store.workspace,
        job=job,
        folder=store.told(store.workspace.job(job.key).root),
        upstream=tuple(map(neighbour, job.dependencies)),
        downstream=tuple(map(neighbour, dependants(store, job.key))),
        experiments=tuple(dict.fromkeys(run.experiment for run in runs)),
        away=bool(store.place),
    )
