"""For operators: is the process alive, can it answer, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Blueprint, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ledger.jobs import job_states
from services.house import House
from services.network import network
from services.probing import advice
from services.workload import Workload, workload
from tasks.moment import SECOND
from web.context import house

blueprint = Blueprint("operators", __name__)

STATES = ("following", "bootstrapping", "halted", "lagging", "reset", "unreachable")


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readyz() -> Response:
    """The database answers with the tables of this version; else 503 by the error handler. `advice`: what the
    operator should set."""
    workload(house())
    seen, told = network(house()), advice(house())
    said = {"advice": told} if told else {}
    return jsonify(ready=True, chain=seen.state if seen else "not connected", **said)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus text, read from the ledger at each scrape, so every web process gives the same."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(LedgerCollector(house()))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class LedgerCollector(Collector):
    """The platform's numbers as gauges."""

    def __init__(self, house: House) -> None:
        self._house = house

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: names are known when collected, and asking for them must not read the ledger."""
        return ()

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """All gauges."""
        yield from self._chain()
        yield from self._jobs()
        yield from self._work(workload(self._house))

    def _chain(self) -> Iterable[GaugeMetricFamily]:
        seen = network(self._house)
        if seen is None:
            return
        height = GaugeMetricFamily("waymark_chain_height", "Last block applied in full", labels=["chain_id"])
        height.add_metric([seen.chain_id], seen.height)
        yield height
        state = GaugeMetricFamily("waymark_chain_state", "1 for the state the chain is in", labels=["state"])
        for name in STATES:
            state.add_metric([name], float(name == seen.state))
        yield state
        if seen.lag_blocks is not None:
            yield GaugeMetricFamily(
                "waymark_chain_lag_blocks", "Blocks behind the newest seen", value=seen.lag_blocks
            )
        since = (self._house.clock.now() - seen.checked) / SECOND
        yield GaugeMetricFamily("waymark_chain_checked_seconds", "Seconds since the chain was looked at", value=since)

    def _jobs(self) -> Iterable[GaugeMetricFamily]:
        with self._house.ledger.read() as session:
            states = job_states(session)
        now = self._house.clock.now()
        run = GaugeMetricFamily("waymark_job_last_run_timestamp_seconds", "When a job ran last", labels=["job"])
        fine = GaugeMetricFamily("waymark_job_last_ok_timestamp_seconds", "When it went well last", labels=["job"])
        took = GaugeMetricFamily("waymark_job_last_duration_seconds", "How long its last run took", labels=["job"])
        error = GaugeMetricFamily("waymark_job_last_run_failed", "1 where its last run failed", labels=["job"])
        lag = GaugeMetricFamily("waymark_job_lag_seconds", "Seconds since it went well last", labels=["job"])
        for state in states:
            run.add_metric([state.job], state.last_run_ns / SECOND)
            error.add_metric([state.job], float(state.last_error is not None))
            if state.last_ok_ns is not None:
                fine.add_metric([state.job], state.last_ok_ns / SECOND)
                lag.add_metric([state.job], (now - state.last_ok_ns) / SECOND)
            if state.last_duration_ns is not None:
                took.add_metric([state.job], state.last_duration_ns / SECOND)
        yield from (run, fine, took, error, lag)

    @staticmethod
    def _work(work: Workload) -> Iterable[GaugeMetricFamily]:
        claims = GaugeMetricFamily(
            "waymark_claims", "Claims by the outcome of their newest verdict", labels=["outcome"]
        )
        for outcome, count in sorted(work.claims.items()):
            claims.add_metric([outcome], count)
        yield claims
        yield GaugeMetricFamily("waymark_claims_due", "Claims that are due to be looked at", value=work.due)
        yield GaugeMetricFamily("waymark_participants", "Registered participants", value=work.participants)
