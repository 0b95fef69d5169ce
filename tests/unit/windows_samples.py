# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded answers of real Windows hosts: other projects', not part of this one, and so not always there."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "wsman-samples"
NEEDS_SAMPLES = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings of Windows beside this checkout")

_SOAP = "http://www.w3.org/2003/05/soap-envelope"


def sample(name: str) -> Element:
    """A recording by the first part of its file's name, such as C(omi01)."""
    (path,) = (found for found in FOLDER.glob(f"{name}-*.xml") if ".request." not in found.name)
    text = path.read_text(encoding="utf-8").strip()
    # A fragment lacks the declarations of its prefixes.
    return ElementTree.fromstring(text.replace("<s:Body><", f'<s:Body xmlns:s="{_SOAP}"><', 1).encode())


def body_of(envelope: Element) -> Element:
    """What is in the body of a message."""
    found = envelope.find(f"{{{_SOAP}}}Body")
    assert found is not None
    return found
