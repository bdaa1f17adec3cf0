"""The protobuf form of a transfer to oneself, with the message classes that cosmpy brings (loaded when used)."""

from __future__ import annotations

from verifiers.wallet.addresses import Address

_SEND = "/cosmos.bank.v1beta1.MsgSend"
_KEY = "/cosmos.crypto.secp256k1.PubKey"


def direct_sign_bytes(
    address: Address,
    memo: str,
    public_key: bytes,
    *,
    chain_id: str,
    account_number: int = 0,
    sequence: int = 0,
    fee_uakt: int = 0,
    gas: int = 0,
) -> bytes:
    """The bytes that one key signs in SIGN_MODE_DIRECT for a transfer of 1uakt from `address` to itself."""
    from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import SignDoc

    document = SignDoc(
        body_bytes=_body_bytes(address, memo),
        auth_info_bytes=_auth_info_bytes(public_key, sequence, fee_uakt, gas),
        chain_id=chain_id,
        account_number=account_number,
    )
    written: bytes = document.SerializeToString(deterministic=True)
    return written


def signatures_inside(multi_signature: bytes) -> tuple[bytes, ...]:
    """The members' signatures inside the one of a k-of-n key. Raises ValueError where it holds none."""
    from cosmpy.protos.cosmos.crypto.multisig.v1beta1.multisig_pb2 import MultiSignature
    from google.protobuf.message import DecodeError

    try:
        message = MultiSignature.FromString(multi_signature)
    except DecodeError as error:
        raise ValueError("this is no signature of a multisig key") from error
    return tuple(message.signatures)


def _body_bytes(address: Address, memo: str) -> bytes:
    from cosmpy.protos.cosmos.bank.v1beta1.tx_pb2 import MsgSend
    from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin
    from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import TxBody

    send = MsgSend(from_address=address, to_address=address, amount=[Coin(denom="uakt", amount="1")])
    body = TxBody(memo=memo)
    body.messages.add(type_url=_SEND, value=send.SerializeToString(deterministic=True))
    written: bytes = body.SerializeToString(deterministic=True)
    return written


def _auth_info_bytes(public_key: bytes, sequence: int, fee_uakt: int, gas: int) -> bytes:
    from cosmpy.protos.cosmos.base.v1beta1.coin_pb2 import Coin
    from cosmpy.protos.cosmos.crypto.secp256k1.keys_pb2 import PubKey
    from cosmpy.protos.cosmos.tx.signing.v1beta1.signing_pb2 import SIGN_MODE_DIRECT
    from cosmpy.protos.cosmos.tx.v1beta1.tx_pb2 import AuthInfo

    auth_info = AuthInfo()
    signer = auth_info.signer_infos.add(sequence=sequence)
    signer.public_key.type_url = _KEY
    signer.public_key.value = PubKey(key=public_key).SerializeToString(deterministic=True)
    signer.mode_info.single.mode = SIGN_MODE_DIRECT
    # A fee of nothing is written as a present, empty message, as the SDK does.
    auth_info.fee.SetInParent()
    auth_info.fee.gas_limit = gas
    if fee_uakt:
        auth_info.fee.amount.append(Coin(denom="uakt", amount=str(fee_uakt)))
    written: bytes = auth_info.SerializeToString(deterministic=True)
    return written
