# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Canned answers: what recorded hosts said, put together anew for whatever columns of it are asked for.

Three kinds of hosts answer:

- C(recorded): the recorded hosts as they are, a KMS host and a client by turns.
- C(kms_client): the recorded client, licensed by KMS and set up as the sites of C(scale.inventory) have it.
- C(mak_client): the recorded client, licensed with the MAK of C(scale.inventory).

For the last two some columns of the recorded answers have other values, which are in this file; nobody recorded them. Classes that no
recording has asked for are rows of this file in the recorded envelope of a query, or in that of a Get; values of the registry are in the
recorded envelope of StdRegProv.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).resolve().parents[1] / "unit" / "recordings"
DOMAIN = "east.scale.invalid"
MAK = "BCDFG-HJKMP-QRTVW-XY234-6789N"
KINDS = ("recorded", "kms_client", "mak_client")

QUERY = re.compile(rb">\s*select\s+([^<]+?)\s+from\s+(\w+)", re.IGNORECASE)
MESSAGE_ID = re.compile(rb"MessageID>\s*([^<\s]+)\s*<")
_FRAGMENT = re.compile(rb"(<\w+:XmlFragment[^>]*>)(.*?)(</\w+:XmlFragment>)", re.DOTALL)
_ELEMENT = re.compile(rb"<(\w+)(?:\s[^<>]*)?(?:/>|>.*?</\1>)", re.DOTALL)
RELATES_TO = re.compile(rb"(RelatesTo>)[^<]*(<)")
_REGISTRY = re.compile(rb"StdRegProv/GetStringValue<.*?:sSubKeyName>([^<]*)<.*?:sValueName>([^<]*)<", re.DOTALL)
_GET = re.compile(rb"/(\w+)</w:ResourceURI>.*?(transfer/Get)<", re.DOTALL)
_GOTTEN = re.compile(rb"<p:(\w+) [^>]*>.*</p:\1>", re.DOTALL)
_VALUE = re.compile(rb"<p:sValue xsi:nil=\"true\"/><p:ReturnValue>1<")
# What stands in a row for the number of the host.
NUMBER = b"@NUMBER@"

_TCPIP = "SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters"
# StdRegProv answers 2 where the key is missing, as that of a policy is without one; Windows makes the other only when it needs it.
_POLICY = "SOFTWARE\\Policies\\Microsoft\\Windows NT\\DNSClient"
_ACTIVATION = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SoftwareProtectionPlatform\\Activation"
# StdRegProv answers 2 where the key is missing, as it is without a policy, and as long as Windows has not needed the other one.
_NO_KEY = 2


@dataclass(frozen=True)
class Kind:
    """What a host answers otherwise than the recorded one.

    Attributes:
        rows: By class the columns with other values.
        gets: The same for what is asked for by Get, with all columns that there are.
        registry: By key and name the values of the registry; C(None) for a key that is not there.
    """

    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    gets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    registry: Mapping[tuple[str, str], str | None] = field(default_factory=dict)


_SERVICE = {"ClientMachineID": "00000000-0000-4000-8000-@NUMBER@", "KeyManagementServiceHostCaching": "false"}
_SYSTEM = {"DNSHostName": "host1", "Domain": DOMAIN, "PartOfDomain": "true"}
_LICENSED = {"LicenseStatus": "1", "LicenseStatusReason": "0"}
_BY_KMS = {**_LICENSED, "GracePeriodRemaining": "259200"}
_BY_MAK = {
    **_LICENSED,
    "GracePeriodRemaining": "0",
    "Description": "Windows(R) Operating System, VOLUME_MAK channel",
    "ProductKeyChannel": "Volume:MAK",
    "PartialProductKey": MAK[-5:],
    "ProductKeyID": "03612-03308-000-000000-03-1033-22621.0000-3282026",
}
_KMS_CLIENT = Kind(
    {"SoftwareLicensingProduct": _BY_KMS, "SoftwareLicensingService": _SERVICE, "Win32_ComputerSystem": _SYSTEM},
    registry={
        (_TCPIP, "Domain"): DOMAIN,
        (_TCPIP, "SearchList"): DOMAIN,
        (_POLICY, "SearchList"): None,
        (_ACTIVATION, "AlternateURL"): None,
    },
)
_MAK_CLIENT = Kind(
    {"SoftwareLicensingProduct": _BY_MAK, "SoftwareLicensingService": _SERVICE},
    {"Win32_Service": {"Name": "WinRM", "ProcessId": "1234", "StartMode": "Auto", "State": "Running"}},
)


@dataclass(frozen=True)
class _Instance:
    before: bytes
    after: bytes
    elements: dict[bytes, bytes]


class Host:
    """Answers as a recorded host did; an answer is made once for each query.

    Args:
        recording: The file.
        kind: What it answers otherwise.
    """

    def __init__(self, recording: Path, kind: Kind | None = None) -> None:
        self._instances: dict[bytes, _Instance] = {}
        self._made: dict[tuple[bytes, bytes], tuple[bytes, bytes]] = {}
        self._kind = kind or Kind()
        self._registry = self._get = b""
        for exchange in json.loads(recording.read_text(encoding="utf-8"))["exchanges"]:
            self._learn(exchange)
        for of, row in self._kind.rows.items():
            known = self._instances.get(of.lower().encode()) or next(iter(self._instances.values()))
            elements = {name.lower().encode(): f"<{name}>{value}</{name}>".encode() for name, value in row.items()}
            kept = known.elements if of.lower().encode() in self._instances else {}
            self._instances[of.lower().encode()] = _Instance(known.before, known.after, {**kept, **elements})

    def _learn(self, exchange: Mapping[str, Any]) -> None:
        request, answer = exchange["request"].encode(), exchange.get("answer", "").encode()
        asked, found = QUERY.search(request), _FRAGMENT.search(answer)
        if asked and found:
            elements = {element[1].lower(): element[0] for element in _ELEMENT.finditer(found[2])}
            known = self._instances.get(asked[2].lower())
            if known is None or len(known.elements) < len(elements):
                self._instances[asked[2].lower()] = _Instance(answer[: found.end(1)], answer[found.start(3) :], elements)
        elif _REGISTRY.search(request) and _VALUE.search(answer):
            self._registry = answer
        elif _GET.search(request) and b"MSFT_NetFirewallRule" in request:
            self._get = answer

    def answer(self, request: bytes, number: int = 0) -> bytes | None:
        """The answer to a request; None to one that nothing is known about.

        Args:
            request: The envelope.
            number: That of the host, which some of its answers have in them.
        """
        asked = QUERY.search(request) or _REGISTRY.search(request) or _GET.search(request)
        message_id = MESSAGE_ID.search(request)
        if asked is None or message_id is None:
            return None
        key = asked[1], asked[2]
        if key not in self._made:
            whole = {QUERY: self._query_answer, _REGISTRY: self._registry_answer, _GET: self._get_answer}[asked.re](*key)
            if whole is None:
                return None
            place = RELATES_TO.search(whole)
            assert place is not None
            self._made[key] = whole[: place.end(1)], whole[place.start(2) :]
        start, end = self._made[key]
        return start + message_id[1] + end.replace(NUMBER, b"%012d" % number)

    def _query_answer(self, columns: bytes, of: bytes) -> bytes | None:
        instance = self._instances.get(of.lower())
        if instance is None:
            return None
        chosen = [instance.elements.get(column.strip().lower(), b"") for column in columns.split(b",")]
        return instance.before + b"".join(chosen) + instance.after

    def _get_answer(self, of: bytes, _action: bytes) -> bytes | None:
        row = self._kind.gets.get(of.decode())
        if row is None:
            return None
        elements = "".join(f"<p:{name}>{value}</p:{name}>" for name, value in row.items())
        uri = f"http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/{of.decode()}"
        return _GOTTEN.sub(f'<p:{of.decode()} xmlns:p="{uri}">{elements}</p:{of.decode()}>'.encode(), self._get, count=1)

    def _registry_answer(self, key: bytes, name: bytes) -> bytes | None:
        known = (key.decode(), name.decode())
        if known not in self._kind.registry or not self._registry:
            return None
        value = self._kind.registry[known]
        told = f'<p:sValue xsi:nil="true"/><p:ReturnValue>{_NO_KEY}<' if value is None else f"<p:sValue>{value}</p:sValue><p:ReturnValue>0<"
        return _VALUE.sub(told.encode(), self._registry, count=1)


def hosts(kind: str = "recorded") -> list[Host]:
    """The hosts of a kind, which answer by turns.

    Args:
        kind: One of C(KINDS).
    """
    if kind == "recorded":
        return [Host(path) for path in sorted(RECORDINGS.glob("modern_*.json"))]
    return [Host(RECORDINGS / "modern_client.json", {"kms_client": _KMS_CLIENT, "mak_client": _MAK_CLIENT}[kind])]


def address(number: int) -> str:
    """The address of a host; 62,500 to each second number, so that more than three million fit into 127.20.0.0 and up."""
    return f"127.{20 + number // 62_500}.{number // 250 % 250}.{number % 250 + 1}"


def number_of(shown: str) -> int:
    """Which host has an address."""
    _net, high, middle, low = map(int, shown.split("."))
    return (high - 20) * 62_500 + middle * 250 + low - 1
