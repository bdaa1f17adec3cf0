"""Builds the web application of one house: nothing in it is global, two applications can live in one process."""

from __future__ import annotations

import pkgutil
import secrets
from collections.abc import Iterator
from importlib import import_module, util
from pathlib import Path

from flask import Blueprint, Flask
from flask_bootstrap import Bootstrap5
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from services.house import House
from tasks.moment import Moment, format_moment
from web import assets, context, errors, formats, headers, security, site
from web.markdown import rendered
from web.payout_words import public_words

ROOT = Path(__file__).resolve().parent.parent
ROOMS_WITH_VIEWS = ("web.pages", "web.api")
MODULES_WITH_VIEWS = ("web.signin_pages",)
LARGEST_BODY = 1024 * 1024


def create_web(house: House) -> Flask:
    """The WSGI application of `house`; it opens no connection before its first request."""
    app = Flask(
        "waymark",
        root_path=str(ROOT),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        static_url_path="/static",
    )
    _configure(app, house)
    context.install(app, house)
    Bootstrap5(app)
    errors.init_app(app)
    site.init_app(app)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    security.init_app(app, house)
    headers.init_app(app, https=house.settings.secure_cookies)
    assets.init_app(app)
    return app


def blueprints() -> Iterator[Blueprint]:
    """Every module of the rooms with views that has a `blueprint`: a new page is a new file, nothing else."""
    names = [
        f"{room}.{module.name}"
        for room in ROOMS_WITH_VIEWS
        for module in pkgutil.iter_modules(import_module(room).__path__)
    ]
    for name in (*names, *MODULES_WITH_VIEWS):
        if util.find_spec(name) is not None:
            found = getattr(import_module(name), "blueprint", None)
            if isinstance(found, Blueprint):
                yield found


def _configure(app: Flask, house: House) -> None:
    keys = [key.get_secret_value() for key in house.settings.secret_keys]
    app.config.update(
        SECRET_KEY=keys[0] if keys else secrets.token_hex(32),
        SECRET_KEY_FALLBACKS=keys[1:],
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY,
        BOOTSTRAP_SERVE_LOCAL=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=house.settings.secure_cookies,
        SESSION_COOKIE_NAME="__Host-flash" if house.settings.secure_cookies else "flash",
    )
    if house.settings.trusted_proxies:
        hops = house.settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops)  # type: ignore[method-assign]
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(formats.FILTERS)
    app.jinja_env.filters["markdown"] = rendered
    app.jinja_env.filters["payment_words"] = public_words
    app.jinja_env.filters["iso"] = lambda moment: format_moment(Moment(moment))
    app.jinja_env.filters["explorer"] = lambda address: _filled(house.settings.explorer_url, "address", address)
    payments = house.settings.payout_explorer_url or house.settings.explorer_url
    app.jinja_env.filters["payment_explorer"] = lambda tx_hash: _filled(payments, "tx", tx_hash)


def _filled(pattern: str | None, name: str, value: str) -> str | None:
    """An explorer's address for one thing; None where the settings name none for such a thing."""
    return pattern.replace(f"{{{name}}}", value) if pattern and f"{{{name}}}" in pattern else None
