# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML from outside, for whoever reads what a host, a service or a recording says. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET


class UnreadableXml(Exception):
    """The text is not XML that may be read; the message says why, as the end of a clause that begins with its subject."""


class HoldsDoctype(UnreadableXml):
    """The text has a document type."""

    def __init__(self) -> None:
        super().__init__("holds a document type declaration")


class _NoDoctype(ET.TreeBuilder):
    """Refuses a document type: entities are declared there, and by them a small text becomes a huge one."""

    def doctype(self, *_declaration: str | None) -> None:
        raise HoldsDoctype


def parse_xml(text: bytes | str) -> ET.Element:
    """The root element of a document.

    Raises:
        UnreadableXml: It is not well-formed, or names an encoding that cannot be read.
        HoldsDoctype: It has a document type.
    """
    try:
        return ET.fromstring(text, parser=ET.XMLParser(target=_NoDoctype()))
    except ET.ParseError as error:
        raise UnreadableXml(f"is not XML ({error})") from None
    except (LookupError, ValueError):
        # The parser asks Python for an encoding that it does not know itself: some there are not, some are of several bytes a
        # character, some are not for text.
        raise UnreadableXml("is in an encoding that cannot be read") from None
