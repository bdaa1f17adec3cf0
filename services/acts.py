"""Acts of people, performed by the same use cases that the API calls, each with a clock set to its block."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ledger.verdicts import claim_id
from services import campaigns, claims, registrations, reviews, roles, signin
from services.clock import StoppedClock
from services.errors import SignInRefused
from services.house import House
from services.proofs import WalletProof
from services.reviews import Ballot
from services.sessions import Person, new_token, session_of
from verifiers.evidence import ChainPoint
from verifiers.reviewing import Act

Result = TypeVar("Result")

TRIES = 5


class Signer(Protocol):
    """Somebody's own key."""

    @property
    def address(self) -> str:
        """Whose key it is."""
        ...

    @property
    def public_key(self) -> bytes:
        """33 bytes, compressed secp256k1."""
        ...

    def sign(self, text: str) -> bytes:
        """The ADR-036 signature of a text, 64 bytes."""
        ...


@dataclass(frozen=True)
class Player:
    """Plays people's acts on a house. `key_of` gives the key of an address, `block` the block of a height."""

    house: House
    key_of: Callable[[str], Signer]
    block: Callable[[int], ChainPoint]

    def register(self, height: int, address: str, display_name: str) -> None:
        """Sign in and register; again: nothing changes."""
        house, person = self._again(lambda: self._signed_in(height, address))
        loaded = campaigns.required(house)
        registrations.register(
            house,
            person.address,
            loaded.slug,
            loaded.newest.rules_digest,
            display_name or None,
            known=self.block(height),
        )

    def link(self, height: int, participant: str, address: str) -> None:
        """Link a further address, proved by its own key."""
        self._again(lambda: self._link(height, participant, address))

    def _link(self, height: int, participant: str, address: str) -> None:
        house, person = self._signed_in(height, participant)
        token = new_token()
        challenge = signin.make_challenge(house, address, "link", token, person)
        registrations.link(house, participant, challenge.challenge_id, self._proof(address, challenge.text), token)

    def submit(self, height: int, participant: str, task: str, fields: Mapping[str, str]) -> None:
        """Enter a claim."""
        claims.submit(self._at(height), participant, task, fields)

    def appoint(self, address: str, role: str) -> None:
        """Give somebody a role; again: nothing changes."""
        roles.add_role(self.house, address, role)

    def decide(self, height: int, reviewer: str, participant: str, task: str, subject: str, ballot: Ballot) -> None:
        """Decide somebody's claim as a reviewer, or open it again; again: nothing changes."""
        house, claim = self._at(height), self._claim(participant, task, subject)
        act = Act(ballot.act)
        if reviews.is_done(house, claim, act, house.clock.now()):
            return
        if act == Act.REOPEN:
            reviews.reopen(house, reviewer, claim, ballot.reason)
        else:
            reviews.decide(house, reviewer, claim, ballot)

    def answer(self, height: int, participant: str, task: str, subject: str, fields: Mapping[str, str]) -> None:
        """Answer a reviewer who asked for changes; again: nothing changes."""
        house, claim = self._at(height), self._claim(participant, task, subject)
        if not reviews.is_done(house, claim, Act.ANSWER, house.clock.now()):
            reviews.answer(house, participant, claim, fields)

    def _claim(self, participant: str, task: str, subject: str) -> str:
        return claim_id(campaigns.required(self.house).slug, participant, task, subject)

    def _at(self, height: int) -> House:
        return self.house.at(StoppedClock(self.block(height).time))

    def _signed_in(self, height: int, address: str) -> tuple[House, Person]:
        house, token = self._at(height), new_token()
        challenge = signin.make_challenge(house, address, "sign_in", token)
        signed = signin.verify(house, challenge.challenge_id, self._proof(address, challenge.text), token)
        person = session_of(house, signed.session_token)
        if person is None:
            raise SignInRefused("The session was swept away.")
        return house, person

    @staticmethod
    def _again(act: Callable[[], Result]) -> Result:
        """Sign-ins of past moments have expired long ago, so housekeeping may sweep one away before it is used."""
        for _ in range(TRIES - 1):
            with suppress(SignInRefused):
                return act()
        return act()

    def _proof(self, address: str, text: str) -> WalletProof:
        key = self.key_of(address)
        return WalletProof(_base64(key.public_key), _base64(key.sign(text)))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
