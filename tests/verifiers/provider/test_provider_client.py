from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.nodes import StandingClock
from tests.provider_double import (
    NOW,
    OWNER,
    STRANGER,
    ProviderDouble,
    StubChain,
    made,
    node,
    public_certificate,
)
from verifiers.evidence import Observation
from verifiers.guard import Guard
from verifiers.provider.client import ProviderLimits, Providers
from verifiers.provider.facts import ProviderSeen, provider_seen
from verifiers.provider.gpu_models import ModelNames
from verifiers.provider.identity import Standing
from verifiers.provider.trouble import Whose, whose
from verifiers.sockets import Deadline

QUICK = ProviderLimits(look_seconds=30.0, question_seconds=1.2, connect_seconds=1.2)
PATIENT = ProviderLimits(look_seconds=60.0, question_seconds=20.0, connect_seconds=20.0)
LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
def double() -> Iterator[ProviderDouble]:
    with ProviderDouble() as made_one:
        yield made_one


def _observe(
    double: ProviderDouble,
    chain: StubChain,
    *,
    ca_file: str | None = None,
    routes: Sequence[str] | None = None,
    limits: ProviderLimits = PATIENT,
) -> tuple[Observation, ...]:
    providers = Providers(StandingClock(NOW), Guard(LOOPBACK), limits=limits, ca_file=ca_file)
    given = {} if routes is None else {"routes": routes}
    return providers.look(OWNER, double.host_uri, chain, **given)


def _look(double: ProviderDouble, chain: StubChain, **more: Any) -> ProviderSeen:
    return provider_seen(OWNER, _observe(double, chain, **more), NOW)


def _own() -> StubChain:
    return StubChain(made().row())


def test_look__healthy_provider__everything_is_seen(double: ProviderDouble) -> None:
    seen = _look(double, _own())
    assert seen.rest.identity.standing is seen.grpc.identity.standing is Standing.PINNED
    assert seen.version.value is not None
    assert seen.version.value.akash.version == "0.14.0"
    assert seen.address.value == OWNER
    assert seen.status.value is not None
    assert seen.known_inventory is not None
    assert seen.known_inventory.counts(ModelNames(None).id_of) == {"a100": 1}
    assert seen.first_trouble is None


def test_look__grpc__sends_te_and_never_authorization(double: ProviderDouble) -> None:
    _look(double, _own())
    headers = dict(double.grpc_headers)
    assert headers["te"] == "trailers"
    assert headers["content-type"] == "application/grpc"
    assert headers[":path"] == "/akash.provider.v1.ProviderRPC/GetStatus"
    assert "authorization" not in headers
    assert not any("authorization" in head.lower() for head in double.asked)


def test_look__big_inventory__needs_window_updates(double: ProviderDouble) -> None:
    double.nodes = [node(f"node-{number}", gpus=[("a100", "80Gi")] * 8) for number in range(300)]
    seen = _look(double, _own())
    assert seen.known_inventory is not None
    assert seen.known_inventory.counts(ModelNames(None).id_of) == {"a100": 2400}
    assert len(seen.known_inventory.nodes) == 300


def test_look__address_instead_of_a_name__is_asked_without_one(double: ProviderDouble) -> None:
    double.public = public_certificate()
    host_uri = double.host_uri.replace("localhost", "127.0.0.1")
    seen = Providers(StandingClock(NOW), Guard(LOOPBACK), limits=PATIENT).look(OWNER, host_uri, _own())
    facts = provider_seen(OWNER, seen, NOW)
    assert facts.rest.identity.standing is facts.grpc.identity.standing is Standing.PINNED
    assert facts.address.value == OWNER
    assert set(double.server_names) == {None}


def test_look__chunked_answers__are_read_whole(double: ProviderDouble) -> None:
    double.rest_fault = "chunked"
    assert _look(double, _own()).address.value == OWNER


def test_look__name__is_resolved_once(double: ProviderDouble) -> None:
    asked = []

    def names(host: str, port: int, _: Deadline) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    providers = Providers(StandingClock(NOW), Guard(LOOPBACK), limits=PATIENT, look_up=names)
    seen = providers.look(OWNER, double.host_uri.replace("localhost", "gpu.example"), _own())
    assert provider_seen(OWNER, seen, NOW).known_inventory is not None
    assert asked == ["gpu.example"]


def test_look__observations__say_the_same_again(double: ProviderDouble) -> None:
    first, second = _observe(double, _own()), _observe(double, _own())
    assert [one.id for one in first] == [one.id for one in second]
    assert all(OWNER in one.request for one in first)
    assert not any("127.0.0.1" in one.request or "localhost" in one.request for one in first)


def test_look__one_lookup__for_both_ends(double: ProviderDouble) -> None:
    chain = _own()
    _look(double, chain)
    assert chain.asked == [(OWNER, made().serial)]


# ------------------------------------------------------------------------------ certificates

BAD = "bad_certificate"
STALE, EARLY, OTHERS, ODD, TWO = (
    made(begins=-9, ends=-1),
    made(begins=1),
    made(STRANGER),
    made(issuer=STRANGER),
    made(also=1),
)
CASES = [
    pytest.param(made(), [made().row()], Standing.PINNED, None, id="pinned"),
    pytest.param(made(), [], Standing.UNLISTED, BAD, id="not-on-the-chain"),
    pytest.param(made(), [made().row("revoked")], Standing.REVOKED, BAD, id="revoked"),
    pytest.param(made(), [made(ends=30).row()], Standing.FOREIGN, BAD, id="another-under-its-serial"),
    pytest.param(OTHERS, [OTHERS.row()], Standing.FOREIGN, BAD, id="of-another-provider"),
    pytest.param(made(ends=0), [made(ends=0).row()], Standing.PINNED, None, id="last-moment"),
    pytest.param(STALE, [STALE.row()], Standing.EXPIRED, BAD, id="expired"),
    pytest.param(EARLY, [EARLY.row()], Standing.EXPIRED, BAD, id="not-yet-valid"),
    pytest.param(ODD, [ODD.row()], Standing.OTHER_FORM, BAD, id="other-issuer"),
    pytest.param(TWO, [TWO.row()], Standing.OTHER_FORM, BAD, id="two-certificates"),
]


@pytest.mark.parametrize(("shown", "rows", "standing", "trouble"), CASES)
def test_look__certificate__stands_as_the_chain_says(
    double: ProviderDouble, shown: object, rows: list[dict[str, object]], standing: Standing, trouble: str | None
) -> None:
    double.certificate = shown  # type: ignore[assignment]
    seen = _look(double, StubChain(*rows))
    assert (seen.rest.identity.standing, seen.grpc.identity.standing) == (standing, standing)
    assert seen.first_trouble == trouble
    assert (seen.known_inventory is not None) == (trouble is None)
    is_asked = standing in {Standing.PINNED, Standing.UNLISTED, Standing.REVOKED}
    assert bool(double.asked) == bool(double.grpc_headers) == is_asked
    assert seen.is_alive == is_asked


def test_look__chain_that_can_not_be_asked__is_ours_and_sends_nothing(double: ProviderDouble) -> None:
    seen = _look(double, StubChain(trouble="timeout"))
    assert seen.rest.identity.standing is Standing.UNKNOWN
    assert (double.asked, double.grpc_headers) == ([], [])
    assert whose(seen.first_trouble or "") is Whose.OURS


def test_look__public_certificate_for_the_host__is_accepted_for_rest(double: ProviderDouble) -> None:
    double.public = public_certificate()
    seen = _look(double, StubChain(), ca_file=public_certificate().ca_file)
    assert seen.rest.identity.standing is Standing.PUBLIC
    assert seen.address.value == OWNER
    # the gRPC port always shows the self-signed one, which is not on the chain here
    assert seen.grpc.identity.standing is Standing.UNLISTED
    assert seen.known_inventory is None
    assert double.server_names[:2] == ["mtls.localhost", "localhost"]


def test_look__public_certificate_of_another_host__is_not(double: ProviderDouble) -> None:
    double.public = public_certificate("other.example")
    seen = _look(double, StubChain(), ca_file=public_certificate("other.example").ca_file)
    assert seen.rest.identity.standing is Standing.UNLISTED


def test_look__identity__is_an_observation_of_its_own(double: ProviderDouble) -> None:
    (record,) = (json.loads(one.body) for one in _observe(double, _own()) if one.request == f"TLS rest of {OWNER}")
    assert record["own"]["server_name"] == "mtls.localhost"
    assert record["own"]["tls"] == "TLSv1.3"
    assert len(record["own"]["certificates"]) == 1
    assert (record["host"], record["port"], record["public"]) == ("localhost", double.port, None)


# ------------------------------------------------------------------------------------ faults


def _limits(trouble: str) -> ProviderLimits:
    """Little time only where running out of it is the point: the machine may be busy."""
    return QUICK if trouble == "timeout" else PATIENT


THEIRS, SILENCE = Whose.THEIRS, Whose.SILENCE

REST_FAULTS = {
    "slow_header": ("timeout", SILENCE), "slow_body": ("timeout", SILENCE), "429": ("rate_limited", THEIRS),
    "500": ("server_error", THEIRS), "503": ("server_error", THEIRS), "401": ("denied", THEIRS),
    "404": ("unimplemented", THEIRS), "redirect": ("redirected", THEIRS), "cut_body": ("cut_body", SILENCE),
    "wrong_type": ("wrong_content_type", THEIRS), "garbage": ("undecodable", THEIRS), "huge": ("too_large", THEIRS),
    "endless": ("too_large", THEIRS), "gzip_bomb": ("too_large", THEIRS),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "expected"), REST_FAULTS.items(), ids=REST_FAULTS)
def test_look__rest_fault__has_its_name_and_leaves_grpc(
    double: ProviderDouble, fault: str, expected: tuple[str, Whose]
) -> None:
    double.rest_fault = fault
    seen = _look(double, _own(), limits=_limits(expected[0]))
    assert seen.version.trouble == expected[0]
    assert whose(expected[0]) is expected[1]
    assert seen.known_inventory is not None


GRPC_FAULTS = {
    "not_ready": ("not_ready", THEIRS), "no_cluster": ("not_ready", THEIRS), "unavailable": ("server_error", THEIRS),
    "internal": ("server_error", THEIRS), "unimplemented": ("unimplemented", THEIRS),
    "exhausted": ("rate_limited", THEIRS), "odd_status": ("grpc_failed", THEIRS),
    "http_503": ("server_error", THEIRS),
    "http_429": ("rate_limited", THEIRS), "http_415": ("unimplemented", THEIRS), "http_302": ("redirected", THEIRS),
    "wrong_type": ("wrong_content_type", THEIRS), "goaway": ("cut_body", SILENCE), "slow": ("timeout", SILENCE),
    "noise": ("timeout", SILENCE), "pings": ("too_large", THEIRS), "packed": ("undecodable", THEIRS),
    "bad_message": ("undecodable", THEIRS), "huge": ("too_large", THEIRS), "cut_body": ("cut_body", SILENCE),
    "no_trailers": ("cut_body", SILENCE), "reset": ("cut_body", SILENCE),
}  # fmt: skip


@pytest.mark.parametrize(("fault", "expected"), GRPC_FAULTS.items(), ids=GRPC_FAULTS)
def test_look__grpc_fault__has_its_name_and_no_inventory(
    double: ProviderDouble, fault: str, expected: tuple[str, Whose]
) -> None:
    double.grpc_fault = fault
    seen = _look(double, _own(), limits=_limits(expected[0]))
    assert (seen.inventory.trouble, seen.first_trouble) == (expected[0], expected[0])
    assert whose(expected[0]) is expected[1]
    assert seen.known_inventory is None
    assert seen.address.value == OWNER


CONNECTION_FAULTS = {"silent": "timeout", "slow_handshake": "timeout", "no_tls": "tls", "hang_up": "tls"}


@pytest.mark.parametrize(("fault", "trouble"), CONNECTION_FAULTS.items(), ids=CONNECTION_FAULTS)
def test_look__no_handshake__is_silence(double: ProviderDouble, fault: str, trouble: str) -> None:
    double.rest_fault = double.grpc_fault = fault
    seen = _look(double, _own(), limits=_limits(trouble))
    assert (seen.rest.trouble, seen.grpc.trouble, seen.first_trouble) == (trouble, trouble, trouble)
    assert whose(trouble) is Whose.SILENCE
    assert not seen.is_alive


def test_look__inventory_not_ready_over_rest__is_not_an_empty_one(double: ProviderDouble) -> None:
    double.rest_fault = "not_ready"
    seen = _look(double, _own())
    assert seen.status.value is not None
    assert not seen.status.value.is_inventory_ready


def test_look__nobody_listens__is_refused() -> None:
    with ProviderDouble() as gone:
        pass
    seen = _look(gone, _own())
    assert (seen.rest.trouble, seen.grpc.trouble, seen.first_trouble) == ("refused", "refused", "refused")


@pytest.mark.parametrize(
    ("host_uri", "trouble"),
    [
        pytest.param("https://127.0.0.1:8443", "host_refused", id="private"),
        pytest.param("https://[::ffff:127.0.0.1]:8443", "host_refused", id="mapped"),
        pytest.param("https://a:b@provider.example:8443", "host_refused", id="credentials"),
        pytest.param("http://provider.example:8443", "host_refused", id="http"),
        pytest.param("", "host_refused", id="empty"),
        pytest.param("https://provider.example:8443/x", "host_refused", id="path"),
    ],
)
def test_look__address_that_is_not_asked__asks_nothing(host_uri: str, trouble: str) -> None:
    chain = _own()
    observations = Providers(StandingClock(NOW), Guard(), limits=QUICK).look(OWNER, host_uri, chain)
    seen = provider_seen(OWNER, observations, NOW)
    assert (seen.rest.trouble, seen.first_trouble) == (trouble, trouble)
    assert chain.asked == []
    assert not seen.is_alive


def test_look__public_address_at_another_port__does_not_guess_the_grpc_port() -> None:
    def names(_: str, port: int, __: Deadline) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", port))]

    providers = Providers(StandingClock(NOW), Guard(ports={8443, 8444}), limits=QUICK, look_up=names)
    observations = providers.look(OWNER, "https://provider.example:443", _own())
    troubles = {one.request: one.trouble for one in observations}
    assert troubles[f"TLS rest of {OWNER}"] == "host_refused"
    assert troubles[f"TLS grpc of {OWNER}"] == "grpc_port_unknown"


@pytest.mark.parametrize(
    ("error", "trouble", "owner"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "name_unknown", Whose.SILENCE),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), "own_network", Whose.OURS),
        (TimeoutError("looking up took too long"), "timeout", Whose.SILENCE),
        (OSError(24, "Too many open files"), "own_network", Whose.OURS),
    ],
    ids=["no-name", "no-name-server", "slow-name-server", "no-socket"],
)
def test_look__name_service__whose_trouble_it_is(error: OSError, trouble: str, owner: Whose) -> None:
    def names(_: str, __: int, ___: Deadline) -> list[tuple[object, ...]]:
        raise error

    providers = Providers(StandingClock(NOW), Guard(), limits=QUICK, look_up=names)
    seen = provider_seen(OWNER, providers.look(OWNER, "https://provider.example:8443", _own()), NOW)
    assert (seen.first_trouble, whose(trouble)) == (trouble, owner)


def test_look__hanging_everywhere__ends_within_its_time(double: ProviderDouble) -> None:
    double.rest_fault, double.grpc_fault = "slow_header", "slow"
    began = time.monotonic()
    seen = _look(double, _own(), limits=QUICK)
    assert time.monotonic() - began < 15
    assert whose(seen.first_trouble or "") is Whose.SILENCE


def test_look__no_routes__asks_certificates_and_inventory_only(double: ProviderDouble) -> None:
    observations = _observe(double, _own(), routes=())
    assert double.asked == []
    assert provider_seen(OWNER, observations, NOW).known_inventory is not None


def test_look__certificate_that_changes_after_the_look__gets_no_question(double: ProviderDouble) -> None:
    chain = _own()

    def swapping(owner: str, serial: int) -> Sequence[Observation]:
        double.certificate = made(STRANGER)
        return chain(owner, serial)

    providers = Providers(StandingClock(NOW), Guard(LOOPBACK), limits=PATIENT)
    seen = provider_seen(OWNER, providers.look(OWNER, double.host_uri, swapping), NOW)
    assert seen.rest.identity.standing is Standing.PINNED
    assert (seen.version.trouble, seen.grpc.identity.standing) == ("bad_certificate", Standing.FOREIGN)
    assert (double.asked, double.grpc_headers) == ([], [])
