"""Review signals from plain facts: each present, absent and weak; the order of facts; clusters and their rank."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verifiers.signals.clusters import Seriousness, clusters_of
from verifiers.signals.edges import COMMON, HUB, MOST_SHOWN, MOST_TRACES, Facts, edges_of
from verifiers.signals.facts import Edge, Held, OwnLease, Paid, Signal, Strength, Trace

ANN, BOB, CID, DOT = "ann", "bob", "cid", "dot"
HOMES = {ANN: ANN, "ann-2": ANN, BOB: BOB, "bob-2": BOB, CID: CID, DOT: DOT}
HASH = "deployed 5d2c"


def held(who: str, signal: Signal = Signal.SAME_SUBJECT, value: str = "video: v.example/1", at: int = 0) -> Held:
    return Held(signal, value, who, Trace(f"{who} has it", claim=f"claim of {who}"), at)


def paid(signal: Signal, payer: str, address: str, key: str = "key") -> Paid:
    return Paid(signal, payer, address, key, Trace(f"{payer} paid for {address}", height=7, tx="AB"))


def named(edges: tuple[Edge, ...]) -> list[tuple[str, str, str, str]]:
    return [(edge.signal, edge.one, edge.other, edge.strength) for edge in edges]


SHARED = [
    (Signal.SAME_SUBJECT, "strong"),
    (Signal.SAME_SDL, "notable"),
    (Signal.SAME_PULL_REQUEST, "strong"),
    (Signal.SAME_OUTPUT, "strong"),
    (Signal.SAME_HOST, "strong"),
    (Signal.SAME_CERTIFICATE, "strong"),
]


@pytest.mark.parametrize(("signal", "strength"), SHARED, ids=[signal for signal, _ in SHARED])
def test_edges__two_hold_the_same__join_with_what_was_seen(signal: Signal, strength: str) -> None:
    (edge,) = edges_of(Facts(held=[held(BOB, signal), held(ANN, signal)], belongs=HOMES))
    assert (edge.one, edge.other, edge.strength) == (ANN, BOB, strength)
    assert {trace.claim for trace in edge.traces} == {"claim of ann", "claim of bob"}


@pytest.mark.parametrize("signal", [signal for signal, _ in SHARED])
def test_edges__one_alone_or_other_values__join_nobody(signal: Signal) -> None:
    alone = [held(ANN, signal), held(ANN, signal, at=9)]
    others = [held(BOB, signal, "another value")]
    assert edges_of(Facts(held=alone + others, belongs=HOMES)) == ()


def test_edges__same_value_of_another_signal__joins_nobody() -> None:
    facts = Facts(held=[held(ANN, Signal.SAME_HOST, "x"), held(BOB, Signal.SAME_CERTIFICATE, "x")], belongs=HOMES)
    assert edges_of(facts) == ()


def test_edges__three_hold_the_same__are_joined_each_with_each() -> None:
    edges = edges_of(Facts(held=[held(who) for who in (CID, ANN, BOB)], belongs=HOMES))
    assert [(edge.one, edge.other) for edge in edges] == [(ANN, BOB), (ANN, CID), (BOB, CID)]
    assert "3 participants" in edges[0].said


@pytest.mark.parametrize(
    ("people", "own_work", "commonplace", "strength", "words"),
    [
        (2, False, {}, "notable", "Both entered the same SDL."),
        (3, False, {}, "weak", "3 participants did, so it may be a public example"),
        (COMMON + 1, False, {}, "weak", "may be a public example"),
        (COMMON, True, {}, "notable", f"{COMMON} participants in all"),
        (COMMON + 1, True, {}, "weak", "may be a public example"),
        (2, False, {HASH: "it is one of the campaign's own apps"}, "weak", "the campaign's own apps"),
        (2, True, {HASH: "it is one of the campaign's own apps"}, "weak", "the campaign's own apps"),
    ],
    ids=["two", "three", "many", "few_authors", "many_authors", "catalogue", "catalogue_as_own_work"],
)
def test_sdl__by_how_many__is_weak_where_it_is_commonplace(
    people: int, own_work: bool, commonplace: dict[str, str], strength: str, words: str
) -> None:
    sdls = [
        replace(held(f"p{number}", Signal.SAME_SDL, HASH, number), is_own_work=own_work) for number in range(people)
    ]
    edges = edges_of(Facts(held=sdls, commonplace=commonplace))
    assert {edge.strength for edge in edges} == {strength}
    assert all(words in edge.said for edge in edges)


@pytest.mark.parametrize(
    ("people", "values", "commonplace", "strength"),
    [
        ([ANN, BOB, CID], ["x", "y"], {}, "notable"),
        ([ANN, BOB, CID], ["x"], {}, "weak"),
        ([ANN, BOB, CID], ["x", "y"], {"y": "it is in the catalogue"}, "weak"),
        ([f"p{number}" for number in range(COMMON + 1)], ["x", "y"], {}, "weak"),
    ],
    ids=["three_share_two", "three_share_one", "one_of_them_is_everybodys", "many_share_two"],
)
def test_sdls__several_that_few_have__are_no_public_examples(
    people: list[str], values: list[str], commonplace: dict[str, str], strength: str
) -> None:
    sdls = [held(name, Signal.SAME_SDL, value) for name in people for value in values]
    edges = edges_of(Facts(held=sdls, commonplace=commonplace))
    assert {edge.strength for edge in edges} == {strength}
    assert len(edges) >= len(values) * (len(people) - 1)


def test_many__hold_the_same__make_few_edges_that_join_them_all() -> None:
    people = [f"p{number:03}" for number in range(40)]
    edges = edges_of(Facts(held=[held(name, at=number) for number, name in enumerate(people)]))
    assert len(edges) == 39
    (cluster,) = clusters_of(edges)
    assert cluster.participants == tuple(people)


def test_commonplace__of_very_many__is_kept_only_between_those_whom_something_joins() -> None:
    sdls = [held(f"p{number:03}", Signal.SAME_SDL, HASH, number) for number in range(MOST_SHOWN + 1)]
    edges = edges_of(Facts(held=sdls, commonplace={HASH: "it is in the catalogue"}))
    assert edges == ()
    edges = edges_of(Facts(held=[*sdls, held("p003"), held("p005")], commonplace={HASH: "it is in the catalogue"}))
    assert named(edges) == [("same_sdl", "p003", "p005", "weak"), ("same_subject", "p003", "p005", "strong")]


PAYMENTS = [
    ("deposit", paid(Signal.DEPOSIT, ANN, BOB), [("deposit", ANN, BOB, "strong")]),
    ("deposit_from_a_linked_address", paid(Signal.DEPOSIT, "bob-2", ANN), [("deposit", ANN, BOB, "strong")]),
    ("deposit_of_ones_own", paid(Signal.DEPOSIT, "ann-2", ANN), []),
    ("deposit_of_a_stranger", paid(Signal.DEPOSIT, "nobody", ANN), []),
    ("deposit_for_a_stranger", paid(Signal.DEPOSIT, ANN, "nobody"), []),
    ("fee_grant", paid(Signal.FEE_GRANT, CID, "ann-2"), [("fee_grant", ANN, CID, "strong")]),
    ("fee_grant_of_a_service", paid(Signal.FEE_GRANT, "a console", ANN), []),
    ("first_funds", paid(Signal.FIRST_FUNDS, BOB, ANN), [("first_funds", ANN, BOB, "notable")]),
    ("first_funds_of_ones_own", paid(Signal.FIRST_FUNDS, ANN, "ann-2"), []),
    ("first_funds_of_a_faucet", paid(Signal.FIRST_FUNDS, "faucet", ANN), []),
]


@pytest.mark.parametrize(("payment", "edges"), [case[1:] for case in PAYMENTS], ids=[case[0] for case in PAYMENTS])
def test_payments__between_addresses__join_participants_only(payment: Paid, edges: list[object]) -> None:
    assert named(edges_of(Facts(paid=[payment], belongs=HOMES))) == edges


@pytest.mark.parametrize(
    ("funded", "edges"),
    [(1, 0), (2, 1), (3, 3), (HUB, HUB * (HUB - 1) // 2), (HUB + 1, 0)],
    ids=["one", "two", "three", "at_the_bound", "a_hub"],
)
def test_shared_funder__that_is_nobody__is_weak_and_no_hub(funded: int, edges: int) -> None:
    people = [f"p{number}" for number in range(funded)]
    payments = [paid(Signal.FIRST_FUNDS, "an exchange", name, name) for name in people]
    found = edges_of(Facts(paid=payments, belongs={name: name for name in people}))
    assert len(found) == edges
    assert {(edge.signal, edge.strength) for edge in found} <= {("shared_funder", "weak")}
    assert clusters_of(found) == []


def test_first_funds__of_many_by_one_participant__are_weak() -> None:
    people = {name: name for name in (ANN, *(f"p{number}" for number in range(HUB + 1)))}
    payments = [paid(Signal.FIRST_FUNDS, ANN, name, name) for name in people if name != ANN]
    edges = edges_of(Facts(paid=payments, belongs=people))
    assert {edge.strength for edge in edges} == {Strength.WEAK}
    assert clusters_of(edges) == []


@pytest.mark.parametrize(("counted", "strength"), [(True, "notable"), (False, "weak")])
def test_own_provider__leased__is_a_loop(counted: bool, strength: str) -> None:
    lease = OwnLease(ANN, "ann-2/ann", Trace("leased"), counted)
    edges = edges_of(Facts(own_leases=[lease], belongs=HOMES))
    assert named(edges) == [("own_provider", ANN, ANN, strength)]
    assert [cluster.participants for cluster in clusters_of(edges)] == ([(ANN,)] if counted else [])


def test_edge__seen_often__keeps_each_trace_once_and_not_too_many() -> None:
    payments = [paid(Signal.FEE_GRANT, ANN, BOB)] * 3
    assert len(edges_of(Facts(paid=payments, belongs=HOMES))[0].traces) == 1
    many = [
        Paid(Signal.FEE_GRANT, ANN, BOB, "key", Trace("paid", height=number, tx=str(number))) for number in range(50)
    ]
    traces = edges_of(Facts(paid=many, belongs=HOMES))[0].traces
    assert [trace.height for trace in traces] == list(range(MOST_TRACES))


FACTS = st.lists(
    st.builds(
        held,
        st.sampled_from([ANN, BOB, CID, DOT, "eve", "fay", "gil"]),
        st.sampled_from([signal for signal, _ in SHARED]),
        st.sampled_from(["x", "y", HASH]),
        st.integers(0, 3),
    ),
    max_size=24,
)


@settings(max_examples=60, deadline=None)
@given(facts=FACTS, order=st.randoms(use_true_random=False))
def test_edges__the_same_facts_in_any_order__are_the_same(facts: list[Held], order: object) -> None:
    shuffled = list(facts)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    commonplace = {HASH: "it is in the catalogue"}
    edges = edges_of(Facts(held=facts, commonplace=commonplace))
    assert edges == edges_of(Facts(held=shuffled, commonplace=commonplace))
    assert len({edge.id_in("spring") for edge in edges}) == len(edges)
    assert all(edge.one < edge.other for edge in edges)


def test_clusters__by_what_speaks_for_a_look__the_most_serious_first() -> None:
    edges = edges_of(
        Facts(
            held=[held("a1"), held("a2"), held("b1", value="other"), held("b2", value="other")],
            paid=[
                paid(Signal.FIRST_FUNDS, "a1", "a2"),
                paid(Signal.FIRST_FUNDS, "c1", "c2"),
                paid(Signal.FIRST_FUNDS, "d1", "d2"),
            ],
            own_leases=[OwnLease("d1", "d1/d1", Trace("leased"), counted=True)],
            belongs={name: name for name in ("a1", "a2", "b1", "b2", "c1", "c2", "d1", "d2")},
        )
    )
    found = [(cluster.participants, cluster.seriousness) for cluster in clusters_of(edges)]
    assert found == [
        (("a1", "a2"), Seriousness.SEVERAL_STRONG),
        (("b1", "b2"), Seriousness.STRONG),
        (("d1", "d2"), Seriousness.SEVERAL),
        (("c1", "c2"), Seriousness.SINGLE),
    ]


def test_clusters__weak_edges__join_nobody_and_are_shown_inside() -> None:
    edges = edges_of(
        Facts(
            held=[held(who, Signal.SAME_SDL, HASH) for who in (ANN, BOB, CID)] + [held(ANN), held(BOB)],
            commonplace={HASH: "it is in the catalogue"},
        )
    )
    (cluster,) = clusters_of(edges)
    assert cluster.participants == (ANN, BOB)
    assert [edge.signal for edge in cluster.edges] == ["same_sdl", "same_subject"]
    assert cluster.signals == ("same_subject",)


def test_clusters__a_hundred_accounts_of_one_faucet__are_no_cluster() -> None:
    people = {f"p{number}": f"p{number}" for number in range(100)}
    payments = [paid(Signal.FIRST_FUNDS, "faucet", name, name) for name in people]
    assert edges_of(Facts(paid=payments, belongs=people)) == ()
