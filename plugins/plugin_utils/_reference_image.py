# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role for reference computers tells people: findings before the first change, and what to capture at the end.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ._findings import Finding, refused_keys

Result = Mapping[str, Any]

_NEXT = {
    "quit": (
        "{host} still runs. Shut it down, and capture its disk before it is started again: its next start makes an installed Windows of the"
        " image."
    ),
    "no_longer_answers": (
        "{host} no longer answers. When its hypervisor or its console says that it is off, capture its disk, for example by DISM"
        " /Capture-Image from Windows PE or as a template of the hypervisor."
    ),
    "still_answers": "{host} should be down, and still answers. Shut it down by hand, and capture its disk before it is started again.",
}
_NEXT["none"] = _NEXT["quit"]


@dataclass(frozen=True, slots=True)
class Reference:
    """What a run knows of one reference computer; a result is empty where its task did not run.

    Attributes:
        license: The result of C(license_info) before the run.
        sealing_check: That of C(sysprep) in check mode.
        client_check: That of C(kms_client) in check mode.
        client: That of C(kms_client).
        sealing: That of C(sysprep).
        key: What C(product_key_facts) tells of its MAK.
    """

    license: Result
    sealing_check: Result
    client_check: Result
    client: Result
    sealing: Result
    key: Result


def findings(computers: Mapping[str, Reference]) -> list[Finding]:
    """What stands in the way, and what the owner of the computers may want to know before."""
    if not computers:
        return [Finding("inventory", "The play has no computer; put the reference computer into the group reference_computers.", True)]
    found = list(refused_keys({host: known.key for host, known in computers.items()}))
    return found + [finding for host, known in computers.items() for finding in _findings_of(host, known)]


def _findings_of(host: str, known: Reference) -> Iterable[Finding]:
    if "operating_system" not in known.license:
        yield Finding(host, str(known.license.get("msg") or "The computer was not asked."), True)
        return
    sealing = known.sealing_check
    if sealing.get("generalized"):
        yield Finding(host, "It is generalized already and is left as it is.", False)
        return
    for result in (sealing, known.client_check):
        if "error" in result or result.get("unreachable"):
            yield Finding(host, str(result.get("msg", "It could not be looked at.")), True)
    if "rearms" in sealing and not sealing["skip_rearm"]:
        yield Finding(host, f"{sealing['rearms']} rearms are left, and sysprep spends one.", False)


def summary(computers: Mapping[str, Reference], has_mak: bool, check_mode: bool) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket."""
    lines = ["Reference images" + (" (check mode: nothing was changed)" if check_mode else "")]
    for host, known in computers.items():
        lines += _lines_of(host, known, check_mode)
    if any(known.sealing.get("generalized") for known in computers.values()):
        lines.append("Each copy makes a client machine ID (CMID) of its own at its first start. " + _license_of_copies(computers, has_mak))
    return lines


def _lines_of(host: str, known: Reference, check_mode: bool) -> Iterable[str]:
    caption = (known.license.get("operating_system") or {}).get("caption", "Windows")
    sealing = known.sealing
    if "image_state" not in sealing:
        yield f"{host} ({caption}): not sealed: {sealing.get('msg', 'its turn did not come')}"
        return
    before, after = known.sealing_check.get("rearms", sealing["rearms"]), sealing["rearms"]
    if check_mode and sealing.get("changed"):
        yield f"{host} ({caption}): would be sealed, {after} rearms left before"
        return
    left = f"{before} before, and one less when it is next read" if sealing["ending"] == "no_longer_answers" else f"{before} -> {after}"
    yield f"{host} ({caption}): {sealing['image_state']['state']}, rearms {left}{_activated_by(known.client)}"
    yield _NEXT[sealing["ending"]].format(host=host)


def _activated_by(client: Result) -> str:
    activation = client.get("activation") or {}
    if activation.get("state") != "licensed":
        return ""
    named = f" by {activation['kms_host']}:{activation['kms_port']}" if activation.get("kms_host") else ""
    return f"; it was activated{named}"


def _license_of_copies(computers: Mapping[str, Reference], has_mak: bool) -> str:
    if has_mak:
        return "It holds the MAK, and has to be activated with Microsoft."
    servers = any((known.license.get("operating_system") or {}).get("server") for known in computers.values())
    return f"It asks a KMS host by itself, which activates it once {5 if servers else 25} clients have asked."
