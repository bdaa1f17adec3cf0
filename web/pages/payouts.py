"""What everybody may read of payouts: the list, each report, and the report as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from flask import Blueprint, Response, render_template

from services import payout_report
from services.payout_report import Report, ReportRow
from tasks.payout.tables import harmless
from web.api import payout_answers
from web.api.answers import time_or_none
from web.asked import asked_page
from web.context import house
from web.site import task_titles

blueprint = Blueprint("payouts", __name__)

MOST_NOT_PAID = 500
COLUMNS = (
    "participant", "recipient", "amount_micro", "unit", "amount_uakt", "batch", "state", "tx_hash", "tx_height",
    "tx_time",
)  # fmt: skip


@blueprint.get("/payouts")
def payouts_page() -> str:
    """Every payout that was approved."""
    asked = asked_page()
    found = payout_report.reports(house(), asked.page, asked.per_page)
    return render_template("payouts/list.html", page=found, titles=task_titles())


@blueprint.get("/payouts/<int:number>")
def report_page(number: int) -> str:
    """Rate, totals, amount per address, transactions, and what is not paid."""
    asked = asked_page()
    return render_template(
        "payouts/report.html",
        report=payout_report.report(house(), number),
        rows=payout_report.rows(house(), number, asked.page, asked.per_page),
        titles=task_titles(),
        most=MOST_NOT_PAID,
    )


@blueprint.get("/payouts/<int:number>.json")
def report_json(number: int) -> Response:
    """The report with all its rows, as the API would answer it."""
    found, rows = payout_report.report(house(), number), payout_report.rows(house(), number)
    body = payout_answers.whole(found, rows.items).model_dump_json(indent=1)
    return _file(f"{body}\n", "application/json", f"payout-{number}.json")


@blueprint.get("/payouts/<int:number>.csv")
def report_csv(number: int) -> Response:
    """A row for each address, then what is not paid; no field of it begins a formula."""
    found, rows = payout_report.report(house(), number), payout_report.rows(house(), number)
    return _file(_table(found, rows.items), "text/csv", f"payout-{number}.csv")


def _table(report: Report, rows: Iterable[ReportRow]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    unit = harmless(report.summary.unit)
    for row in rows:
        writer.writerow(
            (
                row.participant, row.recipient, row.amount_micro, unit, row.amount_uakt, row.batch,
                row.state or "owed again", row.tx_hash or "", row.tx_height or "", time_or_none(row.tx_time_ns) or "",
            )
        )  # fmt: skip
    for each in report.not_paid:
        amount = harmless(str(each.amount_micro))
        writer.writerow((each.participant, "", amount, unit, 0, "", each.words, "", "", ""))
    return text.getvalue()


def _file(text: str, mimetype: str, name: str) -> Response:
    response = Response(text, mimetype=mimetype)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
