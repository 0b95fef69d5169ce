# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that every layer raises."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .codes.code import Code, CodeKind
from .text import escaped

_ENDS = (".", "?")
_OPTION = re.compile(r"O\(([^()\s]+)\)")

Called = Callable[[str], str]
"""By which name the reader of a sentence can set an option: its own, or that of a variable."""


def in_words(text: str, called: Called = str) -> str:
    """A text in which options are named as the documentation of Ansible has it, C(O(product_key)), with the names that the reader knows."""
    return _OPTION.sub(lambda found: called(found[1]), text)


class ActivationError(Exception):
    """Something that the user has to know: its parts are facts for whoever catches it, and C(message) is the sentence for people.

    No part holds a secret. Whatever they quote, the sentence is one visible line. An option of a module is written as C(O(product_key)):
    where a role runs the module, its reader sets a variable of the role.

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
        self.subject = subject
        self._clause = clause
        self._remedy = remedy
        self.code = code
        self.name = name
        self.source = source
        self.unreachable = unreachable

    @property
    def clause(self) -> str:
        """What failed."""
        return in_words(self._clause)

    @property
    def remedy(self) -> str:
        """What to do."""
        return in_words(self._remedy)

    @property
    def said(self) -> str:
        """What a sentence says of its subject: the clause and the remedy."""
        return self._said(str)

    @property
    def message(self) -> str:
        """The sentence for people."""
        return self.told(str)

    def told(self, called: Called) -> str:
        """The sentence for people who know options by other names."""
        return f"{escaped(self.subject)}: {self._said(called)}" if self.subject else self._said(called)

    def _said(self, called: Called) -> str:
        clause, remedy = self._clause, self._remedy
        if not remedy:
            text = clause
        elif remedy[0].islower():
            text = f"{clause.rstrip('.')}; {remedy}"
        else:
            text = f"{clause}{'' if clause.endswith(_ENDS) else '.'} {remedy}"
        return in_words(escaped(text), called)

    @property
    def shown_code(self) -> str:
        """The code as its source prints it, such as C(0xC004F038); empty where there is none."""
        return str(self.code) if self.code else ""

    @property
    def hresult(self) -> int | None:
        """The code where it is an HRESULT, unsigned."""
        return self.code.number if self.code and self.code.kind is CodeKind.HRESULT else None

    def followed_by(self, sentences: str) -> ActivationError:
        """The same error with more sentences behind its own."""
        return ActivationError(
            self._clause,
            subject=self.subject,
            remedy=f"{self._remedy} {sentences}".strip(),
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

    def told(self, called: Called) -> str:
        """The sentences, each on its line."""
        return in_words("\n".join(self._lines), called)
