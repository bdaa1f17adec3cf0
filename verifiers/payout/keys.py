"""Do the signatures of a signed payout hold: the right account, chain and sequence, enough members."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from verifiers.payout.facts import PayerFacts
from verifiers.payout.findings import Finding, refused
from verifiers.payout.signed import Mode, SignedTransaction, Signer
from verifiers.payout.transfers import amino_of
from verifiers.payout.wire import Fields, WireError
from verifiers.wallet import amino
from verifiers.wallet.addresses import Address, AddressError, address_of_key
from verifiers.wallet.multisig import MultisigKey, is_multisigned
from verifiers.wallet.signatures import is_public_key, is_signature_of

_FAILED = 4


def signature_findings(signed: SignedTransaction, facts: PayerFacts) -> Iterator[Finding]:
    """What the node's signature checks find, in their order: key, number of keys, sequence, signature."""
    if not signed.signatures:
        return
    if len(signed.signers) != 1 or len(signed.signatures) != 1:
        yield refused("several_signers", _FAILED, "a payout has exactly one signer, the paying account")
        return
    signer = signed.signers[0]
    key = facts.key if signer.key is None else signer.key
    if key is None:
        yield refused("key_missing", 8, "the file holds no key and the chain knows none of this account yet")
        return
    if _address(key) != facts.address:
        yield refused("other_key", 8, f"the file was signed with the key of another account than {facts.address}")
        return
    if isinstance(key, MultisigKey) and len(key.members) > facts.signature_limit:
        text = (
            f"a multisig of {len(key.members)} keys can't send here: the chain takes {facts.signature_limit} at most"
        )
        yield refused("too_many_keys", 14, text)
    if signer.sequence != facts.sequence:
        text = f"the file has the sequence {signer.sequence}, the account stands at {facts.sequence}: sign again"
        yield refused("wrong_sequence", 32, text)
    yield from _signature(signed, signer, key, facts)


def _signature(
    signed: SignedTransaction, signer: Signer, key: bytes | MultisigKey, facts: PayerFacts
) -> Iterator[Finding]:
    if isinstance(key, MultisigKey):
        trouble = _shape(signer, key)
        if trouble:
            yield refused("too_few_signatures", _FAILED, trouble)
            return
    elif signer.bits is not None:
        yield refused("signature_invalid", _FAILED, "a single key signed as if it were a multisig")
        return
    if _holds(signed, signer, key, facts):
        return
    for chain_id in facts.other_chain_ids:
        if _holds(signed, signer, key, replace(facts, chain_id=chain_id)):
            text = f"the file was signed for the chain {chain_id}; this payout is on {facts.chain_id}: sign again"
            yield refused("other_chain", _FAILED, text)
            return
    text = (
        "the signatures do not fit: something was changed after signing, or another chain id than"
        f" {facts.chain_id} or another account number than {facts.account_number} was given"
    )
    yield refused("signature_invalid", _FAILED, text)


def _shape(signer: Signer, key: MultisigKey) -> str | None:
    """Why the members' signatures can't suffice, None where they may."""
    marked = signer.marked(len(key.members))
    if marked is None or len(marked) != len(signer.modes):
        return "the file's list of members who signed does not fit the multisig"
    if len(marked) < key.threshold:
        return f"{len(marked)} of the members signed; {key.threshold} must"
    if any(mode != Mode.AMINO for mode in signer.modes):
        return "a member of a multisig must sign with --sign-mode amino-json"
    return None


def _holds(signed: SignedTransaction, signer: Signer, key: bytes | MultisigKey, facts: PayerFacts) -> bool:
    if isinstance(key, MultisigKey):
        marked, signatures = signer.marked(len(key.members)), _members_signatures(signed.signatures[0])
        return marked is not None and is_multisigned(amino_bytes(signed, signer, facts), key, marked, signatures)
    if signer.modes == (Mode.AMINO,):
        return is_signature_of(amino_bytes(signed, signer, facts), key, signed.signatures[0])
    if signer.modes == (Mode.DIRECT,):
        return is_signature_of(signed.direct_bytes(facts.chain_id, facts.account_number), key, signed.signatures[0])
    return False


def _members_signatures(multi_signature: bytes) -> tuple[bytes, ...]:
    try:
        fields = Fields(multi_signature)
        fields.only(1)
        return tuple(fields.all(1))
    except WireError:
        return ()


def amino_bytes(signed: SignedTransaction, signer: Signer, facts: PayerFacts) -> bytes:
    """What a signer signs in SIGN_MODE_LEGACY_AMINO_JSON, each member of a multisig the same."""
    fee: dict[str, object] = {
        "amount": [{"denom": coin.denom, "amount": coin.amount} for coin in signed.fee.amount],
        "gas": str(signed.fee.gas_limit),
    }
    fee |= {name: who for name, who in (("payer", signed.fee.payer), ("granter", signed.fee.granter)) if who}
    return amino.sign_bytes(
        chain_id=facts.chain_id,
        account_number=facts.account_number,
        sequence=signer.sequence,
        fee=fee,
        messages=[amino_of(message) for message in signed.messages],
        memo=signed.memo,
        timeout_height=signed.timeout_height,
    )


def _address(key: bytes | MultisigKey) -> Address | None:
    if isinstance(key, MultisigKey):
        try:
            return key.address if key.is_sound else None
        except AddressError:
            return None
    return address_of_key(key) if is_public_key(key) else None
