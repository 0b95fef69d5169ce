# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that every layer raises."""

from __future__ import annotations

from collections.abc import Iterable

from ._codes.code import Code, Kind
from ._text import escaped

_ENDS = (".", "?")


class ActivationError(Exception):
    """Something that the user has to know: its parts are facts for whoever catches it, and C(message) is the sentence for people.

    No part holds a secret. Whatever they quote, the sentence is one visible line.

    Args:
        clause: What failed, as a sentence, or as a clause where a remedy follows.
        subject: The host, file or option that it is about, which stands before the clause with a colon; empty where the clause names it.
        remedy: What to do, with its full stop: an imperative clause, or sentences that begin with a capital letter.
        code: The code.
        name: The symbolic name of the code, such as C(SL_E_VL_NOT_ENOUGH_COUNT).
        source: Who said so: C(windows), C(wsman), C(ldap), C(kerberos), C(dns), C(microsoft), C(ansible), C(options) or
            C(file) for what a file holds; C(collection) where it is a defect of our own.
        unreachable: The target did not answer at all, so that nothing was asked of it.
    """

    def __init__(
        self,
        clause: str,
        *,
        subject: str = "",
        remedy: str = "",
        code: Code | None = None,
        name: str = "",
        source: str = "",
        unreachable: bool = False,
    ) -> None:
        super().__init__(clause)
        self.clause = clause
        self.subject = subject
        self.remedy = remedy
        self.code = code
        self.name = name
        self.source = source
        self.unreachable = unreachable

    @property
    def said(self) -> str:
        """What a sentence says of its subject: the clause and the remedy."""
        if not self.remedy:
            return escaped(self.clause)
        if self.remedy[0].islower():
            return escaped(f"{self.clause.rstrip('.')}; {self.remedy}")
        return escaped(f"{self.clause}{'' if self.clause.endswith(_ENDS) else '.'} {self.remedy}")

    @property
    def message(self) -> str:
        """The sentence for people."""
        return f"{escaped(self.subject)}: {self.said}" if self.subject else self.said

    @property
    def shown_code(self) -> str:
        """The code as its source prints it, such as C(0xC004F038); empty where there is none."""
        return str(self.code) if self.code else ""

    @property
    def hresult(self) -> int | None:
        """The code where it is an HRESULT, unsigned."""
        return self.code.number if self.code and self.code.kind is Kind.HRESULT else None

    def followed_by(self, sentences: str) -> ActivationError:
        """The same error with more sentences behind its own."""
        return ActivationError(
            self.clause,
            subject=self.subject,
            remedy=f"{self.remedy} {sentences}".strip(),
            code=self.code,
            name=self.name,
            source=self.source,
            unreachable=self.unreachable,
        )

    def __str__(self) -> str:
        return self.message


class Refusals(ActivationError):
    """Several things that are wrong with what a user gave, each on a line of its own.

    Args:
        sentences: One sentence each.
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        self._lines = [escaped(sentence) for sentence in sentences]
        super().__init__(" ".join(self._lines), source="options")

    @property
    def message(self) -> str:
        """The sentences, each on its line."""
        return "\n".join(self._lines)
