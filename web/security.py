"""Who is asking, and may they: sessions, forged requests, roles, and how often costly things may be asked."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, redirect, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as AnyResponse

from services.errors import NotAllowed, SignInRefused, UseCaseError
from services.house import House
from services.sessions import LONGEST, Person, session_of
from services.settings import LOOPBACK_NAMES
from tasks.moment import SECOND
from web.context import house, wants_json

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_HEADER = "X-CSRF-Token"
BROWSER_COOKIE_SECONDS = 24 * 3600
_ACCESS = "waymark_access"

# Blueprints decorate their views with it before any application exists (reference/security.md 8, trap 9).
limiter = Limiter(key_func=get_remote_address, strategy="moving-window", storage_uri="memory://")

LIMITS = {
    # Signing in costs some milliseconds; many people may come from one address of a venue.
    "SIGN_IN_LIMIT": "600 per minute",
    # This one asks a chain.
    "LOOK_UP_LIMIT": "20 per minute",
    # This one asks a provider, and may take half a minute of one of our threads.
    "CHECK_LIMIT": "6 per minute",
}
"""How often one client may ask, by the name in the application's configuration."""

P = ParamSpec("P")
R = TypeVar("R")
View = Callable[P, R]


@dataclass(frozen=True, slots=True)
class Access:
    """Whom a view lets in. `roles`: any of these; empty: no role is needed.

    `is_handshake`: part of signing in, where no token can exist yet; the pre-login cookie guards it.
    """

    signed_in: bool = False
    participant: bool = False
    roles: frozenset[str] = frozenset()
    is_handshake: bool = False

    def check(self, person: Person | None) -> None:
        """Raises SignInRefused for nobody, NotAllowed for somebody else."""
        if not self.signed_in:
            return
        if person is None:
            raise SignInRefused("Sign in first: this needs to know who you are.")
        if self.participant and person.participant is None:
            raise NotAllowed(_not_registered(person))
        if self.roles and not self.roles & set(person.roles):
            raise NotAllowed(f"This needs the role {' or '.join(sorted(self.roles))}.")


def public(view: View[P, R]) -> View[P, R]:
    """Anybody may use this view."""
    return _declared(view, Access())


def handshake(view: View[P, R]) -> View[P, R]:
    """A step of signing in: anybody, without a token."""
    return _declared(view, Access(is_handshake=True))


def signed_in(view: View[P, R]) -> View[P, R]:
    """Whoever proved an address."""
    return _declared(view, Access(signed_in=True))


def participant_only(view: View[P, R]) -> View[P, R]:
    """Whoever is registered for the campaign."""
    return _declared(view, Access(signed_in=True, participant=True))


def role_required(*roles: str) -> Callable[[View[P, R]], View[P, R]]:
    """Whoever has one of these roles."""
    return lambda view: _declared(view, Access(signed_in=True, roles=frozenset(roles)))


def access_of(view: Callable[..., object]) -> Access | None:
    """What a view declares, None where it declares nothing: then it may only be read."""
    found = getattr(view, _ACCESS, None)
    return found if isinstance(found, Access) else None


def init_app(app: Flask, house: House) -> None:
    """Guard every request of `app`. Blueprints must be registered already."""
    # Each page token lives as long as the longest sign-in; our own checks take the place of the referrer's.
    app.config.update(
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_TIME_LIMIT=LONGEST // SECOND,
        RATELIMIT_HEADERS_ENABLED=True,
    )
    app.config.from_mapping({name: app.config.get(name, limit) for name, limit in LIMITS.items()})
    csrf = CSRFProtect(app)
    limiter.init_app(app)
    names = cookie_names(secure=house.settings.secure_cookies)
    app.extensions["waymark_cookies"] = names

    @app.before_request
    def guard() -> AnyResponse | None:
        return _guard(csrf)


def limit_of(name: str) -> Callable[[], str]:
    """A limit of LIMITS as the running application is configured."""
    return lambda: str(current_app.config[name])


def current_person() -> Person | None:
    """Who is signed in, read once for each request."""
    if "person" not in g:
        # A page that says "the database does not answer" asks again: then nobody is signed in.
        g.person = None
        g.person = session_of(house(), session_token())
    person = g.person
    return person if isinstance(person, Person) else None


def required_person() -> Person:
    """Who is signed in, inside a view that is for signed-in people only. Raises SignInRefused for nobody."""
    person = current_person()
    if person is None:
        raise SignInRefused("Sign in first: this needs to know who you are.")
    return person


@dataclass(frozen=True, slots=True)
class CookieNames:
    """The two cookies: the sign-in, and the browser that asked for a text to sign."""

    session: str
    browser: str
    secure: bool


def cookie_names(*, secure: bool) -> CookieNames:
    """Over https both are `Secure` and bound to this host (`__Host-`); plain on loopback (DESIGN section 5)."""
    prefix = "__Host-" if secure else ""
    return CookieNames(f"{prefix}waymark-session", f"{prefix}waymark-browser", secure)


def session_token() -> str | None:
    """The token of the sign-in cookie."""
    return request.cookies.get(_cookies().session)


def browser_token() -> str | None:
    """The token of the pre-login cookie."""
    return request.cookies.get(_cookies().browser)


def set_session_cookie(response: Response, token: str) -> None:
    """Sign the browser in."""
    _set(response, _cookies().session, token, LONGEST // SECOND)


def set_browser_cookie(response: Response, token: str) -> None:
    """Mark the browser that asked for a text to sign."""
    _set(response, _cookies().browser, token, BROWSER_COOKIE_SECONDS)


def clear_session_cookie(response: Response) -> None:
    """Sign the browser out."""
    names = _cookies()
    response.delete_cookie(names.session, path="/", secure=names.secure, httponly=True, samesite="Lax")


def own_path(text: str | None, otherwise: str) -> str:
    """A path of ours to go on to, never another site's."""
    if not text or not text.startswith("/") or text[1:2] in {"/", "\\"} or not text.isprintable():
        return otherwise
    return text


def _declared(view: View[P, R], access: Access) -> View[P, R]:
    setattr(view, _ACCESS, access)
    return view


def _guard(csrf: CSRFProtect) -> AnyResponse | None:
    if request.endpoint is None:
        return None
    is_unsafe = request.method not in SAFE_METHODS
    if is_unsafe:
        _check_where_from()
    access = access_of(current_app.view_functions[request.endpoint])
    if access is None:
        if is_unsafe:
            raise NotAllowed("Nobody may do this here.")
        return None
    if access.signed_in and not is_unsafe and not wants_json() and current_person() is None:
        return redirect(url_for("signin.signin_page", next=request.full_path.rstrip("?")))
    access.check(current_person() if access.signed_in else None)
    if is_unsafe and not access.is_handshake:
        if wants_json():
            _check_token(current_person())
        else:
            csrf.protect()
    return None


def _check_where_from() -> None:
    """Refuse what another site's page sends; a program sends neither of the two headers."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in {None, "same-origin", "none"} or (origin is not None and not _is_ours(origin)):
        raise NotAllowed("This request came from another site. Open the page here and do it again.")


def _is_ours(origin: str) -> bool:
    settings = house().settings
    public = urlsplit(settings.public_url)
    if origin == f"{public.scheme}://{public.netloc}":
        return True
    # On loopback people open 127.0.0.1 or localhost, on any port; names of others cannot come in here.
    asked = urlsplit(origin)
    return settings.on_loopback and asked.hostname in LOOPBACK_NAMES and asked.netloc == request.host


def _check_token(person: Person | None) -> None:
    if person is None:
        return
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), person.csrf_token.encode()):
        raise UseCaseError(f"Send the csrf_token that auth/verify gave you in the header {CSRF_HEADER}.")


def _not_registered(person: Person) -> str:
    if person.linked_to is not None:
        return f"You are signed in with an address that is linked to {person.linked_to}. Sign in with that one."
    return "Register for the campaign first."


def _cookies() -> CookieNames:
    names = current_app.extensions["waymark_cookies"]
    assert isinstance(names, CookieNames)  # noqa: S101  # set by init_app
    return names


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path="/", secure=_cookies().secure, httponly=True, samesite="Lax"
    )
