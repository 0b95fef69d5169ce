# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run over reference computers: what stands in the way, who is generalized, how each ended, and what to capture.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from .finding import Finding, refused_keys
from .registered import Registered, Result

RESULTS = ("license", "sealing_check", "client_check", "client", "key_install", "sealing")
"""The names of results that a run knows."""

# Settings that came with later versions of Windows, by the first build that has them: 7 and Server 2008 R2, 8 and Server 2012.
_SINCE_BUILD = {"host_caching": 7600, "lookup_domain": 9200}
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
# docs/facts/images.md#copies
_CACHING = (
    "Whether a copy keeps the host caching of this computer is unknown, because no document says so. Run the audit over one copy"
    " (kms_audit_host_caching), or set host_caching on the copies by kms_client."
)


@dataclass(frozen=True, slots=True)
class ReferenceComputer:
    """One reference computer in a run; a result is empty where its task did not run.

    Attributes:
        host: Its inventory name.
        license: The result of C(license_info) before the run.
        sealing_check: That of C(sysprep) in check mode.
        client_check: That of C(kms_client) in check mode.
        client: That of C(kms_client).
        key_install: That of C(slmgr), which installs the MAK of the copies.
        sealing: That of C(sysprep).
    """

    host: str
    license: Result = field(default_factory=dict)
    sealing_check: Result = field(default_factory=dict)
    client_check: Result = field(default_factory=dict)
    client: Result = field(default_factory=dict)
    key_install: Result = field(default_factory=dict)
    sealing: Result = field(default_factory=dict)

    @property
    def is_sealed(self) -> bool:
        """Whether it was generalized before. It is left as it is: another key or an activation would be work for nobody."""
        return bool(self.sealing_check.get("generalized"))

    @property
    def sealed(self) -> Result:
        """What is known of its image at the end."""
        return self.sealing_check if self.is_sealed else self.sealing

    @property
    def may_be_copied(self) -> bool:
        """Whether its image is generalized, or went down before that was seen, as computers do where sysprep has succeeded."""
        return bool(self.sealed.get("generalized")) or _is_unseen(self.sealed)


def references(found: Registered) -> list[ReferenceComputer]:
    """The computers of a play, in its order."""
    known = [name for name in RESULTS if name in found.results]
    return [ReferenceComputer(host, **{name: found.of(name, host) for name in known}) for host in found.hosts]


def settings_of(license_: Result) -> list[str]:
    """The names of the client settings that the computer's Windows knows, of those that not every Windows does."""
    build = int((license_.get("operating_system") or {}).get("build") or 0)
    return [name for name, since in _SINCE_BUILD.items() if not build or build >= since]


def findings(computers: Sequence[ReferenceComputer], refusals: Mapping[str, str]) -> list[Finding]:
    """What stands in the way, and what the owner of the computers may want to know before.

    Args:
        computers: Those of the play.
        refusals: What is known against the MAK that the copies of each are to get, by host; empty where nothing is.
    """
    if not computers:
        return [Finding("inventory", "The play has no computer; put the reference computer into the group reference_computers.", True)]
    found = list(refused_keys({host: {"refusal": refusal} for host, refusal in refusals.items()}))
    return found + [finding for computer in computers for finding in _findings_of(computer)]


def _findings_of(computer: ReferenceComputer) -> Iterable[Finding]:
    host, sealing = computer.host, computer.sealing_check
    if "operating_system" not in computer.license:
        yield Finding(host, str(computer.license.get("msg") or "The computer was not asked."), True)
        return
    if computer.is_sealed:
        yield Finding(host, "It is generalized already and is left as it is.", False)
        return
    for result in (sealing, computer.client_check):
        if "error" in result or result.get("unreachable"):
            yield Finding(host, str(result.get("msg", "It could not be checked.")), True)
    if "rearms" in sealing and not sealing["skip_rearm"]:
        yield Finding(host, f"{sealing['rearms']} rearms are left, and sysprep spends one.", False)


def due(computers: Iterable[ReferenceComputer]) -> list[str]:
    """The computers that are to be activated and generalized."""
    return [computer.host for computer in computers if not computer.is_sealed]


def ready(computers: Iterable[ReferenceComputer], require_license: bool) -> list[str]:
    """The computers that may be generalized, of those that were configured."""
    return [computer.host for computer in computers if not computer.is_sealed and not _complaint(computer, require_license)]


def failures(computers: Iterable[ReferenceComputer], require_license: bool) -> dict[str, str]:
    """By computer why its image could not be sealed; without those whose image is."""
    said = {computer.host: _complaint(computer, require_license) for computer in computers if not computer.is_sealed}
    return {host: sentence for host, sentence in said.items() if sentence}


def _complaint(computer: ReferenceComputer, require_license: bool) -> str:
    for result in (computer.client, computer.key_install, computer.sealing):
        if result.get("failed") or result.get("unreachable"):
            return str(result.get("msg") or f"{computer.host}: the outcome is unknown.")
    activation = computer.client.get("activation") or {}
    if require_license and activation.get("state") == "counted":
        return (
            f"{computer.host} was counted by the KMS host, but not activated ({activation.get('message', '')}). Let more clients ask first, or"
            " set reference_image_require_license to false: its copies ask for licenses of their own anyway."
        )
    return ""


def numbers(computers: Sequence[ReferenceComputer]) -> dict[str, int]:
    """The end of a run for machines."""
    unseen = sum(_is_unseen(computer.sealed) for computer in computers)
    return {"sealed": sum(computer.may_be_copied for computer in computers) - unseen, "unseen": unseen, "computers": len(computers)}


def summary(computers: Sequence[ReferenceComputer], has_mak: bool, check_mode: bool) -> list[str]:
    """The end of a run, as lines that can be pasted into a ticket.

    Args:
        computers: Those of the play.
        has_mak: Whether the copies hold a MAK.
        check_mode: Nothing was changed.
    """
    lines = ["Reference images" + (" (check mode: nothing was changed)" if check_mode else "")]
    for computer in computers:
        lines += _lines_of(computer, check_mode)
    if any(computer.may_be_copied for computer in computers):
        lines.append("Each copy makes a client machine ID (CMID) of its own at its first start. " + _license_of_copies(computers, has_mak))
        if not has_mak and any("host_caching" in settings_of(computer.license) for computer in computers):
            lines.append(_CACHING)
    return lines


def _is_unseen(sealing: Result) -> bool:
    return "generalized" in sealing and sealing["generalized"] is None


def _lines_of(computer: ReferenceComputer, check_mode: bool) -> Iterable[str]:
    caption = (computer.license.get("operating_system") or {}).get("caption", "Windows")
    host, sealing = computer.host, computer.sealed
    if "image_state" not in sealing:
        yield f"{host} ({caption}): not sealed: {sealing.get('msg', 'its turn did not come')}"
        return
    before, after = computer.sealing_check.get("rearms", sealing["rearms"]), sealing["rearms"]
    if check_mode and sealing.get("changed"):
        yield f"{host} ({caption}): would be sealed, {after} rearms left before"
        return
    left = f"{before} before, and one less when it is next read" if sealing["ending"] == "no_longer_answers" else f"{before} -> {after}"
    state = sealing["image_state"]["state"]
    if _is_unseen(sealing):
        state = (
            "sysprep took it down, which it does when it succeeded, before its image state was seen; look at the image before it is copied"
        )
    yield f"{host} ({caption}): {state}, rearms {left}{_activated_by(computer.client)}"
    yield _NEXT[sealing["ending"]].format(host=host)


def _activated_by(client: Result) -> str:
    activation = client.get("activation") or {}
    if activation.get("state") != "licensed":
        return ""
    named = f" by {activation['kms_host']}:{activation['kms_port']}" if activation.get("kms_host") else ""
    return f"; it was activated{named}"


def _license_of_copies(computers: Iterable[ReferenceComputer], has_mak: bool) -> str:
    if has_mak:
        return "It holds the MAK, and has to be activated with Microsoft."
    servers = any((computer.license.get("operating_system") or {}).get("server") for computer in computers)
    return f"It asks a KMS host by itself, which activates it once {5 if servers else 25} clients have asked."
