# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of key a product has. Pure."""

from __future__ import annotations

from enum import StrEnum


class Channel(StrEnum):
    """The kind of a product's key; the value is what task results show."""

    GVLK = "gvlk"
    CSVLK = "csvlk"
    MAK = "mak"
    RETAIL = "retail"
    OEM = "oem"
    AVMA = "avma"
    TIMEBASED = "timebased"
    UNKNOWN = "unknown"


# slmgr.vbs looks for these in the Description, which holds the channel in English whatever the language of Windows is.
# The order matters: VOLUME_KMS is a part of VOLUME_KMSCLIENT.
_BY_DESCRIPTION = (
    ("VOLUME_KMSCLIENT", Channel.GVLK),
    ("VOLUME_KMS", Channel.CSVLK),
    ("TIMEBASED_", Channel.TIMEBASED),
    ("MAK", Channel.MAK),
    ("VIRTUAL_MACHINE_ACTIVATION", Channel.AVMA),
)

# Others' channels, looked for behind the last comma only: "OEM" can be a part of a product's own name.
_BY_DESCRIPTION_END = (
    ("OEM", Channel.OEM),
    ("RETAIL", Channel.RETAIL),
)

_BY_KEY_CHANNEL = (
    ("GVLK", Channel.GVLK),
    ("CSVLK", Channel.CSVLK),
    ("MAK", Channel.MAK),
    (":TB", Channel.TIMEBASED),
    ("AVMA", Channel.AVMA),
    ("OEM", Channel.OEM),
    ("RETAIL", Channel.RETAIL),
)


def classify(description: str | None, product_key_channel: str | None = None) -> Channel:
    """The channel of a row of SoftwareLicensingProduct.

    The Description decides, as in slmgr.vbs, because every version of Windows has it; ProductKeyChannel (Windows 8 and
    later, such as C(Volume:GVLK) or C(OEM:DM)) decides where the Description names no channel.

    Args:
        description: The row's Description; C(None) where the host gave none.
        product_key_channel: The row's ProductKeyChannel.
    """
    spoken = (description or "").upper()
    for text, table in (
        (spoken, _BY_DESCRIPTION),
        (spoken.rpartition(",")[2], _BY_DESCRIPTION_END),
        ((product_key_channel or "").upper(), _BY_KEY_CHANNEL),
    ):
        for part, channel in table:
            if part in text:
                return channel
    return Channel.UNKNOWN
