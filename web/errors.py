"""What people and programs are told when something can't be done: always what would help."""

from __future__ import annotations

from http import HTTPStatus

import structlog
from flask import Flask, Response, jsonify, make_response, render_template
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from ledger.errors import LedgerBusy, LedgerError
from services.errors import TooMany, UseCaseError
from web.context import wants_json

log = structlog.get_logger(__name__)

PROBLEM_TYPE = "application/problem+json"

_HELP = {
    400: "The request could not be read. Go back and try again; if a form was open for long, reload it first.",
    401: "Sign in with your wallet, then come back to this page.",
    403: "This needs another account or role than the one you are signed in with.",
    404: "There is nothing at this address. The address may be mistyped, or the thing was never here.",
    405: "This address answers other methods only.",
    409: "Something else was kept meanwhile. Reload the page to see it.",
    413: "That is larger than we take: at most 1 MiB.",
    415: "Send JSON with Content-Type: application/json.",
    422: "Please mend what is marked and send it again.",
    429: "You asked more often than we can answer. Wait a minute, then try again.",
    500: "This is our mistake, not yours. It has been written to our log; nothing that you entered before is lost.",
    503: "This is on our side and should pass. Try again in a minute; nothing is lost.",
}


def init_app(app: Flask) -> None:
    """Answer every error as problem+json to programs and as a page to people."""
    app.register_error_handler(UseCaseError, _use_case_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(LedgerError, _ledger_error)
    app.register_error_handler(OperationalError, _ledger_error)
    app.register_error_handler(InternalServerError, _our_mistake)
    # Flask would log the same error a second time, past structlog.
    app.log_exception = lambda exc_info: None  # type: ignore[method-assign]  # noqa: ARG005


def problem(
    status: int, title: str, detail: str, field: str | None = None, retry_after_seconds: int | None = None
) -> Response:
    """One error, as RFC 9457 problem details under `/api/`, else as a page."""
    if wants_json():
        body: dict[str, object] = {"type": "about:blank", "title": title, "status": status, "detail": detail}
        if field is not None:
            body["field"] = field
        response = jsonify(body)
        response.mimetype = PROBLEM_TYPE
    else:
        page = render_template(
            "problem.html", status=status, heading=title, detail=detail, help=_HELP.get(status, "")
        )
        response = make_response(page)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    if retry_after_seconds is not None:
        response.headers["Retry-After"] = str(retry_after_seconds)
    return response


def _use_case_error(error: UseCaseError) -> Response:
    retry = error.retry_after_seconds if isinstance(error, TooMany) else None
    return problem(error.status, error.title, error.message, error.field, retry)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if error.response is not None or status < 400:
        return make_response(error.get_response())
    title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Error"
    response = problem(status, title, _HELP.get(status, error.description or title))
    if status == 405:
        allowed = error.get_response().headers.get("Allow")
        if allowed:
            response.headers["Allow"] = allowed
    return response


def _ledger_error(error: LedgerError | OperationalError) -> Response:
    busy = isinstance(error, LedgerBusy) or "locked" in str(error)
    log.warning("ledger_unavailable", busy=busy, error=type(error).__name__)
    if busy:
        return problem(
            503, "The database is busy", "Others are writing just now. Try again in some seconds.", None, 5
        )
    detail = str(error) if isinstance(error, LedgerError) else "The database could not be read or written."
    return problem(503, "The database does not answer", detail, None, 30)


def _our_mistake(error: InternalServerError) -> Response:
    cause = error.original_exception
    log.error("page_failed", error=repr(cause or error), exc_info=cause)
    return problem(500, "Something went wrong on our side", _HELP[500])
