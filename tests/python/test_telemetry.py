"""What is told: log records with fields, and spans and counters where OpenTelemetry is there."""

from __future__ import annotations

import logging
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import genomevedic as gv
from fault_schedules import fastq
from faulty_server import FaultyServer, Reply, Request, Thing, honest
from genomevedic import telemetry

TEXT = fastq(7, 100)
THING = Thing(TEXT, '"one"')


def bad_day(request: Request) -> Reply:
    """Cut, then busy, then sound."""
    if request.number == 0:
        return honest(THING, request).but(stop_after=1000)
    return Reply(503, {"Retry-After": "3"}) if request.number == 1 else honest(THING, request)


def read(url: str) -> Any:
    retry = gv.recovery.Retry(sleep=lambda seconds: None, uniform=lambda low, high: 0.0)
    return gv.read_fastq(url, storage_options={"retry": retry})


def test_records_have_fields(server: FaultyServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="genomevedic")
    url = server.serve("/log", bad_day)
    read(url + "?key=1")
    ours = [record for record in caplog.records if record.name == "genomevedic"]
    assert [record.gv_event for record in ours] == [
        "source.answer",
        "source.broken",
        "source.answer",
        "source.retry",
        "source.answer",
    ]
    broken, retry = ours[1], ours[3]
    assert broken.levelno == retry.levelno == logging.WARNING
    assert (broken.gv_url, broken.gv_position) == (url + "?...", 1000)
    assert (retry.gv_wait, retry.gv_error) == (3.0, "SourceUnavailableError")


def test_changes_of_a_circuit_are_told(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="genomevedic")
    url = server.serve("/busy", lambda request: Reply(503))
    with pytest.raises(gv.errors.SourceUnavailableError):
        read(url)
    (record,) = [each for each in caplog.records if each.gv_event == "source.circuit"]
    assert (record.gv_before, record.gv_after, record.gv_host) == ("closed", "open", server.url)


def test_spans_and_counters(server: FaultyServer) -> None:
    spans, numbers = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(MeterProvider([numbers]))
    with trace.get_tracer("test").start_as_current_span("whole") as whole:
        read(server.serve("/spans", bad_day) + "?key=1")
    done = [span for span in spans.get_finished_spans() if span.name == "GET"]
    assert [span.attributes["http.response.status_code"] for span in done] == [200, 503, 206]
    assert {span.parent.span_id for span in done} == {whole.get_span_context().span_id}
    assert {span.attributes["url.full"] for span in done} == {server.url + "/spans?..."}
    found = {
        metric.name: sum(point.value for point in metric.data.data_points)
        for resource in numbers.get_metrics_data().resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert found["genomevedic.source.requests"] == 3
    assert found["genomevedic.source.faults"] == 2
    assert found["genomevedic.source.bytes"] == len(TEXT)


def test_without_opentelemetry_nothing_is_made() -> None:
    code = """
import sys
sys.modules["opentelemetry"] = None
from genomevedic import telemetry
one, two = telemetry.span("a", b=1), telemetry.span("c")
assert one is two
with one as span:
    span.set_attribute("x", 1)
telemetry.count("genomevedic.source.bytes", 3)
assert telemetry._instruments() is None
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_nothing_is_shown_unasked() -> None:
    code = """
from genomevedic import telemetry
telemetry.log(40, "source.broken", "not to be seen", url="x")
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == out.stderr == ""
    assert telemetry.__all__ == ["count", "log", "span"]
