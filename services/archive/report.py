"""What verifying an archive found: differences, each with its place, and what could not be worked again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

SHOWN = 1000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `place`: member and line, or what it is about; `message`: what differs, or why not."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"

    def document(self) -> dict[str, str]:
        """As JSON."""
        return {"place": self.place, "message": self.message}


@dataclass(slots=True)
class Report:
    """The findings of one archive. Those past the first SHOWN are counted only.

    `counts`: what was worked again, by its name. `trusted`: what is taken as it stands, since the original stays
    with us or was dropped.
    """

    sha256: str = ""
    is_sealed: bool = False
    campaign: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    trusted: Counter[str] = field(default_factory=Counter)
    differences: list[Finding] = field(default_factory=list)
    not_recomputable: list[Finding] = field(default_factory=list)
    difference_count: int = 0
    not_recomputable_count: int = 0

    @property
    def is_ok(self) -> bool:
        """Whether nothing differs."""
        return self.difference_count == 0

    def differ(self, place: str, message: str) -> None:
        """Note a difference."""
        self.difference_count += 1
        if len(self.differences) < SHOWN:
            self.differences.append(Finding(_shown(place), _shown(message)))

    def skip(self, place: str, why: str) -> None:
        """Note what can't be worked again here."""
        self.not_recomputable_count += 1
        if len(self.not_recomputable) < SHOWN:
            self.not_recomputable.append(Finding(_shown(place), _shown(why)))

    def document(self) -> dict[str, object]:
        """As JSON."""
        return {
            "ok": self.is_ok,
            "campaign": self.campaign,
            "sha256": self.sha256,
            "sealed": self.is_sealed,
            "counts": dict(sorted(self.counts.items())),
            "differences": [finding.document() for finding in self.differences],
            "difference_count": self.difference_count,
            "not_recomputable": [finding.document() for finding in self.not_recomputable],
            "not_recomputable_count": self.not_recomputable_count,
            "trusted": dict(sorted(self.trusted.items())),
        }


def _shown(text: str) -> str:
    """What a hostile archive holds may be quoted: it must not steer a terminal."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
