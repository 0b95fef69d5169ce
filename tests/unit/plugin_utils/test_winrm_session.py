# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session is like: a refusal is a finding, and only a host that can't be reached is an error."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.remoting import winrm_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman import namespaces as ns
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.carrier import HttpError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.service import Identity, parse_config, parse_identity
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import Session, UnknownOutcome
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.transport import CarrierFacts, describe_carrier

pytestmark = pytest.mark.tier("quick")

DENIED = (
    "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:AccessDenied</s:Value></s:Subcode></s:Code><s:Reason/>"
    f'<s:Detail><f:WSManFault xmlns:f="{ns.WSMAN_FAULT}" Code="5"/></s:Detail></s:Fault>'
)
IDENTITY = (
    f'<i:IdentifyResponse xmlns:i="{ns.IDENTITY}"><i:ProductVendor>Microsoft Corporation</i:ProductVendor>'
    "<i:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse>"
)
CONFIG = (
    f'<c:Config xmlns:c="{ns.CONFIG}"><c:MaxEnvelopeSizekb>500</c:MaxEnvelopeSizekb><c:MaxTimeoutms>60000</c:MaxTimeoutms>'
    "<c:Client><c:AllowUnencrypted>true</c:AllowUnencrypted><c:Auth><c:Digest>true</c:Digest></c:Auth></c:Client><c:Service>"
    '<c:MaxConcurrentOperationsPerUser>1500</c:MaxConcurrentOperationsPerUser><c:AllowUnencrypted Source="GPO">false</c:AllowUnencrypted>'
    "<c:Auth><c:Basic>false</c:Basic><c:Kerberos>true</c:Kerberos><c:Negotiate>true</c:Negotiate>"
    "<c:CbtHardeningLevel>Relaxed</c:CbtHardeningLevel></c:Auth></c:Service></c:Config>"
)
RULE = (
    f'<p:MSFT_NetFirewallRule xmlns:p="{ns.WMI}/root/standardcimv2/MSFT_NetFirewallRule"><p:Enabled>1</p:Enabled></p:MSFT_NetFirewallRule>'
)
REGISTRY = f'<p:GetStringValue_OUTPUT xmlns:p="{ns.WMI}/root/cimv2/StdRegProv"><p:ReturnValue>2</p:ReturnValue></p:GetStringValue_OUTPUT>'
FACTS = CarrierFacts("psrp", "http://kms-1:5985/wsman", "negotiate", "message", "svc")


def rows(**values: str) -> str:
    properties = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    return f"<n:EnumerateResponse><w:Items><w:XmlFragment>{properties}</w:XmlFragment></w:Items><w:EndOfSequence/></n:EnumerateResponse>"


def operating_system(ahead: float = 0.0) -> str:
    now = (datetime.now(UTC) + timedelta(seconds=ahead)).isoformat()
    return rows(
        Caption="Microsoft Windows Server 2022 Standard",
        Version="10.0.20348",
        BuildNumber="20348",
        ProductType="3",
        CSName="KMS-1",
        LocalDateTime=f"<Datetime>{now}</Datetime>",
        LastBootUpTime="<Datetime>2026-01-01T00:00:00Z</Datetime>",
    )


class Host:
    """A carrier that answers by what a request is about; C(answers) overrides one subject."""

    endpoint = "http://kms-1:5985/wsman"

    def __init__(self, **answers: str | Exception | Callable[[], str]) -> None:
        self.answers = {
            "identify": IDENTITY,
            "Win32_OperatingSystem": operating_system,
            "SoftwareLicensingService": rows(Version="10.0.20348.1"),
            "SoftwareLicensingProduct": "<n:EnumerateResponse><w:EndOfSequence/></n:EnumerateResponse>",
            "StdRegProv": REGISTRY,
            "MSFT_NetFirewallRule": RULE,
            "config": CONFIG,
            **answers,
        }
        self.asked: list[str] = []

    def send(self, message: bytes) -> bytes:
        text = message.decode()
        subject = "identify" if "Identify" in text else next(name for name in self.answers if re.search(rf"{name}\b", text))
        self.asked.append(subject)
        answer = self.answers[subject]
        if isinstance(answer, Exception):
            raise answer
        message_id = re.search("<a:MessageID>(.*?)</a:MessageID>", text)
        relates_to = f"<a:RelatesTo>{message_id[1]}</a:RelatesTo>" if message_id else ""
        return (
            f'<s:Envelope xmlns:s="{ns.SOAP}" xmlns:a="{ns.ADDRESSING}" xmlns:n="{ns.ENUMERATION}" xmlns:w="{ns.WSMAN}">'
            f"<s:Header>{relates_to}</s:Header><s:Body>{answer() if callable(answer) else answer}</s:Body></s:Envelope>"
        ).encode()

    def reconnect(self) -> None:
        pass

    def close(self) -> None:
        pass


def inspect(host: Host) -> dict:
    return winrm_session.inspect_session(Session(host, "kms-1"), lambda: FACTS, "2.19.14")


def test_everything_that_may_be_read_is_shown():
    host = Host()
    result = inspect(host)
    assert {key: result["versions"][key] for key in ("ansible_core", "windows", "windows_name", "winrm", "winrm_product")} == {
        "ansible_core": "2.19.14",
        "windows": "10.0.20348",
        "windows_name": "Microsoft Windows Server 2022 Standard",
        "winrm": "3.0",
        "winrm_product": "OS: 10.0.20348 SP: 0.0 Stack: 3.0",
    }
    assert re.fullmatch(r"\d+\.\d+\.\d+", result["versions"]["requests"])
    assert (result["connection"], result["authentication"], result["encryption"]) == ("psrp", "negotiate", "message")
    assert set(result["rights"].values()) == {"granted"}
    assert result["limits"] == {
        "max_envelope_size_kb": 500,
        "max_timeout_ms": 60000,
        "max_batch_items": None,
        "max_concurrent_operations_per_user": 1500,
        "allow_unencrypted": False,
        "authentication": ["Kerberos", "Negotiate"],
    }
    assert 0 <= result["round_trip_ms"] < 1000
    assert abs(result["clock_skew"]) < 1
    assert len(host.asked) <= 12


@pytest.mark.parametrize("ahead", [400.0, -7200.0])
def test_the_skew_is_how_far_the_host_is_ahead(ahead: float):
    assert inspect(Host(Win32_OperatingSystem=lambda: operating_system(ahead)))["clock_skew"] == pytest.approx(ahead, abs=1)


def test_a_clock_that_the_host_does_not_name_is_no_skew():
    assert inspect(Host(Win32_OperatingSystem=rows(Caption="x", Version="10.0.20348", ProductType="3")))["clock_skew"] is None


@pytest.mark.parametrize(
    ("subject", "right"),
    [
        ("Win32_OperatingSystem", "wmi"),
        ("SoftwareLicensingService", "licensing"),
        ("StdRegProv", "registry"),
        ("MSFT_NetFirewallRule", "firewall"),
        ("config", "winrm_config"),
    ],
)
@pytest.mark.parametrize(
    "refusal", [DENIED, HttpError("kms-1: HTTP 403", 403), UnknownOutcome("the connection broke"), ActivationError("kms-1: not that")]
)
def test_a_refusal_is_told_and_the_rest_goes_on(subject: str, right: str, refusal: str | Exception):
    result = inspect(Host(**{subject: refusal}))
    assert [name for name, answer in result["rights"].items() if answer != "granted"] == [right]
    assert ("0x80070005" if refusal == DENIED else str(refusal)) in result["rights"][right]
    assert (result["limits"] is None) == (right == "winrm_config")
    assert (result["clock_skew"] is None) == (right == "wmi")
    # Identify names the version as well.
    assert result["versions"]["windows"] == "10.0.20348"


def test_a_registry_that_denies_is_not_granted():
    denied = REGISTRY.replace(">2<", ">5<")
    assert "ERROR_ACCESS_DENIED" in inspect(Host(StdRegProv=denied))["rights"]["registry"]


def test_a_service_that_does_not_identify_itself_still_has_a_round_trip():
    result = inspect(Host(identify=DENIED))
    assert (result["versions"]["winrm"], result["versions"]["windows"]) == (None, "10.0.20348")
    assert "0x80070005" in result["versions"]["winrm_product"]
    assert result["round_trip_ms"] >= 0


@pytest.mark.parametrize("subject", ["identify", "config", "Win32_OperatingSystem"])
def test_a_host_that_can_not_be_reached_is_an_error(subject: str):
    with pytest.raises(ActivationError, match="does not answer"):
        inspect(Host(**{subject: ActivationError("kms-1 does not answer", unreachable=True)}))


@pytest.mark.parametrize("subject", ["Win32_OperatingSystem", "SoftwareLicensingProduct", "SoftwareLicensingService"])
def test_a_recording_is_made_also_where_the_licensing_state_can_not_be_read(subject: str):
    winrm_session.read_for_recording(Session(Host(**{subject: DENIED}), "kms-1"))


@pytest.mark.parametrize(
    ("product", "os_version", "winrm_version"),
    [
        ("OS: 6.1.7601 SP: 1.0 Stack: 2.0", "6.1.7601", "2.0"),
        ("OS: 0.0.0 SP: 0.0 Stack: 3.0", "", "3.0"),
        ("OS:6.0.6002 Stack:1.1", "6.0.6002", "1.1"),
        ("something else", "", ""),
    ],
)
def test_the_product_version_is_taken_apart(product: str, os_version: str, winrm_version: str):
    identity = Identity("Microsoft Corporation", product)
    assert (identity.os_version, identity.winrm_version) == (os_version, winrm_version)


@pytest.mark.parametrize("parse", [parse_identity, parse_config])
@pytest.mark.parametrize("content", [None, ET.Element("Other")])
def test_another_answer_is_refused(parse: Callable[[ET.Element | None], object], content: ET.Element | None):
    with pytest.raises(ActivationError):
        parse(content)


def test_settings_that_are_absent_or_odd_are_none():
    config = parse_config(ET.fromstring("<Config><MaxTimeoutms>²</MaxTimeoutms><Service><AllowUnencrypted/></Service></Config>"))
    assert (config.max_timeout_ms, config.max_envelope_size_kb, config.allow_unencrypted, config.authentication) == (None, None, None, ())


def test_a_carrier_of_no_connection_plugin_is_not_described():
    with pytest.raises(ActivationError, match="Host is not one of a connection plugin"):
        describe_carrier(Host())
