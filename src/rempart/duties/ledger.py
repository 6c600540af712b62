"""The ledger of duties: who answered which question about which incident, and what was sent. It only grows."""

from dataclasses import dataclass, replace

from rempart.duties.answers import Answer, Answers, Sent
from rempart.duties.catalogue import INSTITUTION

MOST = 2_000
"""Answers, and sendings, that are kept in mind, of each; the journal has them all."""


@dataclass(frozen=True, slots=True)
class DutyLedger:
    """Answers and sendings with the incident they are about, oldest first."""

    given: tuple[tuple[str, Answer], ...] = ()
    sent: tuple[tuple[str, Sent], ...] = ()

    def answered(self, incident: str, answer: Answer) -> "DutyLedger":
        """The ledger with one answer more."""
        return replace(self, given=(*self.given, (incident, answer))[-MOST:])

    def fulfilled(self, incident: str, sent: Sent) -> "DutyLedger":
        """The ledger with one sending more."""
        return replace(self, sent=(*self.sent, (incident, sent))[-MOST:])

    def joined(self, into: str, merged: str) -> "DutyLedger":
        """The ledger after two incidents turned out to be one."""
        return DutyLedger(
            tuple((into if name == merged else name, answer) for name, answer in self.given),
            tuple((into if name == merged else name, sent) for name, sent in self.sent),
        )

    def about(self, incident: str) -> Answers:
        """What holds for one incident: its own answers, and those about the institution whenever they were given."""
        return Answers(
            tuple(a for name, a in self.given if name == incident or a.question in INSTITUTION),
            tuple(s for name, s in self.sent if name == incident),
        )
