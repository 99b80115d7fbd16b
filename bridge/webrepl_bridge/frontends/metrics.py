"""What Prometheus asks for at `/metrics`. It is made up when it is asked for, so that nobody pays for it otherwise.

Labels are the boards' names and a few fixed words, never what a client says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from ..session import Session


def exposition(sessions: Mapping[str, Session], version: str, accept: str) -> tuple[bytes, str]:
    """Say what has happened in all sessions.

    Args:
        sessions: by their boards' names.
        version: the bridge's.
        accept: the request's `Accept` header: it chooses between Prometheus' text format and OpenMetrics.

    Returns:
        The body of the answer, and its content type.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_LabCollector(sessions, version))
    encode, content_type = choose_encoder(accept)
    body: bytes = encode(registry)
    return body, content_type


class _LabCollector(Collector):
    def __init__(self, sessions: Mapping[str, Session], version: str) -> None:
        self._sessions = sessions
        self._version = version

    def collect(self) -> Iterator[Metric]:
        info = InfoMetricFamily("webrepl_bridge", "The bridge itself.")
        info.add_metric([], {"version": self._version})
        yield info
        yield self._gauge("connected", "Whether the board is there.", lambda it: {"": it.board is not None})
        yield self._gauge(
            "clients",
            "Clients that are attached.",
            lambda it: {"webrepl": len(it.clients), "tool": len(it.tools)},
            "kind",
        )
        yield self._gauge(
            "file_operations_waiting",
            "File operations that wait or are under way.",
            lambda it: {"": len(it.files.operations)},
        )
        for name, what, of in (
            ("printed_bytes", "Bytes of the terminal that came from the board.", "printed_bytes"),
            ("typed_bytes", "Bytes of the terminal that went to the board.", "typed_bytes"),
            ("disconnects", "How often the board has gone.", "losses"),
            ("attached_clients", "Clients that have been attached.", "attached"),
        ):
            yield self._counter(name, what, lambda it, of=of: {"": getattr(it.counters, of)})
        yield self._counter("file_operations", "File operations that have ended.", lambda it: it.files.done, "kind")
        yield self._counter(
            "failed_file_operations",
            "Those of them that ended in an error, or were given up.",
            lambda it: {"": it.files.failed},
        )
        yield self._counter(
            "link",
            "What the shim's link has mended since the board was opened, and its sessions.",
            lambda it: it.board.link_counters if it.board is not None else {},
            "event",
        )

    def _gauge(self, name: str, what: str, of: Any, label: str = "") -> Metric:
        return self._filled(GaugeMetricFamily(f"webrepl_board_{name}", what, labels=_labels(label)), of, label)

    def _counter(self, name: str, what: str, of: Any, label: str = "") -> Metric:
        return self._filled(CounterMetricFamily(f"webrepl_board_{name}", what, labels=_labels(label)), of, label)

    def _filled(self, family: GaugeMetricFamily | CounterMetricFamily, of: Any, label: str) -> Metric:
        for name, session in self._sessions.items():
            for value_of, value in of(session).items():
                family.add_metric([name, value_of] if label else [name], value)
        return family


def _labels(label: str) -> list[str]:
    return ["board", label] if label else ["board"]
