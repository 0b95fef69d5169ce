# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security descriptors as text: SDDL (MS-DTYP 2.5.1).

Two things that SDDL has no form for are written so that C(from_sddl) reads them again: ACE types that are only carried
along, as C((0x09;CI;hex of the body)), and unknown flag bits, in hexadecimal.
"""

from __future__ import annotations

import re
import uuid

from .._core.errors import ActivationError
from . import security_descriptor as sd
from .security_descriptor import Ace, Acl, AnyAce, OpaqueAce, SecurityDescriptor
from .sid import Sid

_ACE_TYPES = {"A": 0, "D": 1, "AU": 2, "OA": 5, "OD": 6, "OU": 7}
_ACE_FLAGS = {"OI": 0x01, "CI": 0x02, "NP": 0x04, "IO": 0x08, "ID": 0x10, "SA": 0x40, "FA": 0x80}
_RIGHTS = {
    "RP": 0x10, "WP": 0x20, "CR": 0x100, "CC": 0x1, "DC": 0x2, "LC": 0x4, "LO": 0x80, "RC": 0x20000, "WO": 0x80000, "WD": 0x40000,
    "SD": 0x10000, "DT": 0x40, "SW": 0x8, "GA": 0x10000000, "GX": 0x20000000, "GW": 0x40000000, "GR": 0x80000000,
}  # fmt: skip
_DACL_FLAGS = {"P": sd.DACL_PROTECTED, "AR": sd.DACL_AUTO_INHERIT_REQ, "AI": sd.DACL_AUTO_INHERITED}
_SACL_FLAGS = {"P": sd.SACL_PROTECTED, "AR": sd.SACL_AUTO_INHERIT_REQ, "AI": sd.SACL_AUTO_INHERITED}
_NULL_ACL = "NO_ACCESS_CONTROL"

_WELL_KNOWN = {
    "WD": "S-1-1-0", "CO": "S-1-3-0", "CG": "S-1-3-1", "OW": "S-1-3-4", "NU": "S-1-5-2", "IU": "S-1-5-4", "SU": "S-1-5-6",
    "AN": "S-1-5-7", "ED": "S-1-5-9", "PS": "S-1-5-10", "AU": "S-1-5-11", "RC": "S-1-5-12", "SY": "S-1-5-18", "LS": "S-1-5-19",
    "NS": "S-1-5-20", "BA": "S-1-5-32-544", "BU": "S-1-5-32-545", "BG": "S-1-5-32-546", "PU": "S-1-5-32-547", "AO": "S-1-5-32-548",
    "SO": "S-1-5-32-549", "PO": "S-1-5-32-550", "BO": "S-1-5-32-551", "RE": "S-1-5-32-552", "RU": "S-1-5-32-554",
}  # fmt: skip
_DOMAIN_RIDS = {
    "RO": 498, "LA": 500, "LG": 501, "DA": 512, "DU": 513, "DG": 514, "DC": 515, "DD": 516, "CA": 517, "SA": 518, "EA": 519,
    "PA": 520, "CN": 522, "RS": 553,
}  # fmt: skip
_ALIAS_OF = {Sid.from_text(text): alias for alias, text in _WELL_KNOWN.items()}
_ALIAS_OF_RID = {rid: alias for alias, rid in _DOMAIN_RIDS.items()}

_SECTION = re.compile(r"([OGDS]):((?:[^():]|\([^()]*\))*?)(?=[OGDS]:|$)")


def to_sddl(descriptor: SecurityDescriptor, domain: Sid | None = None) -> str:
    """The descriptor as SDDL.

    Args:
        descriptor: What to show.
        domain: Accounts of this domain that have an alias, such as C(DA), are written by it.
    """
    text = ""
    if descriptor.owner is not None:
        text += f"O:{_sid_text(descriptor.owner, domain)}"
    if descriptor.group is not None:
        text += f"G:{_sid_text(descriptor.group, domain)}"
    if descriptor.control & sd.DACL_PRESENT:
        text += f"D:{_acl_text(descriptor.dacl, descriptor.control, _DACL_FLAGS, domain)}"
    if descriptor.control & sd.SACL_PRESENT:
        text += f"S:{_acl_text(descriptor.sacl, descriptor.control, _SACL_FLAGS, domain)}"
    return text


def from_sddl(text: str, domain: Sid | None = None) -> SecurityDescriptor:
    """The descriptor that SDDL describes.

    Args:
        text: SDDL without conditional ACEs.
        domain: The domain that aliases such as C(DA) are relative to.

    Raises:
        ActivationError: The text is not understood.
    """
    sections = {match[1]: match[2] for match in _SECTION.finditer(text)}
    if "".join(f"{name}:{value}" for name, value in sections.items()) != text:
        raise ActivationError(f"{text!r} is not a security descriptor in SDDL.", source="options")
    control, acls = sd.SELF_RELATIVE, dict[str, Acl | None](D=None, S=None)
    for name, flags, present in (("D", _DACL_FLAGS, sd.DACL_PRESENT), ("S", _SACL_FLAGS, sd.SACL_PRESENT)):
        if name in sections:
            head, _paren, rest = sections[name].partition("(")
            control |= present
            if head.startswith(_NULL_ACL):
                head = head.removeprefix(_NULL_ACL)
            else:
                acls[name] = _acl(rest, domain)
            control |= _bits(head, flags)
    owner = _sid(sections["O"], domain) if "O" in sections else None
    group = _sid(sections["G"], domain) if "G" in sections else None
    return SecurityDescriptor(control, owner, group, acls["S"], acls["D"])


def _acl_text(acl: Acl | None, control: int, flags: dict[str, int], domain: Sid | None) -> str:
    head = "".join(name for name, bit in flags.items() if control & bit)
    if acl is None:
        return _NULL_ACL + head
    return head + "".join(f"({_ace_text(ace, domain)})" for ace in acl.aces)


def _ace_text(ace: AnyAce, domain: Sid | None) -> str:
    flags = _names(ace.flags, _ACE_FLAGS)
    if isinstance(ace, OpaqueAce):
        return f"0x{ace.type:02x};{flags};{ace.body.hex()}"
    kind = next(name for name, number in _ACE_TYPES.items() if number == ace.type)
    guids = ";".join(str(guid) if guid else "" for guid in (ace.object_type, ace.inherited_object_type))
    return f"{kind};{flags};{_names(ace.mask, _RIGHTS)};{guids};{_sid_text(ace.sid, domain)}"


def _acl(rest: str, domain: Sid | None) -> Acl:
    aces = [_ace(entry, domain) for entry in rest.removesuffix(")").split(")(") if entry]
    # Object ACEs need revision 4 (MS-DTYP 2.4.5); AD itself writes 4 always.
    return Acl(tuple(aces))


def _ace(entry: str, domain: Sid | None) -> AnyAce:
    fields = entry.split(";")
    try:
        if len(fields) == 3:
            return OpaqueAce(int(fields[0], 16), _bits(fields[1], _ACE_FLAGS), bytes.fromhex(fields[2]))
        kind, flags, rights, object_type, inherited_object_type, trustee = fields
        return Ace(
            _ACE_TYPES[kind],
            _bits(flags, _ACE_FLAGS),
            _bits(rights, _RIGHTS),
            _sid(trustee, domain),
            uuid.UUID(object_type) if object_type else None,
            uuid.UUID(inherited_object_type) if inherited_object_type else None,
        )
    except (KeyError, ValueError):
        raise ActivationError(f"({entry}) is not an ACE in SDDL.", source="options") from None


def _names(value: int, table: dict[str, int]) -> str:
    """The bits by their names, or the whole number where one bit has none."""
    names = [name for name, bit in table.items() if value & bit]
    return "".join(names) if sum(table[name] for name in names) == value else f"0x{value:x}"


def _bits(text: str, table: dict[str, int]) -> int:
    if text.lower().startswith("0x"):
        return int(text, 16)
    value = place = 0
    while place < len(text):
        name = next((name for name in table if text.startswith(name, place)), "")
        if not name:
            raise ActivationError(f"{text[place:]!r} is not understood in SDDL.", source="options")
        value |= table[name]
        place += len(name)
    return value


def _sid_text(sid: Sid, domain: Sid | None) -> str:
    if sid in _ALIAS_OF:
        return _ALIAS_OF[sid]
    if domain is not None and sid.domain == domain:
        return _ALIAS_OF_RID.get(sid.subauthorities[-1], str(sid))
    return str(sid)


def _sid(text: str, domain: Sid | None) -> Sid:
    if text in _WELL_KNOWN:
        return Sid.from_text(_WELL_KNOWN[text])
    if text in _DOMAIN_RIDS and domain is not None:
        return Sid(5, (*domain.subauthorities, _DOMAIN_RIDS[text]))
    return Sid.from_text(text)
