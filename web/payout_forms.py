"""The forms of payouts: a plan, a signature, a signed file, a person's word on a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, MultipleFileField
from wtforms import BooleanField, HiddenField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than its types

from services.errors import Refused
from services.payout_planning import Wanted
from tasks.moment import parse_moment
from tasks.payout.lifecycle import Act
from tasks.rewards.money import Micro, parse_micro, parse_rate
from verifiers.wallet.addresses import AddressError, parse_address
from verifiers.wallet.memo import is_transaction_hash

MEND = "Please mend what is marked below and send it again. Nothing that you entered is lost."

LONGEST_FILE_NAME = 120

Value = TypeVar("Value")

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


class PlanForm(FlaskForm):  # type: ignore[misc]  # flask-wtf has no types
    """What is paid, at which rate, from which account."""

    task = SelectField("What is paid", validate_choice=False)
    rate = StringField("Rate", render_kw={"inputmode": "decimal", **_PLAIN})
    rate_source = StringField(
        "Where the rate is from",
        description="Everybody reads it in the report, such as “average of the seven days before the close”.",
        render_kw={"autocomplete": "off", "maxlength": "200"},
    )
    rate_at = StringField(
        "When it was that (UTC)", description="Written like 2026-11-24T12:00:00Z.", render_kw=dict(_PLAIN)
    )
    minimum = StringField(
        "Smallest amount to pay (optional)",
        description="Who would get less waits for the next payout.",
        render_kw={"inputmode": "decimal", **_PLAIN},
    )
    payer = StringField(
        "Paying account",
        description="The address that the coins leave from: a single key or a multisig. We hold none of its keys.",
        render_kw={"class": "mono", **_PLAIN},
    )
    has_ledger = BooleanField("A signer uses a Ledger: at most 40 people in a batch")
    as_sends = BooleanField("One transfer message for each person instead of one for all")
    expected = HiddenField()

    def offer(self, titles: Mapping[str, str], unit: str) -> None:
        """Name the tasks, and the unit in the labels."""
        self.task.choices = [SelectChoice("", "All tasks whose results are final"),
                             *(SelectChoice(slug, title) for slug, title in titles.items())]  # fmt: skip
        self.rate.label.text = f"Rate: {unit} for one AKT"
        self.minimum.label.text = f"Smallest amount to pay, in {unit} (optional)"

    def wanted(self) -> Wanted:
        """What was entered. Raises Refused once every mistake that needs no chain stands at its field."""
        self._try(self.rate, parse_rate)
        rate_at = self._try(self.rate_at, parse_moment)
        minimum = self._try(self.minimum, parse_micro) if _text(self.minimum) else Micro(0)
        payer = self._try(self.payer, _payer)
        if not _text(self.rate_source):
            self.rate_source.errors = ["Say where the rate is from."]
        if rate_at is None or minimum is None or payer is None or self.errors:
            raise Refused(MEND)
        return Wanted(
            payer=payer,
            rate=_text(self.rate),
            rate_source=_text(self.rate_source),
            rate_at=rate_at,
            task=_text(self.task) or None,
            minimum_micro=minimum,
            has_ledger=bool(self.has_ledger.data),
            as_sends=bool(self.as_sends.data),
        )

    @staticmethod
    def _try(field: StringField, read: Callable[[str], Value]) -> Value | None:
        """The field's value; None where it can't be read, with the reason at the field."""
        try:
            return read(_text(field))
        except ValueError as error:
            field.errors = [f"{error}."]
            return None


class SignatureForm(FlaskForm):  # type: ignore[misc]
    """What the command line printed when it signed a plan."""

    proof = TextAreaField("Content of signed.json", render_kw={"rows": 6, "class": "mono", "spellcheck": "false"})


class SignedForm(FlaskForm):  # type: ignore[misc]
    """A signed transaction, as a file or as its text."""

    file = FileField("The signed file", description="JSON as the command line wrote it, or its base64; up to 1 MiB.")
    text = TextAreaField("Or its text", render_kw={"rows": 4, "class": "mono", "spellcheck": "false"})

    def content(self) -> bytes:
        """What was handed in. Raises Refused for nothing."""
        given = self.file.data.read() if self.file.data else b""
        found = bytes(given) or _text(self.text).encode()
        if not found:
            raise Refused("Choose the signed file, or paste its text.", "file")
        return found


class SignedFilesForm(FlaskForm):  # type: ignore[misc]
    """Signed transactions of several batches, as files."""

    files = MultipleFileField(
        "Signed files", description="One for each batch, in any order; each finds its batch. Up to 1 MiB in all."
    )

    def contents(self) -> list[tuple[str, bytes]]:
        """Name and content of each file that was chosen."""
        given = [each for each in self.files.data or () if each and each.filename]
        return [(str(each.filename)[:LONGEST_FILE_NAME], bytes(each.read())) for each in given]


class SendForm(FlaskForm):  # type: ignore[misc]
    """The last question before a stored file goes to the node."""

    hash = HiddenField()
    sure = BooleanField("I have looked at the batch and at the hash: send it")


class LookForm(FlaskForm):  # type: ignore[misc]
    """A look at the chain, at a transaction that somebody names or at all."""

    hash = StringField(
        "Hash of a transaction (optional)",
        description="If you know which one paid it. Empty: we search for it ourselves.",
        render_kw={"class": "mono", "maxlength": "66", **_PLAIN},
    )

    def transaction(self) -> str:
        """The hash, in capitals. Raises Refused."""
        found = _text(self.hash).removeprefix("0x").upper()
        if not is_transaction_hash(found):
            raise Refused("A transaction's hash has 64 hex digits.", "hash")
        return found


class WordForm(FlaskForm):  # type: ignore[misc]
    """What a person says that a transaction paid."""

    word = RadioField(
        "What did the transaction pay",
        choices=[
            SelectChoice(str(Act.SAY_PAID), "Every row of this batch"),
            SelectChoice(str(Act.SAY_PARTLY), "Some rows: those that it holds exactly; the others are owed again"),
            SelectChoice(str(Act.SAY_UNPAID), "Nothing of this batch: all its rows are owed again"),
        ],
        validate_choice=False,
    )
    reason = TextAreaField("Reason", description="The staff reads it in the log.", render_kw={"rows": 3})

    def act(self) -> Act:
        """The act that was chosen. Raises Refused."""
        try:
            return Act(self.word.data or "")
        except ValueError as error:
            raise Refused("Choose one of the three.", "word") from error


class ActForm(FlaskForm):  # type: ignore[misc]
    """A button: nothing but the token."""


def _text(field: StringField | SelectField | TextAreaField) -> str:
    return (field.data or "").strip()


def _payer(text: str) -> str:
    try:
        return parse_address(text)
    except AddressError as error:
        raise ValueError(f"We can't pay from this account: {error}") from error
