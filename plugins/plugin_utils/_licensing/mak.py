# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the codes mean that come of a MAK: whose fault it is decides what is done about the other computers.

Codes: docs/facts/errors.md#activation-service and docs/facts/mak.md#answer-codes. Pure.
"""

from __future__ import annotations

from enum import StrEnum

PROXY_PLAYBOOKS = "winops.volume_activation.mak_proxy_collect, mak_proxy_acquire and mak_proxy_apply"
"""How a computer that does not reach Microsoft is activated all the same."""


class Trouble(StrEnum):
    """Whose trouble a code is; the value is what task results show."""

    KEY = "key"
    """The key's: no other computer is activated with it either."""
    NO_WAY_OUT = "no_way_out"
    """The network's: the computer does not reach Microsoft, or only through a proxy that it does not know."""
    OTHER_PRODUCT = "other_product"
    """The key is for another product than the computer has."""
    COMPUTER = "computer"
    """The computer's own, or not known."""


# Blocked, unknown or used up, or not for this place.
_OF_KEY = (
    *(0xC004B100, 0xC004C001, 0xC004C003, 0xC004C004, 0xC004C008, 0xC004C017, 0xC004C020, 0xC004C021, 0xC004C060, 0xC004F051),
    *(0x803FA067, 0x803FA068, 0x803FA071, 0x803FA07F),
)
# WinHTTP, and DNS before it.
_OF_NETWORK = (0x80072EE2, 0x80072EE7, 0x80072EFD, 0x80072EFE, 0x80072F8F, 0x8007232A, 0x8007232B, 0x8007251D, 0x8007267C, 0x80092328)
# What InstallProductKey answers where no licence of the key's product is installed, or this Windows does not know the key.
_OF_EDITION = (0xC004F015, 0xC004F017, 0xC004F069, 0xC004F210)
_OF_PRODUCT = (0xC004E016, 0xC004F050, *_OF_EDITION)
_TROUBLES = {
    **dict.fromkeys(_OF_KEY, Trouble.KEY),
    **dict.fromkeys(_OF_NETWORK, Trouble.NO_WAY_OUT),
    **dict.fromkeys(_OF_PRODUCT, Trouble.OTHER_PRODUCT),
}


def is_of_another_edition(hresult: int | None) -> bool:
    """Whether Windows knows the key, for a product that the computer does not have."""
    return hresult in _OF_EDITION


def trouble_of(hresult: int | None) -> Trouble:
    """Whose trouble an HRESULT is, unsigned; C(None) for an error without one."""
    return Trouble.COMPUTER if hresult is None else _TROUBLES.get(hresult, Trouble.COMPUTER)
