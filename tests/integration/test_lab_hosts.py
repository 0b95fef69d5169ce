# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab, asked by foreign clients: pywinrm and pypsrp over the wire, none of the collection's code."""

from __future__ import annotations

import socket
import xml.etree.ElementTree as ET
from collections.abc import Mapping

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import SelectorSet, WSMan
from winrm.exceptions import InvalidCredentialsError
from winrm.protocol import Protocol

from lab import inventory, names
from lab.control import ControlError
from lab.drift import FIREWALL_RULE_KEYS
from lab.publication import identity_of
from lab.windows.data import key_named
from lab.witness import Srv

from .conftest import Lab, eventually

pytestmark = pytest.mark.tier("soak")

WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
KMS_1, KMS_2 = names.kms_hosts()
PC_1 = names.clients(1)[0]
WINDOWS = "55c92734-d682-4d71-983e-d6ec3f16059f"


@pytest.fixture(scope="module")
def lab(running_lab: Lab) -> Lab:
    running_lab.control.reset()
    return running_lab


@pytest.fixture(autouse=True)
def kerberos_configuration(running_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(running_lab.layout.krb5_conf))


class Client:
    """WMI of one host by pypsrp's WSMan, over NTLM with message encryption."""

    def __init__(self, machine: names.Machine) -> None:
        self._wsman = WSMan(
            machine.address,
            port=inventory.HTTP_PORT,
            ssl=False,
            auth="ntlm",
            username=f"{names.NETBIOS_DOMAIN}\\{names.WINRM_USER}",
            password=names.WINRM_PASSWORD,
        )

    def query(self, text: str) -> list[dict[str, str | None]]:
        """The instances of a WQL query, their text by property."""
        body = ET.Element(f"{{{ENUMERATION}}}Enumerate")
        query = ET.SubElement(body, f"{{{WSMAN}}}Filter", Dialect="http://schemas.microsoft.com/wbem/wsman/1/WQL")
        query.text = text
        answer = self._wsman.enumerate(f"{WMI}/root/cimv2/*", body)
        rows: list[dict[str, str | None]] = []
        while True:
            items = [item for parent in answer.iter() if _local(parent) == "Items" for item in parent]
            rows += [{_local(value): value.text for value in item} for item in items]
            contexts = [item.text for item in answer.iter() if _local(item) == "EnumerationContext" and item.text]
            if not contexts or any(_local(item) == "EndOfSequence" for item in answer.iter()):
                return rows
            pull = ET.Element(f"{{{ENUMERATION}}}Pull")
            ET.SubElement(pull, f"{{{ENUMERATION}}}EnumerationContext").text = contexts[0]
            ET.SubElement(pull, f"{{{ENUMERATION}}}MaxElements").text = "100"
            answer = self._wsman.pull(f"{WMI}/root/cimv2/*", pull)

    def invoke(
        self, name: str, method: str, selectors: Mapping[str, str], /, namespace: str = "root/cimv2", **arguments: str
    ) -> dict[str, str | None]:
        """The out parameters of a method."""
        uri = f"{WMI}/{namespace}/{name}"
        body = ET.Element(f"{{{uri}}}{method}_INPUT")
        for argument, value in arguments.items():
            ET.SubElement(body, f"{{{uri}}}{argument}").text = value
        chosen = SelectorSet()
        for selector, value in selectors.items():
            chosen.add_option(selector, value)
        answer = self._wsman.invoke(f"{uri}/{method}", uri, body, selector_set=chosen if selectors else None)
        return {_local(value): value.text for output in answer.iter() if _local(output) == f"{method}_OUTPUT" for value in output}

    def service(self, method: str, **arguments: str) -> None:
        """A method of SoftwareLicensingService."""
        (row,) = self.query("select Version from SoftwareLicensingService")
        self.invoke("SoftwareLicensingService", method, {"Version": str(row["Version"])}, **arguments)

    def product(self) -> dict[str, str | None]:
        """The product of Windows that has a key."""
        (row,) = self.query(
            "select ID, LicenseStatus, ProductKeyChannel from SoftwareLicensingProduct "
            f"where ApplicationID = '{WINDOWS}' and PartialProductKey is not null and LicenseIsAddon = false"
        )
        return row

    def activate(self) -> str | None:
        """Activate that product; the ReturnValue."""
        return self.invoke("SoftwareLicensingProduct", "Activate", {"ID": str(self.product()["ID"])})["ReturnValue"]


ENUMERATION = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def test_every_host_answers_and_knows_who_it_is(lab: Lab) -> None:
    for machine in lab.options.machines[::20]:
        (row,) = Client(machine).query("select DNSHostName, Domain from Win32_ComputerSystem")
        assert (str(row["DNSHostName"]).lower(), row["Domain"]) == (machine.label, names.ZONE)


def test_basic_over_tls_with_the_lab_s_authority(lab: Lab) -> None:
    protocol = Protocol(
        f"https://{PC_1.address}:{inventory.HTTPS_PORT}/wsman",
        transport="basic",
        username=names.LOCAL_ADMIN,
        password=names.LOCAL_ADMIN_PASSWORD,
        ca_trust_path=str(lab.layout.tls / "ca.pem"),
    )
    assert b"IdentifyResponse" in protocol.transport.send_message(IDENTIFY)


def test_a_wrong_password_is_refused() -> None:
    protocol = Protocol(
        f"http://{PC_1.address}:{inventory.HTTP_PORT}/wsman",
        transport="ntlm",
        username=f"{names.WINRM_USER}@{names.REALM}",
        password="wrong",
    )
    with pytest.raises(InvalidCredentialsError):
        protocol.transport.send_message(IDENTIFY)


IDENTIFY = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/'
    'wsmanidentity.xsd"><s:Header/><s:Body><i:Identify/></s:Body></s:Envelope>'
)


def test_kerberos_with_encryption() -> None:
    wsman = WSMan(
        PC_1.address,
        port=inventory.HTTP_PORT,
        ssl=False,
        auth="kerberos",
        username=f"{names.WINRM_USER}@{names.REALM}",
        password=names.WINRM_PASSWORD,
        negotiate_hostname_override=PC_1.fqdn,
    )
    assert b"IdentifyResponse" in wsman.transport.send(IDENTIFY.encode())


def make_kms_host(machine: names.Machine) -> None:
    client = Client(machine)
    client.service("InstallProductKey", ProductKey=key_named("csvlk_2022").key)
    client.activate()
    assert client.product()["LicenseStatus"] == "1"


def answers_1688(machine: names.Machine) -> bool:
    try:
        socket.create_connection((machine.address, 1688), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True


def test_the_story_of_two_kms_hosts_and_their_clients(lab: Lab) -> None:
    """The scenario by hand: what slmgr, AD Users and Computers and the firewall console would do."""
    lab.control.reset()
    witness, control = lab.witness, lab.control
    make_kms_host(KMS_1)
    assert eventually(lambda: witness.srv() == [Srv(0, 0, 1688, KMS_1.fqdn)])
    assert witness.record_owner() == KMS_1.account

    make_kms_host(KMS_2)
    assert eventually(lambda: [event[0] for event in control.host("kms-2")["events"] if event[0] in (12293, 12294)] == [12293])
    assert witness.srv() == [Srv(0, 0, 1688, KMS_1.fqdn)]

    witness.add_group(members=(KMS_1.account, KMS_2.account))
    witness.add_ace(f"(A;;RPWPLCLORCSDDT;;;{witness.sid(names.KMS_GROUP)})")
    windows = Client(KMS_2)
    restart_sppsvc(windows)
    assert eventually(lambda: [event[0] for event in control.host("kms-2")["events"] if event[0] in (12293, 12294)] == [12293, 12293])
    windows.invoke("Win32_Process", "Create", {}, CommandLine="klist.exe -li 0x3e4 purge")
    assert eventually(lambda: not windows.query("select ProcessId from Win32_Process where Name = 'klist.exe'"))
    restart_sppsvc(windows)
    assert eventually(lambda: len(witness.srv()) == 2)

    assert not answers_1688(KMS_1)
    for machine in (KMS_1, KMS_2):
        Client(machine).invoke("MSFT_NetFirewallRule", "Enable", FIREWALL_RULE_KEYS, namespace="root/StandardCimv2")
        assert answers_1688(machine)

    clients = [Client(machine) for machine in lab.options.machines if machine.role == "client"]
    refused = 0
    for client in clients:
        try:
            answer = str(client.activate())
        except WSManFaultError as error:
            # pypsrp's error has lost the provider's part; the answer itself is the error it came from.
            answer = str(error.__context__).lower()
        if answer != "0":
            refused += 1
            assert "c004f038" in answer or str(0xC004F038) in answer
    counts = [control.status()["kms"][machine.fqdn]["count"] for machine in (KMS_1, KMS_2)]
    assert sum(counts) == len(clients)
    assert refused == sum(min(count, 24) for count in counts)
    assert control.status()["licensed"] == len(clients) - refused


def restart_sppsvc(client: Client) -> None:
    client.invoke("Win32_Service", "StopService", {"Name": "sppsvc"})
    assert eventually(lambda: client.query("select State from Win32_Service where Name = 'sppsvc'")[0]["State"] == "Stopped")
    client.invoke("Win32_Service", "StartService", {"Name": "sppsvc"})


def test_drift_on_a_host_shows_in_its_wmi_and_reset_undoes_it(lab: Lab) -> None:
    lab.control.reset()
    make_kms_host(KMS_2)
    lab.control.drift("port_changed")
    lab.control.drift("publishing_disabled")
    (row,) = Client(KMS_2).query(
        "select KeyManagementServiceListeningPort, KeyManagementServiceDnsPublishing from SoftwareLicensingService"
    )
    assert row == {"KeyManagementServiceListeningPort": "1690", "KeyManagementServiceDnsPublishing": "false"}
    Client(KMS_2).invoke("MSFT_NetFirewallRule", "Enable", FIREWALL_RULE_KEYS, namespace="root/StandardCimv2")
    assert answers_1688(KMS_2)
    lab.control.drift("firewall_off")
    assert not answers_1688(KMS_2)
    lab.control.drift("key_replaced")
    assert lab.control.host("kms-2")["key"] == "csvlk_2022_second"

    lab.control.reset()
    assert lab.witness.srv() == []
    assert lab.control.host("kms-2")["key"] == "gvlk_server_2022_serverstandard"
    assert lab.requests() == []


def test_a_host_that_is_off_and_on_again(lab: Lab) -> None:
    client = Client(PC_1)
    client.query("select Name from Win32_ComputerSystem")
    lab.control.stop_host("pc-001")
    with pytest.raises(Exception, match="onnection"):
        client.query("select Name from Win32_ComputerSystem")
    assert lab.control.status()["hosts"]["stopped"] == ["pc-001"]
    lab.control.start_host("pc-001")
    assert Client(PC_1).query("select Name from Win32_ComputerSystem")


def test_a_restart_over_wmi_takes_the_host_away_and_brings_it_back(lab: Lab) -> None:
    Client(PC_1).invoke("Win32_OperatingSystem", "Reboot", {})
    assert eventually(lambda: lab.control.status()["hosts"]["stopped"] == ["pc-001"])
    assert eventually(lambda: lab.control.status()["hosts"]["stopped"] == [])
    assert Client(PC_1).query("select Name from Win32_ComputerSystem")


def test_an_injected_fault_hits_as_often_as_it_says(lab: Lab) -> None:
    client = Client(PC_1)
    lab.control.inject(host="pc-001*", action="Enumerate", query="Win32_Service", skip=1, times=1, hresult=0x80041001)
    text = "select State from Win32_Service where Name = 'sppsvc'"
    assert client.query(text)
    with pytest.raises(WSManFaultError):
        client.query(text)
    assert client.query(text)
    lab.control.clear_faults()


def test_unknown_commands_are_named(lab: Lab) -> None:
    with pytest.raises(ControlError, match="no drift nonsense"):
        lab.control.drift("nonsense")
    with pytest.raises(ControlError, match="no host pc-999"):
        lab.control.host("pc-999")


def test_the_machine_account_is_the_one_of_the_host() -> None:
    assert identity_of(KMS_1).account == "KMS_1$"
