# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of Windows Setup for KMS clients. Pure.

Setup has a setting for the suffix search list (Microsoft-Windows-DNS-Client, DNSSuffixSearchOrder), but none for KMS clients:
Microsoft-Windows-Security-SPP has SkipRearm alone, and Microsoft-Windows-Security-SPP-UX SkipAutoActivation. So the rest are commands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "urn:schemas-microsoft-com:unattend"
WCM = "http://schemas.microsoft.com/WMIConfig/2002/State"
# Path of RunSynchronousCommand is a string of at most so many characters.
LONGEST_COMMAND = 259

_TOKEN = "31bf3856ad364e35"  # noqa: S105  # the public key token of all of Windows' components
_NO_SETTING = "Windows Setup has no settings for KMS clients, so that these are commands."


def unattend_text(suffixes: Sequence[str], commands: Sequence[str], architecture: str) -> str:
    """An answer file with the configuration pass specialize alone, to be merged with that of an image.

    Args:
        suffixes: The suffix search list; none where Setup is to leave it.
        commands: Command lines, in their order.
        architecture: C(amd64), C(x86) or C(arm64).
    """
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<unattend xmlns="{NAMESPACE}" xmlns:wcm="{WCM}">',
        '  <settings pass="specialize">',
        *_search_list(suffixes, architecture),
        *_run(commands, architecture),
        "  </settings>",
        "</unattend>",
        "",
    ]
    return "\n".join(lines)


def _component(name: str, architecture: str) -> str:
    return (
        f"    <component name={quoteattr(name)} processorArchitecture={quoteattr(architecture)}"
        f' publicKeyToken="{_TOKEN}" language="neutral" versionScope="nonSxS">'
    )


def _search_list(suffixes: Sequence[str], architecture: str) -> Iterator[str]:
    if not suffixes:
        return
    yield _component("Microsoft-Windows-DNS-Client", architecture)
    yield "      <DNSSuffixSearchOrder>"
    for place, suffix in enumerate(suffixes, 1):
        # The key decides about the order, not the place in the file.
        yield f'        <DomainName wcm:action="add" wcm:keyValue="{place}">{escape(suffix)}</DomainName>'
    yield "      </DNSSuffixSearchOrder>"
    yield "    </component>"


def _run(commands: Sequence[str], architecture: str) -> Iterator[str]:
    if not commands:
        return
    yield f"    <!-- {_NO_SETTING} -->"
    yield _component("Microsoft-Windows-Deployment", architecture)
    yield "      <RunSynchronous>"
    for place, command in enumerate(commands, 1):
        yield '        <RunSynchronousCommand wcm:action="add">'
        yield f"          <Order>{place}</Order>"
        yield f"          <Path>{escape(command)}</Path>"
        yield "        </RunSynchronousCommand>"
    yield "      </RunSynchronous>"
    yield "    </component>"
