# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an old Windows lacks. WMI refuses a whole query for one column that it does not know, so columns are asked for by version.

A column is listed as old as its oldest source; one that no source names for a version is not asked for there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from ..._wsman.cim import CimClass, Value
from ..._wsman.session import Session


class WindowsVersion(NamedTuple):
    """The first two numbers of a version of Windows, which compare as versions do."""

    major: int
    minor: int


VISTA = WindowsVersion(6, 0)
"""Windows Vista and Server 2008."""
WINDOWS_7 = WindowsVersion(6, 1)
"""Windows 7 and Server 2008 R2."""
WINDOWS_8 = WindowsVersion(6, 2)
"""Windows 8 and Server 2012."""
NEWEST = WindowsVersion(99, 0)
"""One that has everything."""
_NUMBERS = re.compile(r"([0-9]{1,5})\.([0-9]{1,5})(?![0-9])")
_NAMES = {WINDOWS_7: "Windows 7 and Server 2008 R2", WINDOWS_8: "Windows 8 and Server 2012"}


class Since(NamedTuple):
    """The first version that has a property, and who says so."""

    version: WindowsVersion
    source: str


_WINDOWS_7_CLASS = "Microsoft's class reference for Windows 7 (SppWmi) has it; the Volume Activation 2.0 guide for Vista has not"
_NOT_IN_WINDOWS_7 = "Microsoft's class reference for Windows 7 (SppWmi) has it not, slmgr.vbs of Windows 8 reads it"

SINCE: Mapping[str, Mapping[str, Since]] = {
    "SoftwareLicensingService": {
        "KeyManagementServiceHostCaching": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "KeyManagementServiceLookupDomain": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "DiscoveredKeyManagementServiceMachineIpAddress": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
    },
    "SoftwareLicensingProduct": {
        # The guide for Vista has these two with the service, not with the product.
        "RequiredClientCount": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "LicenseStatusReason": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "ProductKeyChannel": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "KeyManagementServiceMachine": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "KeyManagementServicePort": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "DiscoveredKeyManagementServiceMachineName": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "DiscoveredKeyManagementServiceMachinePort": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "KeyManagementServiceLookupDomain": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "VLActivationTypeEnabled": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "IsKeyManagementServiceMachine": Since(WINDOWS_7, _WINDOWS_7_CLASS),
        "VLActivationType": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "ADActivationObjectName": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "ADActivationObjectDN": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "ADActivationCsvlkPid": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "ADActivationCsvlkSkuId": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "RemainingAppReArmCount": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
        "RemainingSkuReArmCount": Since(WINDOWS_8, _NOT_IN_WINDOWS_7),
    },
}
"""By class and property; a property that is not here is in every version from Vista SP1 and Server 2008 on."""


def parse_version(text: str) -> WindowsVersion:
    """The version of Windows from that of the system or of its licensing service, such as C(6.1.7601.17514).

    A text that is none counts as the newest Windows: only old ones have to be known by their numbers. What a host sends in
    its place was refused when it was read.
    """
    found = _NUMBERS.match(text)
    return WindowsVersion(int(found[1]), int(found[2])) if found else NEWEST


def available(cim_class: CimClass, columns: Iterable[str], version: WindowsVersion) -> list[str]:
    """Those of the columns that the class has in this version."""
    since = SINCE.get(cim_class.name, {})
    return [column for column in columns if column not in since or since[column].version <= version]


def came_with(cim_class: CimClass, column: str, version: WindowsVersion) -> str:
    """The Windows, in words, that brought a property which this version lacks; empty where it has it."""
    since = SINCE.get(cim_class.name, {}).get(column)
    return _NAMES[since.version] if since and since.version > version else ""


def query(
    session: Session, cim_class: CimClass, columns: Sequence[str], version: WindowsVersion, where: str = ""
) -> list[dict[str, Value]]:
    """As C(Session.query), with C(None) in the columns that this Windows does not have."""
    rows = session.query(cim_class, available(cim_class, columns, version), where)
    return [{column: row.get(column) for column in columns} for row in rows]
