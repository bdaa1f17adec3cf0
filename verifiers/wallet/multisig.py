"""k-of-n keys: which members signed, and whether these are enough (cosmos-sdk crypto/keys/multisig)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from verifiers.wallet.addresses import Address, address_of_multisig
from verifiers.wallet.signatures import is_public_key, is_signature_of

MOST_MEMBERS = 32


@dataclass(frozen=True, slots=True)
class MultisigKey:
    """A `threshold`-of-n key over compressed secp256k1 keys (33 bytes each), in the order that makes its address."""

    threshold: int
    members: tuple[bytes, ...]

    @property
    def is_sound(self) -> bool:
        """Whether threshold and members are such as a chain would take, and few enough to check."""
        return 1 <= self.threshold <= len(self.members) <= MOST_MEMBERS and all(
            is_public_key(member) for member in self.members
        )

    @property
    def address(self) -> Address:
        """The key's address. Raises AddressError where the key is not sound in its numbers."""
        return address_of_multisig(self.threshold, self.members)


def members_marked(extra_bits: int, elements: bytes, size: int) -> tuple[int, ...] | None:
    """The places set in a compact bit array of `size` bits, highest bit first; None where the sizes disagree.

    `extra_bits` is how many bits of the last byte are in use, 0 for all (cosmos-sdk CompactBitArray).
    """
    if not elements or extra_bits not in range(8) or (len(elements) - 1) * 8 + (extra_bits or 8) != size:
        return None
    bits = int.from_bytes(elements)
    width = len(elements) * 8
    if bits & ((1 << (width - size)) - 1):
        return None
    return tuple(place for place in range(size) if bits >> (width - 1 - place) & 1)


def is_multisigned(
    message: bytes,
    key: MultisigKey,
    marked: Sequence[int],
    signatures: Sequence[bytes],
) -> bool:
    """Whether the members at the places `marked` signed `message`, one signature each in that order, and suffice."""
    if not key.is_sound or len(marked) != len(signatures) or len(marked) < key.threshold:
        return False
    if list(marked) != sorted(set(marked)) or marked[0] < 0 or marked[-1] >= len(key.members):
        return False
    return all(
        is_signature_of(message, key.members[place], signature)
        for place, signature in zip(marked, signatures, strict=True)
    )
