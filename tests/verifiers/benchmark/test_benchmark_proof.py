"""The proof of work: an honest one passes, anything changed in it or in the product is found."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.benchmark_runs import Prover
from verifiers.benchmark.matrices import SIZES, elements, largest_element, matrix_keys
from verifiers.benchmark.proof import (
    PRIME,
    ROWS,
    VECTORS,
    Opening,
    Proof,
    draw_alone,
    drawn_rows,
    drawn_vector,
    mistake_in,
)

SEED = "5e" * 32
HONEST = Prover.honest(SEED)


@pytest.mark.parametrize("n", SIZES)
def test_elements__every_order__can_be_summed_exactly_in_fp32(n: int) -> None:
    most = largest_element(n)
    assert most * most * n < 1 << 24
    rows = elements(matrix_keys(SEED, "a"), n, 0, 16)
    assert rows.shape == (16, n)
    assert int(np.abs(rows.astype(int)).max()) <= most
    assert abs(float(rows.mean())) < most / 20


def test_elements__in_parts__are_those_of_the_whole() -> None:
    keys = matrix_keys(SEED, "b")
    whole = elements(keys, 256, 0, 256)
    parts = [elements(keys, 256, row, 32) for row in range(0, 256, 32)]
    assert (np.concatenate(parts) == whole).all()


def test_elements__fixed_seed__never_change() -> None:
    first = elements(matrix_keys("00" * 32, "a"), 128, 0, 1)[0, :8]
    assert first.tolist() == [57, 14, -95, -51, 19, 126, -31, -97]


def test_proof__honest__is_good() -> None:
    assert mistake_in(HONEST.answer()) is None
    assert mistake_in(HONEST.answer("ab" * 32)) is None


@given(row=st.integers(0, 127), column=st.integers(0, 127), by=st.integers(1, 1000))
@settings(max_examples=40, deadline=None)
def test_proof__one_changed_element__is_found_by_the_vectors(row: int, column: int, by: int) -> None:
    assert mistake_in(HONEST.spoiled(row, column, by).answer()) is not None


def test_proof__changed_after_the_products_were_right__is_found_where_its_row_is_drawn() -> None:
    draw = "cd" * 32
    row = drawn_rows(draw, 128)[3]
    spoiled = HONEST.spoiled(row, 7, 1)
    assert mistake_in(spoiled.answer(draw, products_of=HONEST)) == f"row {row} is not the one that was committed to"


def test_proof__half_of_the_product_never_computed__is_found() -> None:
    c = HONEST.c.copy()
    c[64:] = 0
    assert mistake_in(Prover(SEED, 128, c).answer(products_of=HONEST)) is not None


def _other_root(proof: Proof) -> Proof:
    return replace(proof, root="11" * 32)


def _other_seed(proof: Proof) -> Proof:
    return replace(proof, seed="77" * 32)


def _other_draw(proof: Proof) -> Proof:
    return replace(proof, draw="88" * 32)


def _other_rows(proof: Proof) -> Proof:
    return replace(proof, openings=tuple(reversed(proof.openings)))


def _fewer_rows(proof: Proof) -> Proof:
    return replace(proof, openings=proof.openings[:-1])


def _swapped_branch(proof: Proof) -> Proof:
    first, second, *rest = proof.openings
    return replace(proof, openings=(Opening(first.row, second.path), second, *rest))


def _short_branch(proof: Proof) -> Proof:
    first, *rest = proof.openings
    return replace(proof, openings=(Opening(first.row, first.path[:-1]), *rest))


def _other_product(proof: Proof) -> Proof:
    return replace(proof, products=("00" * 32, proof.products[1]))


def _no_product(proof: Proof) -> Proof:
    return replace(proof, products=())


def _other_order(proof: Proof) -> Proof:
    return replace(proof, n=256)


def _odd_order(proof: Proof) -> Proof:
    return replace(proof, n=100)


@pytest.mark.parametrize(
    "change",
    [
        _other_root,
        _other_seed,
        _other_draw,
        _other_rows,
        _fewer_rows,
        _swapped_branch,
        _short_branch,
        _other_product,
        _no_product,
        _other_order,
        _odd_order,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_proof__something_exchanged__is_refused(change: object) -> None:
    assert callable(change)
    assert mistake_in(change(HONEST.answer())) is not None


@given(draw=st.binary(min_size=32, max_size=32).map(bytes.hex), n=st.sampled_from(SIZES))
@settings(max_examples=30, deadline=None)
def test_draw__any__names_enough_distinct_rows_and_vectors_of_the_field(draw: str, n: int) -> None:
    rows = drawn_rows(draw, n)
    assert len(set(rows)) == ROWS
    assert all(0 <= row < n for row in rows)
    vector = drawn_vector(draw, VECTORS - 1, n)
    assert len(vector) == n
    assert all(0 <= value < PRIME for value in vector)


def test_draw__other_root__is_another() -> None:
    assert draw_alone(SEED, 128, "00" * 32) != draw_alone(SEED, 128, "01" * 32)


def test_check__full_size__stays_well_under_a_second_of_a_processor() -> None:
    proof = Proof(4096, SEED, "00" * 32, "01" * 32, ("00" * 32,) * 2, ())
    openings = tuple(Opening(row, ()) for row in drawn_rows(proof.draw, 4096))
    began = time.process_time()
    assert mistake_in(replace(proof, openings=openings)) is not None
    assert time.process_time() - began < 5  # about 0.2 s; the bound leaves room for a busy machine
