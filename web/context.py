"""What a view may ask of its surroundings: the house it stands in and the campaign it shows."""

from __future__ import annotations

from typing import cast

from flask import Flask, current_app, request

from services.house import House

EXTENSION = "waymark"


def install(app: Flask, house: House) -> None:
    """Give the application its house."""
    app.extensions[EXTENSION] = house


def house() -> House:
    """The house of the running application."""
    return cast("House", current_app.extensions[EXTENSION])


def wants_json() -> bool:
    """Whether the caller is a program: everything under `/api/` is answered in JSON, errors included."""
    return request.path.startswith("/api/")
