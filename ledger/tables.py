"""Every table, imported once so that the metadata is whole."""

from __future__ import annotations

from sqlalchemy import MetaData

from ledger import (
    audit,
    awards,
    benchmarks,
    campaigns,
    chain,
    claims,
    eligibility,
    grants,
    jobs,
    observations,
    payout_sightings,
    payouts,
    people,
    probes,
    results,
    reviews,
    signals,
    spot_checks,
    submissions,
)
from ledger.base import Base

ROOMS = (
    *(people, campaigns, chain, observations, claims, benchmarks, awards, jobs, audit, reviews, submissions, probes),
    *(eligibility, grants, results, payouts, payout_sightings, signals, spot_checks),
)


def metadata() -> MetaData:
    """The metadata of all tables of this version."""
    return Base.metadata
