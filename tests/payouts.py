"""The recorded payouts: their files, and what the real node did with each of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from tests.recordings import Recording, recordings
from verifiers.payout.facts import PayerFacts
from verifiers.payout.findings import NodeJudgement, Phase

FILES = Path(__file__).parent / "fixtures" / "payout"
GAS_PRICE = Fraction(25, 10_000)
ACCOUNT_NUMBER = 17
PAYERS = {
    "v1": "akash1jwfktla8rqvp59n0yxjtdwdpl7hzhurejryva9",
    "v2": "akash1xqenzfaq6xfrg8xluhcsg9j9tzfdgkcymvw2kc",
}
CHAINS = {"v1": "local-1", "v2": "local-v2"}
SETS = {"v1": "akash-recorded", "v2": "akash-recorded-v2"}


@dataclass(frozen=True)
class Judged:
    """A recorded file, what the chain was like, and what the node did with it."""

    files: str
    name: str
    facts: PayerFacts
    by_node: NodeJudgement
    hash: str | None

    @property
    def id(self) -> str:
        return f"{self.files}-{self.name}-at-{self.facts.height}"

    @property
    def unsigned(self) -> bytes:
        return (FILES / self.files / f"{self.name}.unsigned.json").read_bytes()

    @property
    def signed(self) -> bytes:
        return (FILES / self.files / f"{self.name}.signed.json").read_bytes()


def facts(files: str, *, sequence: int, height: int, balance: int | None = None) -> PayerFacts:
    return PayerFacts(
        address=PAYERS[files],
        chain_id=CHAINS[files],
        account_number=ACCOUNT_NUMBER,
        sequence=sequence,
        height=height,
        balance_uakt=balance,
        module_accounts=module_accounts(files),
        gas_price=GAS_PRICE,
        other_chain_ids=("akashnet-2", "local-2", "another-chain"),
    )


def module_accounts(files: str) -> frozenset[str]:
    for line in recordings(f"{SETS[files]}/rest-bank-auth"):
        if line.name == "module accounts":
            return frozenset(each["base_account"]["address"] for each in json.loads(line.body)["accounts"])
    raise LookupError(files)


def broadcasts() -> Iterator[Judged]:
    """The files `x-*` as `payout-broadcast` recorded them; the account stood at sequence 4 before the first."""
    sequence = 4
    lines: dict[str, dict[str, Recording]] = {}
    for line in recordings("akash-recorded/payout-broadcast"):
        case, _, what = line.name.partition(": ")
        lines.setdefault(case, {})[what] = line
    for case, answers in lines.items():
        sent = json.loads(answers["broadcast"].body)["tx_response"]
        height = int(answers["by hash at once"].headers["grpc-metadata-x-cosmos-block-height"])
        judgement, used = NodeJudgement(Phase.REFUSED, sent["codespace"], sent["code"]), 0
        if sent["code"] == 0:
            became = json.loads(answers["by hash after its block"].body)["tx_response"]
            phase = Phase.IN_BLOCK if became["code"] else None
            judgement, used = NodeJudgement(phase, became["codespace"], became["code"]), 1
        seen = facts("v1", sequence=sequence, height=height)
        yield Judged("v1", f"x-{case}", seen, judgement, sent["txhash"])
        sequence += used


def first_payouts() -> Iterator[Judged]:
    """The files `r7-*` of both chains; where each stood and what became of it is in their transactions."""
    taken = NodeJudgement(None)
    for files, start, late in (("v1", 1581, 1591), ("v2", 219, 226)):
        poor = facts(files, sequence=1, height=start + 1, balance=46_746_833)
        yield Judged(files, "r7-0001", facts(files, sequence=0, height=start, balance=50_000_000), taken, None)
        yield Judged(files, "r7-0002-insufficient", poor, NodeJudgement(Phase.IN_BLOCK, "sdk", 5), None)
        third = facts(files, sequence=2, height=late, balance=46_742_083)
        yield Judged(files, "r7-0003-expired", third, NodeJudgement(Phase.REFUSED, "sdk", 30), None)
        yield Judged(files, "r7-0004-not-sent", third, taken, None)
        yield Judged(files, "r7-0005-wrong-sequence", third, NodeJudgement(Phase.REFUSED, "sdk", 32), None)
        yield Judged(files, "r7-0006", third, taken, None)


def sent_again() -> Iterator[Judged]:
    """The same files much later: every one of them was refused for its timeout first."""
    for line in recordings("akash-recorded/rest-txs"):
        if line.name.startswith("broadcast again r7-"):
            became = json.loads(line.body)["tx_response"]
            if became["code"] == 30:
                name = line.name.removeprefix("broadcast again ").removesuffix(".signed.json")
                judgement = NodeJudgement(Phase.REFUSED, "sdk", 30)
                yield Judged("v1", name, facts("v1", sequence=4, height=2444), judgement, became["txhash"])


ALL = (*broadcasts(), *first_payouts(), *sent_again())
