"""The checks before a transaction's messages, in the order of the SDK's ante handler; they pay the fee, too.

Order and texts: cosmos-sdk 0.53 `x/auth/ante`, recorded refusals of akash 1.2.2 and 2.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from devnet.public_keys import MultisigKey, PublicKey
from devnet.sent import gas
from devnet.sent.accounts import Account, Accounts, spendable
from devnet.sent.gas import Meter
from devnet.sent.signatures import SignerData, is_signed
from devnet.sent.transaction import AMINO_JSON, Multi, SentTransaction, SignerInfo, Single, timeout_text
from devnet.state.objects import ChainError

MEMO_CHARACTERS = 256
SIGNATURE_LIMIT = 7
GAS_PRICE = (25, 10_000)
"""uakt for one unit of gas, as a fraction (node config `minimum_gas_price`)."""

GREATEST_GAS = 2**63 - 1
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,77}")
_DENOM = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}")


@dataclass(frozen=True, slots=True)
class Circumstances:
    """When and where a transaction is checked. `height`, `time`: of the newest block where `is_new` (the node is
    asked to take it), else of the block that it stands in; `has_signatures`: they are looked at; `more_gas`: what
    this generation uses more."""

    chain_id: str
    height: int
    time: int
    is_new: bool = False
    has_signatures: bool = True
    more_gas: int = 0


def check(sent: SentTransaction, accounts: Accounts, when: Circumstances, meter: Meter) -> None:
    """Check a transaction, take its fee and use up its signers' sequences in `accounts`. Raises ChainError."""
    _basic(sent)
    if sent.has_extensions:
        raise _sdk(31, "unknown extension options")
    _timeouts(sent, when)
    size = len(sent.memo.encode())
    if size > MEMO_CHARACTERS:
        text = f"maximum number of characters is {MEMO_CHARACTERS} but received {size} characters: memo too large"
        raise _sdk(12, text)
    meter.use(gas.PARAMETERS + when.more_gas, "ReadPerByte")
    meter.use(gas.PER_BYTE * len(sent.raw), "txSize")
    _fee(sent, accounts, when, meter)
    signers = [accounts.need(address) for address in sent.senders]
    _keys(sent, signers, meter)
    _count(signers)
    _signature_gas(sent, signers, meter)
    _signatures(sent, signers, when)
    meter.use(gas.LAST, "WritePerByte")
    for account in signers:
        account.sequence += 1


def _basic(sent: SentTransaction) -> None:
    if not sent.messages:
        raise _sdk(18, "must contain at least one message: invalid request")
    if sent.fee.gas_limit > GREATEST_GAS:
        raise _sdk(18, f"invalid gas supplied; {sent.fee.gas_limit} > {GREATEST_GAS}: invalid request")
    if any(amount.startswith("-") for _, amount in sent.fee.coins):
        raise _sdk(13, f"invalid fee provided: {sent.fee.shown}: insufficient fee")
    if not sent.signatures:
        raise _sdk(15, "no signatures supplied")
    if len(sent.signatures) != len(sent.senders):
        text = f"wrong number of signers; expected {len(sent.senders)}, got {len(sent.signatures)}: unauthorized"
        raise _sdk(4, text)


def _timeouts(sent: SentTransaction, when: Circumstances) -> None:
    if 0 < sent.timeout_height < when.height:
        raise _sdk(30, f"block height: {when.height}, timeout height: {sent.timeout_height}: tx timeout height")
    if sent.timeout_ns and sent.timeout_ns < when.time:
        now, until = timeout_text(when.time), timeout_text(sent.timeout_ns)
        raise _sdk(42, f"block time: {now}, timeout timestamp: {until}: tx timeout")


def _fee(sent: SentTransaction, accounts: Accounts, when: Circumstances, meter: Meter) -> None:
    """The node asks for its price, the chain takes what was offered."""
    fee, needed = sent.fee, -(-sent.fee.gas_limit * GAS_PRICE[0] // GAS_PRICE[1])
    offered = coins_of(fee.coins)
    if when.is_new and (offered is None or offered.get("uakt", 0) < needed):
        raise _sdk(13, f"insufficient fees; got: {fee.shown} required: {needed}uakt: insufficient fee")
    payer = accounts.get(sent.fee_payer)
    if fee.granter and fee.granter != sent.fee_payer:
        raise _sdk(
            38, f"{fee.granter} does not allow to pay fees for {sent.fee_payer}: fee-grant not found: not found"
        )
    if payer is None:
        raise _sdk(9, f"fee payer address: {sent.fee_payer} does not exist: unknown address")
    if offered is None:
        raise _sdk(13, f"invalid fee amount: {fee.shown}: insufficient fee")
    for denom, amount in offered.items():
        try:
            spendable(payer.balances, denom, amount)
        except ChainError as error:
            raise _sdk(5, f"{error.log}: insufficient funds") from None
    for denom, amount in offered.items():
        payer.balances[denom] -= amount
    meter.use(gas.FEE, "WritePerByte")


def _keys(sent: SentTransaction, signers: list[Account], meter: Meter) -> None:
    """Each signer's key: the one that comes along has to be the account's, and is kept at the first transaction."""
    for place, (account, signer) in enumerate(zip(signers, sent.signers, strict=False)):
        if signer.key is None:
            continue
        if signer.key.address != account.address:
            text = (
                f"pubKey does not match signer address {account.address} with signer index: {place}: invalid pubkey"
            )
            raise _sdk(8, text)
        if account.key is None:
            account.key = signer.key
            members = signer.key.members if isinstance(signer.key, MultisigKey) else 0
            meter.use(gas.STORE_KEY + gas.STORE_KEY_MEMBER * members, "WritePerByte")


def _count(signers: list[Account]) -> None:
    count = 0
    for account in signers:
        count += account.key.members if account.key else 0
        if count > SIGNATURE_LIMIT:
            raise _sdk(14, f"signatures: {count}, limit: {SIGNATURE_LIMIT}: maximum number of signatures exceeded")


def _signature_gas(sent: SentTransaction, signers: list[Account], meter: Meter) -> None:
    for account, signer in zip(signers, sent.signers, strict=False):
        if isinstance(account.key, MultisigKey):
            meter.use(gas.PER_MEMBER * account.key.members, "ReadPerByte")
        signed = len(signer.mode.modes) if isinstance(signer.mode, Multi) else 1
        meter.use(gas.PER_SIGNATURE * signed, "ante verify: secp256k1")


def _signatures(sent: SentTransaction, signers: list[Account], when: Circumstances) -> None:
    if sent.is_unordered:
        raise _sdk(37, "unordered transactions are not enabled: feature not supported")
    if len(sent.signers) != len(signers):
        text = f"invalid number of signer;  expected: {len(signers)}, got {len(sent.signers)}: unauthorized"
        raise _sdk(4, text)
    for account, signer, signature in zip(signers, sent.signers, sent.signatures, strict=True):
        if account.key is None:
            raise _sdk(8, "pubkey on account is not set: invalid pubkey")
        if signer.sequence != account.sequence:
            text = f"account sequence mismatch, expected {account.sequence}, got {signer.sequence}"
            raise _sdk(32, f"{text}: incorrect account sequence")
        if when.has_signatures:
            _signature(sent, signer, signature, (account.key, account), when)


def _signature(
    sent: SentTransaction,
    signer: SignerInfo,
    signature: bytes,
    who: tuple[PublicKey, Account],
    when: Circumstances,
) -> None:
    key, account = who
    if is_signed(sent, signer, signature, key, SignerData(when.chain_id, account.number, signer.sequence)):
        return
    verify = f"signature verification failed; please verify account number ({account.number})"
    if _is_amino(signer.mode):
        raise _sdk(4, f"{verify}, sequence ({account.sequence}) and chain-id ({when.chain_id}): unauthorized")
    reason = "unable to verify single signer signature"
    raise _sdk(4, f"{verify} and chain-id ({when.chain_id}): ({reason}): unauthorized")


def _is_amino(mode: Single | Multi) -> bool:
    if isinstance(mode, Single):
        return mode.mode == AMINO_JSON
    return all(_is_amino(each) for each in mode.modes)


def coins_of(coins: tuple[tuple[str, str], ...]) -> dict[str, int] | None:
    """Coins by denom, None where they are not valid: amounts above 0, denoms in order, none twice."""
    denoms = [denom for denom, _ in coins]
    if denoms != sorted(set(denoms)):
        return None
    if any(not _AMOUNT.fullmatch(amount) or not int(amount) for _, amount in coins):
        return None
    if not all(_DENOM.fullmatch(denom) for denom in denoms):
        return None
    return {denom: int(amount) for denom, amount in coins}


def _sdk(code: int, log: str) -> ChainError:
    return ChainError("sdk", code, log)
