# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked of Windows when it answered with a code: the same code of RPC, DNS or a service has another cause in each.

C(table) says what a code means when a computer activates. The rows here replace a meaning and a remedy where something else was
asked; names and sources are those of C(table). Pure.
"""

from __future__ import annotations

from enum import StrEnum

_LICENSING = "softwarelicensing"


class Asked(StrEnum):
    """What a code is the answer to."""

    ACTIVATION = "activation"
    """A method of the licensing classes, or what the licensing service tells of an activation."""
    LICENSES = "licenses"
    """A query of the licensing classes: nothing leaves the computer."""
    PUBLISHING = "publishing"
    """A KMS host's update of its own SRV record."""
    WINDOWS = "windows"
    """Any other class of WMI."""


def asked_of(class_name: str, calls: bool) -> Asked:
    """What a request to a WMI class asks for.

    Args:
        class_name: The class.
        calls: Whether the request calls a method.
    """
    if not class_name.lower().startswith(_LICENSING):
        return Asked.WINDOWS
    return Asked.ACTIVATION if calls else Asked.LICENSES


_READING = (Asked.LICENSES, Asked.WINDOWS)
_RECORD_RIGHTS = "give the KMS hosts' group rights on the _vlmcs._tcp record (dns_record_acl), then restart sppsvc"
_NO_RPC = (
    "an RPC server that WMI needs on the host is not available",
    "check that the services RpcSs and Winmgmt run on the host, and restart Winmgmt",
)
_NO_ZONE = ("no DNS zone of this name takes updates", "check the domain in the publish list, and the DNS servers of the KMS host")
_DNS = "check the DNS settings of the host"

# A row stays on few lines, so that the table can be read as one.
# fmt: off
ROWS: tuple[tuple[int, tuple[Asked, ...], str, str], ...] = (
    (0x80070002, (Asked.WINDOWS,), "a file, a registry key or an object was not found", "check that the host has the feature"),
    (0x80070003, (Asked.WINDOWS,), "a path was not found", "check that the host has the feature"),
    (0x80070005, (Asked.PUBLISHING,), "access denied", _RECORD_RIGHTS),
    (0x8007000D, (Asked.WINDOWS,), "the data is not valid", "check the WMI repository of the host with winmgmt /verifyrepository"),
    (0x80070057, _READING, "a parameter is wrong", "check the values of the task"),
    (0x8007007B, (Asked.PUBLISHING,), "a name is not valid in DNS", "check the domain in the publish list and the name of the host"),
    (0x8007007B, _READING, "a name or path is not valid", "check the values of the task"),
    (0x80070422, (Asked.PUBLISHING, Asked.WINDOWS), "a service that is needed for this is disabled on the host",
     "set its start type on the host, and try again"),
    (0x80070490, _READING, "the object was not found", "read the state again; the object may be gone"),
    (0x800706BA, _READING, *_NO_RPC),
    (0x800706BA, (Asked.PUBLISHING,), "the RPC server of a domain controller is not available",
     "check the network between the KMS host and its domain controllers"),
    (0xC0020017, _READING, *_NO_RPC),
    (0x8007139F, _READING, "the object is not in the state that this needs", "try again in a minute"),
    (0x80072030, _READING, "the object does not exist in Active Directory", "check the domain of the host and the rights of the account"),
    (0x8007232A, (Asked.PUBLISHING,), "the DNS server failed", "check the DNS servers of the zone"),
    (0x8007232A, _READING, "the DNS server failed", _DNS),
    (0x8007232B, (Asked.PUBLISHING,), *_NO_ZONE),
    (0x8007232B, _READING, "the DNS name does not exist", _DNS),
    (0x8007232D, (Asked.ACTIVATION, *_READING), "the DNS server refused to answer", _DNS),
    (0x80072338, (Asked.ACTIVATION, *_READING), "the DNS server did not accept the signature of a message", _DNS),
    (0x80092328, (Asked.PUBLISHING,), *_NO_ZONE),
    (0x80092328, _READING, "the DNS name does not exist", _DNS),
    (0x8007251D, (Asked.PUBLISHING,), *_NO_ZONE),
    (0x8007251D, _READING, "DNS holds no records for the query", _DNS),
    (0x80041002, (Asked.WINDOWS,), "WMI did not find the object", "read the state again; the object may be gone"),
)
# fmt: on
