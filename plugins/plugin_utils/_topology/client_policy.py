# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What KMS clients that no WinRM reaches have to be given: registry values, and commands where Windows has no documented value.

Pure. The values are those of Microsoft's "Registry Settings for Volume
Activation" (dn502532) and of the policy "DNS suffix search list"; what they are to be is table 6 of "KMS and MAK Activation
Scenarios", and what follows from the sites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._core.errors import ActivationError
from .search_list import POLICY_KEY, POLICY_VALUE
from .unattend import LONGEST_COMMAND, unattend_text

PLATFORM_KEY = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
ACTIVATION_KEY = rf"{PLATFORM_KEY}\Activation"
REG_SZ, REG_DWORD = "REG_SZ", "REG_DWORD"
ARCHITECTURES = ("amd64", "x86", "arm64")

_URL = re.compile(r"https?://[^\s\"'<>|\\^`{}%]+(?:%[0-9A-Fa-f]{2}[^\s\"'<>|\\^`{}%]*)*")
_TYPES = {REG_SZ: "String", REG_DWORD: "DWord"}


@dataclass(frozen=True, slots=True)
class Value:
    """A registry value below HKEY_LOCAL_MACHINE.

    Attributes:
        key: The key.
        name: Its name.
        kind: C(REG_SZ) or C(REG_DWORD).
        data: What it has to be; C(None) where there must be none.
        verified: Whether a page of Microsoft's has it.
    """

    key: str
    name: str
    kind: str
    data: str | int | None
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Command:
    """What has to be called on the client, because no documented value does it.

    Attributes:
        line: The command line, for an account with the rights of the system. It calls the WMI method that slmgr.vbs calls.
        reason: Why there is a command.
    """

    line: str
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyWishes:
    """What is wanted beyond what follows from the sites.

    Attributes:
        host_caching: Whether a client keeps to the KMS host that it found.
        alternate_url: The address for users whose activation failed; empty to leave it as it is.
        discover: Whether clients look for KMS hosts in DNS; otherwise the first host of their site is fixed.
        lookup_domain: Whether clients look in their site's domain whatever their own is.
        suffixes: Whether clients get the suffix search list of their site.
        unverified: Whether values may be used that no page of Microsoft's has.
        architecture: Of the Windows that Unattend.xml is for.
        gpo: The name of the group policy object in commands.
    """

    host_caching: bool = False
    alternate_url: str = ""
    discover: bool = True
    lookup_domain: bool = False
    suffixes: bool = True
    unverified: bool = False
    architecture: str = "amd64"
    gpo: str = "KMS clients"

    def check(self) -> None:
        """Refuse what can't be written.

        Raises:
            ActivationError: The address is none, or there is no such architecture.
        """
        if self.alternate_url and _URL.fullmatch(self.alternate_url) is None:
            raise ActivationError(
                f"alternate_url is '{self.alternate_url}', which is no address such as https://contoso.com/help.", source="options"
            )
        if self.architecture not in ARCHITECTURES:
            raise ActivationError(f"architecture is '{self.architecture}', but has to be {', '.join(ARCHITECTURES)}.", source="options")


def policies(topology: Mapping[str, Any], wishes: PolicyWishes) -> dict[str, dict[str, Any]]:
    """For each site, the policy of its clients, as the filter C(client_policy) documents it.

    Args:
        topology: The result of C(kms_topology).
        wishes: What is wanted beyond it.

    Raises:
        ActivationError: A wish can't be written.
    """
    wishes.check()
    found = {name: _policy(topology, name, wishes) for name in topology["sites"]}
    if wishes.alternate_url and len(_reg_add(_url_value(wishes))) > LONGEST_COMMAND:
        raise ActivationError(
            f"alternate_url is too long for Windows Setup, whose commands have at most {LONGEST_COMMAND} characters.", source="options"
        )
    return found


def _policy(topology: Mapping[str, Any], site: str, wishes: PolicyWishes) -> dict[str, Any]:
    suffixes: list[str] = list(topology["sites"][site]["dns_suffixes"]) if wishes.suffixes else []
    values = [*_platform_values(topology, site, wishes), *_suffix_values(suffixes)]
    commands = list(_commands(topology, site, wishes))
    return {
        "reg": reg_text(values),
        "gpo": [_preference(value) for value in values],
        "powershell": [_cmdlet(value, wishes.gpo) for value in values],
        "commands": [{"command": command.line, "reason": command.reason} for command in commands],
        # Setup has a setting for the search list, so that its value is not written past it.
        "unattend": unattend_text(
            suffixes,
            [*map(_reg_add, _platform_values(topology, site, wishes)), *(command.line for command in commands)],
            wishes.architecture,
        ),
    }


def _platform_values(topology: Mapping[str, Any], site: str, wishes: PolicyWishes) -> Iterator[Value]:
    host, port = (None, None) if wishes.discover else _first_host(topology, site)
    yield Value(PLATFORM_KEY, "KeyManagementServiceName", REG_SZ, host)
    # The port is text there, too.
    yield Value(PLATFORM_KEY, "KeyManagementServicePort", REG_SZ, port)
    if wishes.unverified:
        yield Value(PLATFORM_KEY, "DisableKeyManagementServiceHostCaching", REG_DWORD, int(not wishes.host_caching), verified=False)
    if wishes.alternate_url:
        yield _url_value(wishes)


def _url_value(wishes: PolicyWishes) -> Value:
    return Value(ACTIVATION_KEY, "AlternateURL", REG_SZ, wishes.alternate_url)


def _suffix_values(suffixes: Sequence[str]) -> Iterator[Value]:
    if suffixes:
        yield Value(POLICY_KEY, POLICY_VALUE, REG_SZ, ",".join(suffixes))


def _commands(topology: Mapping[str, Any], site: str, wishes: PolicyWishes) -> Iterator[Command]:
    if not wishes.unverified:
        disable = "$false" if wishes.host_caching else "$true"
        yield Command(
            _call(f"DisableKeyManagementServiceHostCaching({disable})"),
            "Microsoft documents no registry value for host caching. It is what slmgr.vbs /ckhc and /skhc call.",
        )
    if wishes.lookup_domain:
        domain = topology["sites"][site]["domain"]
        yield Command(
            _call(f"SetKeyManagementServiceLookupDomain('{domain}')"),
            "Microsoft documents no registry value for the lookup domain. It is what slmgr.vbs /skms-domain calls.",
        )


def _call(method: str) -> str:
    # Get-WmiObject is in every Windows PowerShell from 2 to 5.1, which is what powershell.exe starts.
    return f'powershell.exe -NoProfile -Command "(Get-WmiObject SoftwareLicensingService).{method}"'


def _first_host(topology: Mapping[str, Any], site: str) -> tuple[str, str]:
    """The host that most clients of a site try first."""
    first = max(topology["orders"][site][0]["hosts"], key=lambda host: host["share"])
    return str(first["target"]), str(first["port"])


def reg_text(values: Sequence[Value]) -> str:
    """A file for the registry editor, with the line ends of Windows; it has to be written as UTF-16 with its mark."""
    lines = ["Windows Registry Editor Version 5.00"]
    for key in dict.fromkeys(value.key for value in values):
        lines += ["", rf"[HKEY_LOCAL_MACHINE\{key}]"]
        lines += [f'"{value.name}"={_reg_data(value)}' for value in values if value.key == key]
    return "\r\n".join([*lines, "", ""])


def _reg_data(value: Value) -> str:
    if value.data is None:
        return "-"
    if value.kind == REG_DWORD:
        return f"dword:{int(value.data):08x}"
    escaped = str(value.data).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _preference(value: Value) -> dict[str, Any]:
    """A registry item as Group Policy Preferences have it."""
    return {
        "action": "delete" if value.data is None else "update",
        "hive": "HKEY_LOCAL_MACHINE",
        "key": value.key,
        "name": value.name,
        "type": value.kind,
        "value": value.data,
        "verified": value.verified,
    }


def _cmdlet(value: Value, gpo: str) -> str:
    """The command of the GroupPolicy module; what lies below Policies is a policy of its own and no preference."""
    place = rf"-Name {_quoted(gpo)}"
    named = rf"-Key 'HKLM\{value.key}' -ValueName {_quoted(value.name)}"
    data = (
        "" if value.data is None else f" -Type {_TYPES[value.kind]} -Value {value.data if value.kind == REG_DWORD else _quoted(value.data)}"
    )
    if value.key.startswith(r"SOFTWARE\Policies"):
        return f"Set-GPRegistryValue {place} {named}{data}"
    return f"Set-GPPrefRegistryValue {place} -Context Computer -Action {'Delete' if value.data is None else 'Update'} {named}{data}"


def _quoted(text: object) -> str:
    return "'" + str(text).replace("'", "''") + "'"


def _reg_add(value: Value) -> str:
    path = rf'"HKLM\{value.key}" /v {value.name}'
    if value.data is None:
        # A value that is not there is no error of Setup.
        return f'cmd.exe /c "reg.exe delete {path} /f || exit /b 0"'
    return f"reg.exe add {path} /t {value.kind} /d {value.data if value.kind == REG_DWORD else _argument(value.data)} /f"


def _argument(text: object) -> str:
    return f'"{text}"'
