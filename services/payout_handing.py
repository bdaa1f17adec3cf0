"""Several signed files of one payout handed in together: each finds its batch by its memo."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.errors import Conflict, Refused, Unavailable
from services.house import House
from services.payout_checking import Judged, check_signed
from services.payout_records import payout
from verifiers.payout.facts import PayerFacts
from verifiers.payout.files import read_signed
from verifiers.payout.signed import SignedFileError, SignedTransaction

MOST_FILES = 100


@dataclass(frozen=True, slots=True)
class Handed:
    """What became of one file. `batch` None: its memo is none of this payout's; `trouble`: why it was not judged."""

    file: str
    batch: str | None
    judged: Judged | None
    trouble: str = ""


def hand_in(
    house: House, actor: str, number: int, files: Iterable[tuple[str, bytes]], facts: PayerFacts
) -> list[Handed]:
    """Judge signed files (name, content) of a payout; the good ones are stored.

    They are taken in the order of their sequences, so that several signed ahead find theirs. `facts` are the payer's,
    read just now. Raises NotFound, Refused for more files than a payout of 20,000 people has.
    """
    given = list(files)
    if not given or len(given) > MOST_FILES:
        raise Refused(f"Choose 1 to {MOST_FILES} signed files.", "files")
    by_memo = {batch.memo: batch.name for batch in payout(house, number).batches}
    readable: list[tuple[int, str, bytes, SignedTransaction]] = []
    handed = []
    for name, content in given:
        try:
            read = read_signed(content)
        except SignedFileError as error:
            handed.append(Handed(name, None, None, str(error)))
        else:
            sequence = read.signers[0].sequence if read.signers else 0
            readable.append((sequence, name, content, read))
    for _, name, content, read in sorted(readable, key=lambda each: each[:2]):
        batch = by_memo.get(read.memo)
        if batch is None:
            trouble = f"its memo {read.memo[:120]!r} is none of this payout's"
            handed.append(Handed(name, None, None, trouble))
            continue
        try:
            handed.append(Handed(name, batch, check_signed(house, actor, batch, content, facts)))
        except (Conflict, Unavailable) as error:
            # What was stored before it stays stored: say it of this file alone.
            handed.append(Handed(name, batch, None, error.message))
    return handed
