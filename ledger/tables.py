"""Every table, imported once so that the metadata is whole."""

from __future__ import annotations

from sqlalchemy import MetaData

from ledger import audit, awards, campaigns, chain, claims, jobs, observations, people, reviews
from ledger.base import Base

ROOMS = (people, campaigns, chain, observations, claims, awards, jobs, audit, reviews)


def metadata() -> MetaData:
    """The metadata of all tables of this version."""
    return Base.metadata
