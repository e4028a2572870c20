"""What Prometheus may read of the service."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

MEDIA = CONTENT_TYPE_LATEST
BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS"})


class Metrics:
    """Counts of one application; ``route`` is the template, never the path asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.series: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}  # looked up once each
        labels = ("method", "route", "status")
        self.requests = Counter("redmap_requests", "Requests answered", labels, registry=self.registry)
        self.seconds = Histogram(
            "redmap_request_seconds", "Seconds till the answer", ("route",), buckets=BUCKETS_S,
            registry=self.registry,
        )  # fmt: skip
        self.running = Gauge(
            "redmap_requests_running", "Requests being answered", registry=self.registry,
            multiprocess_mode="livesum",
        )  # fmt: skip
        self.studies = Gauge(
            "redmap_studies_loaded", "Studies ready", registry=self.registry, multiprocess_mode="livemin"
        )
        self.reloads = Counter(
            "redmap_study_loads", "Studies loaded or failed to", ("outcome",), registry=self.registry
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        known = (method if method in METHODS else "other", route, status)
        if known not in self.series:
            self.series[known] = (
                self.requests.labels(known[0], route, str(status)), self.seconds.labels(route),
            )  # fmt: skip
        count, seconds_of_route = self.series[known]
        count.inc()
        seconds_of_route.observe(seconds)

    def text(self) -> bytes:
        """The exposition; of all worker processes where they share a folder."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:  # the library's own switch
            return generate_latest(self.registry)
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]
        return generate_latest(everyone)
