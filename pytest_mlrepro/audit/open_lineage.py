"""OpenLineage events: each change of a golden is a run of its test, each step of a pipeline a run below it.

Facets: `test` (the checks), `dataQualityAssertions` (contracts and drift, on the data that was read), `version` (digests).
https://openlineage.io/docs/spec/object-model
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .. import _lazy
from ..golden.history import Entry
from ..pipeline.facts import Input, Step
from .facts import check_kind, made
from .names import PRODUCER, clean, uuid_of
from .stock import Holding

__all__ = ["JOBS", "event_lines"]

JOBS = "pytest-mlrepro"
"""Namespace of jobs and of datasets: their names are node ids and paths below the root directory."""
DATA_CHECKS = ("contract", "drift")


def event_lines(held: list[Holding], root: Path) -> str:
    """Return the events as lines of JSON, oldest first within each golden."""
    serde = _lazy.require("openlineage.client.serde", extra="audit").Serde
    writer = _Writer(
        _lazy.require("openlineage.client.event_v2", extra="audit"),
        _lazy.require("openlineage.client.facet_v2", extra="audit"),
    )
    events = [event for one in held for event in writer.golden(one, root)]
    return "".join(f"{serde.to_json(event)}\n" for event in events)


class _Writer:
    """Makes events with the classes of the client, which check them."""

    def __init__(self, events: Any, facets: Any) -> None:
        self.events, self.facets = events, facets

    def golden(self, one: Holding, root: Path) -> Iterator[Any]:
        """Yield what started and ended, for each change; inputs and steps are known of the last one."""
        for entry in one.entries[:-1]:
            yield from self._change(one, entry, [], {})
        last = one.entries[-1]
        inputs = [self._data(thing.name, thing.digest, self._asserted(one)) for thing in made(one, root).data]
        yield from self._change(one, last, inputs, self._tests(one), self._steps(one, last))

    def _change(
        self, one: Holding, entry: Entry, inputs: list[Any], facets: dict[str, Any], below: Iterator[Any] | None = None
    ) -> Iterator[Any]:
        run, job = self._run(one, entry, facets), self._job(one, entry)
        output = self.events.OutputDataset(JOBS, one.folder, facets=self._version(str(entry["new"])))
        before = [self.events.InputDataset(JOBS, one.folder, facets=self._version(str(entry["old"])))] * (
            entry["old"] is not None
        )
        yield self._event("START", entry, run, job, [*before, *inputs], [])
        yield from below or ()
        yield self._event("COMPLETE", entry, run, job, [*before, *inputs], [output])

    def _event(self, state: str, entry: Entry, run: Any, job: Any, inputs: list[Any], outputs: list[Any]) -> Any:
        return self.events.RunEvent(
            eventTime=str(entry["time"]), producer=PRODUCER, run=run, job=job,
            eventType=getattr(self.events.RunState, state), inputs=inputs, outputs=outputs,
        )  # fmt: skip

    def _run(self, one: Holding, entry: Entry, facets: dict[str, Any]) -> Any:
        return self.events.Run(uuid_of(one.folder, str(entry["digest"])), facets)

    def _job(self, one: Holding, entry: Entry) -> Any:
        kind = self.facets.job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="PYTEST", jobType=str(entry["action"]).upper(), producer=PRODUCER
        )
        why = self.facets.documentation_job.DocumentationJobFacet(
            description=f"{entry['reason']} ({entry['author']})", producer=PRODUCER
        )
        return self.events.Job(JOBS, one.test, {"jobType": kind, "documentation": why})

    def _tests(self, one: Holding) -> dict[str, Any]:
        """A golden is recorded only of a test that passed, so each of its checks has."""
        tests = [
            self.facets.test_run.TestExecution(
                name=clean(name) or "value",
                status="pass",
                severity="error",
                type=check_kind(check),
                expected=check.digest,
            )
            for name, check in sorted(one.golden.checks.items())
        ]
        return {"test": self.facets.test_run.TestRunFacet(tests=tests, producer=PRODUCER)} if tests else {}

    def _asserted(self, one: Holding) -> list[Any]:
        assertion = self.facets.data_quality_assertions_dataset.Assertion
        return [
            assertion(assertion=check_kind(check), success=True, name=clean(name), severity="error")
            for name, check in sorted(one.golden.checks.items())
            if check_kind(check) in DATA_CHECKS
        ]

    def _data(self, name: str, digest: str, assertions: list[Any]) -> Any:
        facet = self.facets.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet
        told = {"dataQualityAssertions": facet(assertions=assertions, producer=PRODUCER)} if assertions else {}
        return self.events.InputDataset(JOBS, name, facets=self._version(digest), inputFacets=told)

    def _version(self, digest: str) -> dict[str, Any]:
        facet = self.facets.dataset_version_dataset.DatasetVersionDatasetFacet
        return {"version": facet(datasetVersion=digest, producer=PRODUCER)}

    def _steps(self, one: Holding, entry: Entry) -> Iterator[Any]:
        parent = self.facets.parent_run.ParentRunFacet(
            run=self.facets.parent_run.Run(uuid_of(one.folder, str(entry["digest"]))),
            job=self.facets.parent_run.Job(JOBS, one.test),
            producer=PRODUCER,
        )
        for step in one.golden.steps:
            run = self.events.Run(uuid_of(one.folder, str(entry["digest"]), step.name), {"parent": parent})
            job = self.events.Job(JOBS, f"{one.test}.{step.name}", {})
            inputs = [self._given(one, step, given) for given in step.inputs]
            inputs += [self._data(given.name, given.digest, []) for given in step.files]
            output = self.events.OutputDataset(JOBS, f"{one.test}.{step.name}", facets=self._version(step.output))
            yield self._event("START", entry, run, job, inputs, [])
            yield self._event("FAIL" if step.raised else "COMPLETE", entry, run, job, inputs, [output])

    def _given(self, one: Holding, step: Step, given: Input) -> Any:
        """Name an input after the output that it wholly is, so that the graph joins; else after its step and argument."""
        whole = next((tie.step for tie in given.ties if not (tie.place or tie.at or tie.changed)), None)
        name = f"{one.test}.{step.name}({given.name})" if whole is None else f"{one.test}.{whole}"
        return self.events.InputDataset(JOBS, name, facets=self._version(given.digest))
