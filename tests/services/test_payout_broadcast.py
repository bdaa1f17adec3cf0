"""Handing a stored file to the payout chain: what each answer means, and that the log knows it beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, text

from ledger.audit import AuditRow
from ledger.observations import ObservationRow
from services.errors import Conflict, NotFound, Unavailable
from services.house import House
from services.payout_broadcast import broadcast
from services.payout_checking import check_signed
from services.payout_export import export
from services.payout_records import batch
from tasks.payout.lifecycle import BatchState
from tests.nodes import BIRTH, Answer, Asked, StandingClock, Stopwatch
from tests.pay_nodes import TXS, PayChain, PayNode
from tests.payout_houses import CHAIN, FACTS, approved, drafted, make_house, signed_file
from tests.recordings import recordings
from verifiers.chain.client import Chain
from verifiers.http import Limits

Answered = Callable[[Asked], Answer]


@contextmanager
def a_house(folder: Path, node: PayNode) -> Iterator[tuple[House, str]]:
    """A house with one stored signed file, and its hash."""
    plain = make_house(folder)
    approved(plain, drafted(plain))
    export(plain, "operator", 1, FACTS)
    judged = check_signed(plain, "operator", "p1-0001", signed_file(plain, "p1-0001", FACTS.sequence), FACTS)
    assert judged.checked.hash
    watch = Stopwatch()
    chain = Chain([node.url], [node.url], StandingClock(BIRTH), chain_id=CHAIN, limits=Limits(deadline_seconds=3),
                  monotonic=watch.monotonic, sleep=watch.sleep)  # fmt: skip
    yield replace(plain, payout_chain=chain), judged.checked.hash
    chain.close()


@pytest.fixture
def node() -> Iterator[PayNode]:
    with PayNode(PayChain(), chain_id=CHAIN) as made:
        yield made


@pytest.fixture
def stored(node: PayNode, tmp_path: Path) -> Iterator[tuple[House, str]]:
    with a_house(tmp_path, node) as made:
        yield made


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str, PayNode]]:
    """The same for many broadcasts of one file, each refused: it changes nothing."""
    with PayNode(PayChain(), chain_id=CHAIN) as one, a_house(tmp_path_factory.mktemp("house"), one) as made:
        yield *made, one


def answering(tx_hash: str, code: int, codespace: str = "sdk", log: str = "") -> Answered:
    said = {"height": "0", "txhash": tx_hash, "codespace": codespace, "code": code, "raw_log": log, "timestamp": ""}
    return lambda _: Answer({"tx_response": said})


def acts(house: House) -> list[str]:
    with house.ledger.read() as session:
        return list(session.scalars(select(AuditRow.act).order_by(AuditRow.id)))


CODES = sorted(
    {
        (said["codespace"], said["code"])
        for line in recordings("akash-recorded/payout-broadcast")
        if line.name.endswith(": broadcast") and (said := json.loads(line.body)["tx_response"])["code"]
    }
    | {("sdk", 19), ("sdk", 20), ("sdk", 30), ("sdk", 5), ("mempool", 1)}
)


@pytest.mark.parametrize(("codespace", "code"), CODES)
def test_broadcast__refused_by_the_node__says_what_to_do_and_changes_nothing_else(
    refused: tuple[House, str, PayNode], codespace: str, code: int
) -> None:
    house, name, node = refused
    node.routes[TXS] = answering(name, code, codespace, "why")
    sent = broadcast(house, "treasurer", name)
    assert (sent.hash, sent.codespace, sent.code, sent.log) == (name, codespace, code, "why")
    assert sent.is_taken == (code == 19)
    assert len(sent.text) > 20
    kept = batch(house, "p1-0001")
    assert kept.state is BatchState.BROADCAST
    assert kept.signed[0].answer is not None
    assert kept.signed[0].answer["code"] == code


def test_broadcast__taken__no_payment_yet_and_the_answer_is_kept(stored: tuple[House, str], node: PayNode) -> None:
    house, name = stored
    node.routes[TXS] = answering(name, 0, "")
    sent = broadcast(house, "treasurer", name.lower())
    assert (sent.is_taken, sent.code) == (True, 0)
    assert "no payment" in sent.text
    assert batch(house, "p1-0001").state is BatchState.BROADCAST
    (post,) = [asked for asked in node.asked if asked.method == "POST"]
    assert json.loads(post.body)["mode"] == "BROADCAST_MODE_SYNC"
    with house.ledger.read() as session:
        row = session.scalars(select(ObservationRow).where(ObservationRow.request.like("POST%"))).one()
    assert row.request == f"POST {TXS} {name}"


def test_broadcast__twice__harmless(stored: tuple[House, str], node: PayNode) -> None:
    house, name = stored
    node.routes[TXS] = answering(name, 0, "")
    broadcast(house, "treasurer", name)
    node.routes[TXS] = answering(name, 19)
    assert broadcast(house, "treasurer", name).is_taken
    assert acts(house).count("payout.note_broadcast") == 2


def test_broadcast__connection_lost__unclear_and_noted_before(stored: tuple[House, str], node: PayNode) -> None:
    house, name = stored

    def lost(asked: Asked) -> Answer:
        # whatever happens on the way, the log knows already that it may have been sent
        assert acts(house)[-1] == "payout.note_broadcast"
        return Answer(raw=lambda connection: connection.close())

    node.routes[TXS] = lost
    sent = broadcast(house, "treasurer", name)
    assert (sent.is_taken, sent.code) == (False, None)
    assert "may have been taken all the same" in sent.text
    assert batch(house, "p1-0001").state is BatchState.BROADCAST


def test_broadcast__hash_that_nobody_stored__not_found(stored: tuple[House, str]) -> None:
    with pytest.raises(NotFound, match="check-signed"):
        broadcast(stored[0], "treasurer", "AB" * 32)


@pytest.mark.parametrize("state", [BatchState.PAID, BatchState.DEAD, BatchState.QUESTION])
def test_broadcast__batch_that_is_settled__conflict_and_nothing_is_sent(
    stored: tuple[House, str], node: PayNode, state: BatchState
) -> None:
    house, name = stored
    with house.ledger.write() as session:
        session.execute(text("UPDATE payout_batches SET state = :state"), {"state": str(state)})
    with pytest.raises(Conflict):
        broadcast(house, "treasurer", name)
    assert not [asked for asked in node.asked if asked.method == "POST"]


def test_broadcast__nodes_of_another_chain__unavailable_by_name(stored: tuple[House, str], node: PayNode) -> None:
    house, name = stored
    node.chain_id = "elsewhere-1"
    with pytest.raises(Unavailable, match="elsewhere-1"):
        broadcast(house, "treasurer", name)
    assert batch(house, "p1-0001").state is BatchState.SIGNED


def test_broadcast__no_payout_chain__unavailable(stored: tuple[House, str]) -> None:
    with pytest.raises(Unavailable, match="not connected"):
        broadcast(replace(stored[0], payout_chain=None), "treasurer", stored[1])
