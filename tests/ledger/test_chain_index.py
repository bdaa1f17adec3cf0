"""The index keeps what was read later, the cursor moves only from where it was read."""

from __future__ import annotations

import pytest

from ledger.base import Ledger
from ledger.chain import BlockRow, CursorRow, DeploymentRow, GroupRow, LeaseRow, ProviderRow
from ledger.chain_index import (
    CursorMoved,
    begin_cursor,
    blocks_around,
    created_provider,
    cursor_of,
    existed_provider,
    index_digest,
    last_hashed_block,
    move_cursor,
    read_heights,
    set_lease_gpus,
    store_blocks,
    store_index,
    unknown_creations,
)
from tasks.moment import Moment

C = "local-1"


def deployment(state: str, read_height: int, dseq: int = 2**64 - 1) -> dict[str, object]:
    return {
        "chain_id": C, "owner": "o", "dseq": dseq, "state": state, "hash": "", "created_at": 1, "closed_at": None,
        "gpu_units": 1, "gpu_models": ["nvidia/a100"], "read_height": read_height,
    }  # fmt: skip


def begun(ledger: Ledger) -> CursorRow:
    ledger.transact(lambda session: begin_cursor(session, C, Moment(1), "bootstrapping", ""))
    with ledger.read() as session:
        row = cursor_of(session, C)
    assert row is not None
    return row


@pytest.mark.parametrize(("second", "kept"), [(4, "active"), (5, "closed"), (6, "closed")])
def test_store_index__same_key_again__the_later_reading_stands(ledger: Ledger, second: int, kept: str) -> None:
    ledger.transact(lambda session: store_index(session, DeploymentRow, [deployment("active", 5)]))
    ledger.transact(lambda session: store_index(session, DeploymentRow, [deployment("closed", second)]))
    with ledger.read() as session:
        assert session.get_one(DeploymentRow, (C, "o", 2**64 - 1)).state == kept
        assert read_heights(session, DeploymentRow, C, "o", 2**64 - 1) == {(): max(5, second)}


def test_move_cursor__from_elsewhere__is_refused_and_writes_nothing(ledger: Ledger) -> None:
    before = begun(ledger)
    ledger.transact(lambda session: move_cursor(session, before, {"height": 7, "stage": "following"}))

    def late(session) -> None:
        store_index(session, DeploymentRow, [deployment("active", 5)])
        move_cursor(session, before, {"height": 6})

    with pytest.raises(CursorMoved):
        ledger.transact(late)
    with ledger.read() as session:
        assert session.get(DeploymentRow, (C, "o", 2**64 - 1)) is None
        row = cursor_of(session, C)
        assert row is not None
        assert row.height == 7


def test_begin_cursor__again__leaves_it(ledger: Ledger) -> None:
    before = begun(ledger)
    ledger.transact(lambda session: move_cursor(session, before, {"height": 7}))
    assert begun(ledger).height == 7


def test_store_blocks__again__keeps_the_first_sight(ledger: Ledger) -> None:
    for number, name in enumerate(("first", "second")):
        row: dict[str, object] = {"chain_id": C, "height": 7, "hash": name, "time_ns": 70 + number}
        ledger.transact(lambda session, row=row: store_blocks(session, [row]))
    with ledger.read() as session:
        assert session.get_one(BlockRow, (C, 7)).hash == "first"


@pytest.mark.parametrize(
    ("moment", "before", "after"),
    [(5, None, 1), (10, None, 1), (11, 1, 4), (40, 1, 4), (41, 4, None)],
    ids=["before all", "on the first", "between", "on the last", "after all"],
)
def test_blocks_around__by_time(ledger: Ledger, moment: int, before: int | None, after: int | None) -> None:
    rows = [{"chain_id": C, "height": height, "hash": None, "time_ns": height * 10} for height in (1, 4)]
    ledger.transact(lambda session: store_blocks(session, rows))
    with ledger.read() as session:
        found = blocks_around(session, C, Moment(moment))
        assert tuple(None if row is None else row.height for row in found) == (before, after)
        assert last_hashed_block(session, C, 9) is None


def test_provider_creation__first_word_stands_and_existence_only_lowers(ledger: Ledger) -> None:
    row = {"chain_id": C, "owner": "p", "host_uri": "", "attributes": [["region", "x"]], "created_at": None,
           "not_later_than": 50, "read_height": 50}  # fmt: skip
    ledger.transact(lambda session: store_index(session, ProviderRow, [row]))
    ledger.transact(lambda session: existed_provider(session, C, "p", 60))
    ledger.transact(lambda session: existed_provider(session, C, "p", 40))
    with ledger.read() as session:
        assert [one.not_later_than for one in unknown_creations(session, C)] == [40]
    ledger.transact(lambda session: created_provider(session, C, "p", 30))
    ledger.transact(lambda session: created_provider(session, C, "p", 20))
    with ledger.read() as session:
        assert unknown_creations(session, C) == []
        assert session.get_one(ProviderRow, (C, "p")).created_at == 30


def test_set_lease_gpus__takes_them_from_the_group(ledger: Ledger) -> None:
    key = {"chain_id": C, "owner": "o", "dseq": 2**63, "gseq": 1}
    group = {**key, "state": "open", "gpu_units": 6, "gpu_models": [], "created_at": 1, "read_height": 5}
    lease = {
        **key, "oseq": 1, "provider": "p", "bseq": 0, "state": "active", "price": "1", "denom": "uact",
        "created_at": 2, "closed_on": None, "reason": "", "gpu_units": 0, "read_height": 5,
    }  # fmt: skip
    ledger.transact(lambda session: store_index(session, GroupRow, [group]))
    ledger.transact(lambda session: store_index(session, LeaseRow, [lease, lease | {"gseq": 2}]))
    ledger.transact(lambda session: set_lease_gpus(session, C))
    with ledger.read() as session:
        assert session.get_one(LeaseRow, (C, "o", 2**63, 1, 1, "p", 0)).gpu_units == 6
        assert session.get_one(LeaseRow, (C, "o", 2**63, 2, 1, "p", 0)).gpu_units == 0


def test_index_digest__other_reading_heights_alike_other_states_not(ledger: Ledger) -> None:
    digests = []
    for row in (deployment("active", 5), deployment("active", 9), deployment("closed", 9)):
        ledger.transact(lambda session, row=row: store_index(session, DeploymentRow, [row]))
        with ledger.read() as session:
            digests.append(index_digest(session, C))
    assert digests[0] == digests[1] != digests[2]
