"""What can go wrong with the database, in words that say what to do."""

from __future__ import annotations

from sqlalchemy.exc import DBAPIError


class LedgerError(Exception):
    """The database could not do what was asked; nothing of the transaction was kept."""


class LedgerBusy(LedgerError):
    """Another writer was in the way; the same work may succeed when repeated."""


class LedgerFull(LedgerError):
    """The disk takes no more: it is full, or it fails."""


class LedgerReadOnly(LedgerError):
    """The database cannot be written."""


class LedgerUnreachable(LedgerError):
    """The database cannot be opened."""


class LedgerNotUpgraded(LedgerError):
    """The tables are not those of this version."""


_BUSY = (LedgerBusy, "the database is busy with another writer: try again")
_FULL = (LedgerFull, "the disk of the database is full: free some space; what was stored before is untouched")
_BROKEN = (LedgerFull, "the disk of the database is full or fails: look at it; what was stored before is untouched")
_READ_ONLY = (LedgerReadOnly, "the database cannot be written: check the owner and mode of its file and folder")
_UNREACHABLE = (
    LedgerUnreachable,
    "the database cannot be opened: check WAYMARK_DATABASE_URL, its folder and its rights",
)
_OLD = (LedgerNotUpgraded, "the database lacks tables or columns of this version: run `python app.py db upgrade`")

_TEXTS: tuple[tuple[str, tuple[type[LedgerError], str]], ...] = (
    ("database is locked", _BUSY),
    ("database table is locked", _BUSY),
    ("database or disk is full", _FULL),
    ("disk i/o error", _BROKEN),
    ("attempt to write a readonly database", _READ_ONLY),
    ("unable to open database file", _UNREACHABLE),
    ("file is not a database", _UNREACHABLE),
    ("no such table", _OLD),
    ("no such column", _OLD),
    ("has no column named", _OLD),
)

_SQLSTATES: dict[str, tuple[type[LedgerError], str]] = {
    "40001": _BUSY,
    "40P01": _BUSY,
    "55P03": _BUSY,
    "53100": _FULL,
    "25006": _READ_ONLY,
    "42501": _READ_ONLY,
    "42P01": _OLD,
    "42703": _OLD,
}


def ledger_error(error: DBAPIError) -> LedgerError | None:
    """The error of this family that the driver's error is; `None` where it is a fault of the caller (a constraint).

    SQLite is told by its texts (`sqlite3_errstr`), PostgreSQL by its SQLSTATE (PostgreSQL manual, appendix A).
    """
    state = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        found = _SQLSTATES.get(state, _UNREACHABLE if state.startswith(("08", "57P")) else None)
    else:
        text = str(error.orig).lower()
        found = next((kind for part, kind in _TEXTS if part in text), None)
        if found is None and error.connection_invalidated:
            found = _UNREACHABLE
        if found is None and type(error.orig).__module__.startswith("psycopg") and "connection" in text:
            found = _UNREACHABLE
    if found is None:
        return None
    kind, advice = found
    return kind(f"{advice} ({error.orig})")
