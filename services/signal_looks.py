"""What the chain is asked for review signals: who paid for whom, where providers answer, leases of one's own.

An answer that says something is kept as an observation; what could not be asked is unknown, and asked again later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from sqlalchemy.orm import Session

from ledger.observations import store_observations
from ledger.rows import replace_rows
from ledger.signals import SignalLookRow
from services.campaigns import Loaded
from services.errors import Unavailable
from services.house import House
from services.results import Stage, results_in
from services.signal_kept import NOT_HERE, Answer, Found, kept_look
from services.signal_targets import Question, Target, belonging, closed_questions, due_targets
from services.verification import judging_point
from verifiers.chain.answers import (
    DEPLOYMENTS,
    DeploymentInfo,
    decode_deployment,
    decode_lease,
    decode_provider,
    decode_rpc_txs,
)
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint, Observation
from verifiers.signals import machines, payments
from verifiers.signals.payments import Payment
from verifiers.trouble import Trouble

VERIFIER = "signals/1"
RUN_SECONDS = 45.0
AT_ONCE = 16
TX_PAGE = 30
FIRST_TXS = 5
MOST_TROUBLES = 3


def look(house: House, loaded: Loaded, seconds: float = RUN_SECONDS) -> str:
    """Ask what is due, for some time at most, and keep the answers; says in a line how it went. Never raises for
    trouble of a node."""
    chain, now = house.chain, house.clock.now()
    if chain is None:
        return "no chain is connected"
    try:
        point = judging_point(house, loaded)
    except Unavailable as error:
        return error.message
    if point is None:
        return "the chain is not followed yet"
    with house.ledger.read() as session:
        if results_in(session, loaded, now).whole.stage is Stage.FINAL:
            return "results are final: nothing more is asked"
        belongs = belonging(session, loaded.slug)
    asker = Asker(chain, point, belongs)
    ends = time.monotonic() + seconds
    try:
        escrows = asker.foreign_escrows()
    except Trouble as error:
        return f"the chain could not be asked: {error.name}"
    with house.ledger.read() as session:
        due = due_targets(session, loaded.slug, point.chain_id, escrows, now)
        closed = closed_questions(session, loaded.slug, [trouble.name for trouble in NOT_HERE], now)
    return _ask_all(house, loaded.slug, asker, due, closed, ends)


def _ask_all(
    house: House, campaign: str, asker: Asker, due: Sequence[Target], closed: set[Question], ends: float
) -> str:
    asked, troubles, in_a_row = 0, 0, 0
    waiting = iter(due)
    with ThreadPoolExecutor(house.settings.verify_parallel, thread_name_prefix="signals") as pool:
        while time.monotonic() < ends and in_a_row < MOST_TROUBLES:
            batch = list(islice((target for target in waiting if target.question not in closed), AT_ONCE))
            if not batch:
                break
            answers = list(pool.map(asker.ask, batch))
            _keep(house, campaign, asker.point, answers)
            for answer in answers:
                if isinstance(answer.trouble, NOT_HERE):
                    closed.add(answer.target.question)
                in_a_row = 0 if answer.trouble is None or isinstance(answer.trouble, NOT_HERE) else in_a_row + 1
                troubles += answer.trouble is not None
            asked += len(batch)
    left = sum(target.question not in closed for target in waiting)
    said = f"{asked} asked, {troubles} could not be answered, {left} left for later"
    return f"{said}; the node answers nothing of {', '.join(sorted(closed))}" if closed else said


def _keep(house: House, campaign: str, point: ChainPoint, answers: Sequence[Answer]) -> None:
    now = house.clock.now()

    def store(session: Session) -> None:
        for answer in answers:
            key = campaign, answer.target.question, answer.target.subject
            row, seen = kept_look(session.get(SignalLookRow, key), answer, now)
            if seen is not None:
                store_observations(session, [seen], VERIFIER, point)
                session.flush()
            replace_rows(session, SignalLookRow, [{"campaign": campaign, **row}])

    house.ledger.transact(store)


@dataclass(frozen=True)
class Asker:
    """Asks one chain at one point; `belongs`: address to participant."""

    chain: Chain
    point: ChainPoint
    belongs: Mapping[str, str]

    def foreign_escrows(self) -> list[str]:
        """`<owner>/<dseq>` of active deployments with a deposit of another participant. Raises Trouble."""
        found = []
        for page in self.chain.walk(DEPLOYMENTS, {"filters.state": "active"}, self.point.height):
            found += [f"{info.id.owner}/{info.id.dseq}" for info in page.rows if self._has_foreign(info)]
        return found

    def _has_foreign(self, info: DeploymentInfo) -> bool:
        return any(self._is_between(each) for each in payments.foreign_deposits(info, self.point.height))

    def _is_between(self, payment: Payment) -> bool:
        one, other = self.belongs.get(payment.payer), self.belongs.get(payment.address)
        return one is not None and other is not None and one != other

    def ask(self, target: Target) -> Answer:
        """One question. Never raises for trouble."""
        try:
            observation, found = _ASK[target.question](self, target.subject)
        except Trouble as trouble:
            return Answer(target, [], None, trouble)
        return Answer(target, found, observation)

    # ------------------------------------------------------------ questions

    def first_funds(self, address: str) -> tuple[Observation, Found]:
        """The oldest transfer to an address; none where it had sent something before."""
        seen = self._search(payments.incoming_query(address), 1)
        funds = payments.first_funds(seen.body, address, self.chain.api)
        if funds is None or funds.height is None:
            return seen, []
        if self._had_funds(address, funds.height):
            return seen, []
        return seen, [_payment(funds)]

    def _had_funds(self, address: str, height: int) -> bool:
        """Whether it paid for anything before: then it began with funds, and this may be its own deposit."""
        earlier = self._search(payments.sent_before_query(address, height), 1)
        return bool(decode_rpc_txs(earlier.body, self.chain.api).txs)

    def fee_payers(self, address: str) -> tuple[Observation, Found]:
        """Who paid the fees of its first transactions, where it is somebody else."""
        seen = self._search(payments.signed_query(address), FIRST_TXS)
        return seen, [_payment(each) for each in payments.fees_paid(seen.body, address, self.chain.api)]

    def fee_grants(self, address: str) -> tuple[Observation, Found]:
        """Whose grants paid its fees, of its first transactions."""
        seen = self._search(payments.granted_fees_query(address), TX_PAGE)
        return seen, [_payment(each) for each in payments.fee_grants_used(seen.body, address, self.chain.api)]

    def deposits(self, address: str) -> tuple[Observation, Found]:
        """What it paid into others' deployments, the newest of its deposits."""
        seen = self._search(payments.deposits_query(address), TX_PAGE, "desc")
        return seen, [_payment(each) for each in payments.deposits_paid(seen.body, address, self.chain.api)]

    def fee_allowances(self, address: str) -> tuple[Observation, Found]:
        """Who lets it spend on fees now."""
        seen = self._state(payments.fee_allowances_path(address))
        return seen, [_payment(each) for each in payments.fee_allowances(seen.body, address, self.chain.api)]

    def deposit_grants(self, address: str) -> tuple[Observation, Found]:
        """From whose account it may deposit now."""
        seen = self._state(payments.grants_path(address))
        return seen, [_payment(each) for each in payments.deposit_grants(seen.body, address, self.chain.api)]

    def provider(self, owner: str) -> tuple[Observation, Found]:
        """Where a provider answers."""
        seen = self._state(self.chain.api.provider_info(owner))
        if seen.status != 200:
            return seen, []
        uri = decode_provider(seen.body, self.chain.api).host_uri
        host = machines.host_of(uri)
        return seen, [{"value": host, "said": f"provider {owner} answers at {host}"}] if host else []

    def certificates(self, owner: str) -> tuple[Observation, Found]:
        """Which keys and serial numbers a provider's certificates have."""
        seen = self._state(self.chain.api.certificates_list, {"filter.owner": owner})
        values = machines.certificate_values(seen.body, self.chain.api)
        return seen, [{"value": value, "said": f"a certificate of {owner} has {value}"} for value in values]

    def own_lease(self, subject: str) -> tuple[Observation, Found]:
        """A lease of one's own provider."""
        owner, dseq, gseq, oseq, provider, bseq = subject.split("/")
        named = {"owner": owner, "dseq": dseq, "gseq": gseq, "oseq": oseq, "provider": provider, "bseq": bseq}
        seen = self._state(self.chain.api.leases_info, {f"id.{key}": value for key, value in named.items()})
        if seen.status != 200:
            return seen, []
        lease = decode_lease(seen.body, self.chain.api).lease
        said = f"{owner} leased from its own provider {provider} (dseq {dseq}) at block {lease.created_at}"
        return seen, [{"owner": owner, "provider": provider, "said": said, "height": lease.created_at}]

    def escrow(self, subject: str) -> tuple[Observation, Found]:
        """Others' deposits in the escrow of a deployment."""
        owner, dseq = subject.split("/")
        seen = self._state(self.chain.api.deployments_info, {"id.owner": owner, "id.dseq": dseq})
        if seen.status != 200:
            return seen, []
        info = decode_deployment(seen.body, self.chain.api)
        return seen, [_payment(each) for each in payments.foreign_deposits(info, self.point.height)]

    def _search(self, query: str, per_page: int, order: str = "asc") -> Observation:
        parameters = {"query": f'"{query}"', "page": '"1"', "per_page": f'"{per_page}"', "order_by": f'"{order}"'}
        return self.chain.rpc("tx_search", parameters)

    def _state(self, path: str, parameters: Mapping[str, str] | None = None) -> Observation:
        return self.chain.get(path, parameters, self.point.height)


def _payment(payment: Payment) -> dict[str, object]:
    return {
        "payer": payment.payer,
        "address": payment.address,
        "key": payment.key,
        "said": payment.said,
        "height": payment.height,
        "tx": payment.tx,
    }


_ASK: Mapping[Question, Callable[[Asker, str], tuple[Observation, Found]]] = {
    Question.FIRST_FUNDS: Asker.first_funds,
    Question.FEE_PAYERS: Asker.fee_payers,
    Question.FEE_GRANTS: Asker.fee_grants,
    Question.DEPOSITS: Asker.deposits,
    Question.FEE_ALLOWANCES: Asker.fee_allowances,
    Question.DEPOSIT_GRANTS: Asker.deposit_grants,
    Question.PROVIDER: Asker.provider,
    Question.CERTIFICATES: Asker.certificates,
    Question.OWN_LEASE: Asker.own_lease,
    Question.ESCROW: Asker.escrow,
}
