# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes C(docs/docsite/rst/troubleshooting.rst): every code of the error table with its name, what it means and what to do.

    PYTHONPATH=build/collections python3 tests/troubleshooting.py

Needs the staged collection and the standard library alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.asked import ROWS as OTHERWISE
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.asked import Asked
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.table import ROWS

TREE = Path(__file__).resolve().parents[1]
PAGE = TREE / "docs/docsite/rst/troubleshooting.rst"

_HEAD = """..
  Copyright (c) 2026, winops contributors
  GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

.. Written by tests/troubleshooting.py from the error table of the collection.

.. _ansible_collections.winops.volume_activation.docsite.troubleshooting:

Troubleshooting
===============

A failed task says in at most three sentences what failed on which host, the code with its name and meaning, and what to do. This page lists the codes of
Windows, WMI and WS-Management that the collection knows, so that you can look one up that stands elsewhere: in an event, in the output of
``slmgr.vbs``, or as ``reason`` in :ref:`a survey <ansible_collections.winops.volume_activation.docsite.survey>`.

First steps
-----------

- The task returns the same in parts: ``error.code``, ``error.name``, ``error.source``, ``error.step``, and what was ``done`` and what is ``remaining``.
- A host that does not answer, or rejects the account: see
  :ref:`what a target needs <ansible_collections.winops.volume_activation.docsite.mak_targets>`. The module
  :ansplugin:`winops.volume_activation.debug_winrm_session#module` shows what the session with a host is like.
- Clients that find no KMS host: :ansplugin:`winops.volume_activation.kms_endpoint_info#module` shows which KMS hosts DNS names, and whether they answer.
- What differs from the declared sites: :ref:`the audit <ansible_collections.winops.volume_activation.docsite.audit>`.
- What the exit code of a run means: :ref:`results <ansible_collections.winops.volume_activation.docsite.results>`.
- A code that is not on this page: ``slui.exe 0x2a CODE`` on a Windows computer shows its text.
"""
# By the first digits of a code where it comes from; the first that fits counts.
_SECTIONS = (
    ("Licensing", ("0x4004", "0xC004", "0x803F", "0x8004FE")),
    ("WMI", ("0x8004",)),
    ("WS-Management", ("0x8033",)),
    ("Windows, RPC, DNS and the Internet", ("0x",)),
)
_WHERE = {
    Asked.ACTIVATION: "at an activation",
    Asked.LICENSES: "at a query of the licensing classes",
    Asked.PUBLISHING: "when a KMS host publishes its record",
    Asked.WINDOWS: "at any other class of WMI",
}


def sentence(clause: str) -> str:
    """A clause as a sentence of reStructuredText."""
    escaped = re.sub(r"([\\*`|])", r"\\\1", clause)
    # A trailing underscore makes a link, and a leading one is harmless.
    escaped = re.sub(r"_(?=\W|$)", r"\\_", escaped)
    return escaped[0].upper() + escaped[1:] + "."


def entry(code: int, name: str, meaning: str, remedy: str) -> Iterator[str]:
    """The lines of one code."""
    yield f"``0x{code:08X}``{f' ``{name}``' if name else ''}"
    yield f"  {sentence(meaning)} *What to do:* {sentence(remedy)}"
    for other, places, its_meaning, its_remedy in OTHERWISE:
        if other == code:
            where = " and ".join(_WHERE[place] for place in places)
            yield ""
            yield f"  {where[0].upper()}{where[1:]}: {sentence(its_meaning)} *What to do:* {sentence(its_remedy)}"
    yield ""


def page() -> str:
    """The whole page."""
    rows = sorted(ROWS)
    lines = [_HEAD]
    left = {row[0]: row for row in rows}
    for title, beginnings in _SECTIONS:
        found = [row for row in left.values() if f"0x{row[0]:08X}".startswith(beginnings)]
        lines += [title, "-" * len(title), ""]
        for code, name, meaning, remedy, _source in found:
            del left[code]
            lines += entry(code, name, meaning, remedy)
    return "\n".join(lines).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
