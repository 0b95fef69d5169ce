# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception that every layer raises."""

from __future__ import annotations

from collections.abc import Iterable

from ._text import escaped


class ActivationError(Exception):
    """Something that the user has to know, as one clear sentence with what to do.

    Args:
        message: One sentence: what failed, where, and what to do. It holds no secret. Whatever it quotes, it becomes one visible line.
        code: The code as its source prints it, such as C(0xC004F038); empty where there is none.
        name: The symbolic name of the code, such as C(SL_E_VL_NOT_ENOUGH_COUNT).
        source: Who said so: C(windows), C(wsman), C(ldap), C(kerberos), C(dns), C(microsoft), C(ansible), C(options) or
            C(file) for what a file holds; C(collection) where it is a defect of our own.
        unreachable: The target did not answer at all, so that nothing was asked of it.
    """

    def __init__(self, message: str, *, code: str = "", name: str = "", source: str = "", unreachable: bool = False) -> None:
        self.message = escaped(message)
        super().__init__(self.message)
        self.code = code
        self.name = name
        self.source = source
        self.unreachable = unreachable


class Refusals(ActivationError):
    """Several things that are wrong with what a user gave, each on a line of its own.

    Args:
        sentences: One sentence each.
    """

    def __init__(self, sentences: Iterable[str]) -> None:
        super().__init__("", source="options")
        self.message = "\n".join(map(escaped, sentences))
        self.args = (self.message,)
