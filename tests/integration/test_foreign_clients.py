# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab serves clients that others wrote: pypsrp's own calls over NTLM with message encryption, and Debian's wsl over Basic and TLS.

wsl ("Wsman Shell Command Line") is shell scripts around curl and xmllint, made for servers that are no Windows.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.wsman import SelectorSet, WSMan

from lab import inventory, names
from lab.drift import FIREWALL_RULE_KEYS
from lab.windows.data import key_named

from .conftest import Lab

pytestmark = pytest.mark.tier("soak")

N = "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
W = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
CIMV2 = f"{WMI}/root/cimv2"
SERVICE = f"{CIMV2}/SoftwareLicensingService"
REGISTRY = f"{CIMV2}/StdRegProv"
RULE = f"{WMI}/root/StandardCimv2/MSFT_NetFirewallRule"
HKLM = "2147483650"
CURRENT_VERSION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
KMS = names.kms_hosts()[0]
WRONG_KEY = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"


@pytest.fixture(scope="module", autouse=True)
def lab(running_lab: Lab) -> Lab:
    running_lab.control.reset()
    return running_lab


def local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def texts(parent: ET.Element) -> dict[str, str | None]:
    return {local(child): child.text for child in parent}


def find(root: ET.Element, name: str) -> list[ET.Element]:
    return [element for element in root.iter() if local(element) == name]


def chosen(**keys: str) -> SelectorSet:
    selectors = SelectorSet()
    for name, value in keys.items():
        selectors.add_option(name, value)
    return selectors


def input_of(uri: str, method: str, **arguments: str | list[str]) -> ET.Element:
    body = ET.Element(f"{{{uri}}}{method}_INPUT")
    for name, value in arguments.items():
        for text in [value] if isinstance(value, str) else value:
            ET.SubElement(body, f"{{{uri}}}{name}").text = text
    return body


def rows(client: WSMan, query: str) -> list[ET.Element]:
    body = ET.Element(f"{{{N}}}Enumerate")
    ET.SubElement(body, f"{{{W}}}OptimizeEnumeration")
    ET.SubElement(body, f"{{{W}}}MaxElements").text = "3"
    ET.SubElement(body, f"{{{W}}}Filter", Dialect=WQL).text = query
    (answer,) = client.enumerate(f"{CIMV2}/*", body)
    found = list(answer.find(f"{{{W}}}Items") or ())
    while answer.find(f"{{{W}}}EndOfSequence") is None and answer.find(f"{{{N}}}EndOfSequence") is None:
        pull = ET.Element(f"{{{N}}}Pull")
        ET.SubElement(pull, f"{{{N}}}EnumerationContext").text = answer.findtext(f"{{{N}}}EnumerationContext")
        ET.SubElement(pull, f"{{{N}}}MaxElements").text = "3"
        (answer,) = client.pull(f"{CIMV2}/*", pull)
        found += list(answer.find(f"{{{N}}}Items") or ())
    return found


@pytest.fixture
def pypsrp() -> Iterator[WSMan]:
    client = WSMan(
        KMS.address,
        port=inventory.HTTP_PORT,
        ssl=False,
        auth="ntlm",
        encryption="always",
        username=f"{names.NETBIOS_DOMAIN}\\{names.WINRM_USER}",
        password=names.WINRM_PASSWORD,
    )
    with client:
        yield client


def test_pypsrp_enumerates_and_pulls(pypsrp: WSMan, lab: Lab):
    before = len(lab.requests())
    found = [texts(row) for row in rows(pypsrp, "select Name, State from Win32_Service")]
    assert {"Name": "sppsvc", "State": "Running"} in found or {"Name": "sppsvc", "State": "Stopped"} in found
    seen = lab.requests()[before:]
    assert [entry["action"] for entry in seen[:2]] == ["Enumerate", "Pull"]
    assert all(entry["encrypted"] and entry["authentication"] == "ntlm" for entry in seen)


def test_pypsrp_gets_and_puts_a_firewall_rule(pypsrp: WSMan):
    selectors = chosen(**FIREWALL_RULE_KEYS)
    (before,) = pypsrp.get(RULE, selector_set=selectors)
    assert texts(before)["Enabled"] == "2"
    change = ET.Element(f"{{{RULE}}}MSFT_NetFirewallRule")
    ET.SubElement(change, f"{{{RULE}}}Enabled").text = "1"
    pypsrp.put(RULE, change, selector_set=selectors)
    (after,) = pypsrp.get(RULE, selector_set=selectors)
    assert {**texts(after), "Enabled": "2"} == texts(before)


def test_pypsrp_invokes_static_methods_with_arrays(pypsrp: WSMan):
    place = {"hDefKey": HKLM, "sSubKeyName": r"SOFTWARE\Acme"}
    calls: list[tuple[str, dict[str, str | list[str]]]] = [
        ("CreateKey", {**place}),
        ("SetMultiStringValue", {**place, "sValueName": "List", "sValue": ["one", "<two> & ä"]}),
        ("SetQWORDValue", {**place, "sValueName": "Big", "uValue": str(2**64 - 1)}),
        ("SetBinaryValue", {**place, "sValueName": "Raw", "uValue": ["0", "171", "255"]}),
    ]
    for method, arguments in calls:
        answer = pypsrp.invoke(f"{REGISTRY}/{method}", REGISTRY, input_of(REGISTRY, method, **arguments))
        assert [value.text for value in find(answer, "ReturnValue")] == ["0"]
    for method, name, value in (
        ("GetMultiStringValue", "List", ["one", "<two> & ä"]),
        ("GetQWORDValue", "Big", [str(2**64 - 1)]),
        ("GetBinaryValue", "Raw", ["0", "171", "255"]),
    ):
        answer = pypsrp.invoke(f"{REGISTRY}/{method}", REGISTRY, input_of(REGISTRY, method, **place, sValueName=name))
        assert [found.text for found in find(answer, "sValue") + find(answer, "uValue")] == value


def test_pypsrp_invokes_the_licensing_service(pypsrp: WSMan):
    version = str(texts(rows(pypsrp, "select Version from SoftwareLicensingService")[0])["Version"])
    body = input_of(SERVICE, "InstallProductKey", ProductKey=key_named("csvlk_2022").key)
    answer = pypsrp.invoke(f"{SERVICE}/InstallProductKey", SERVICE, body, selector_set=chosen(Version=version))
    assert [value.text for value in find(answer, "ReturnValue")] == ["0"]
    (service,) = pypsrp.get(SERVICE, selector_set=chosen(Version=version))
    assert texts(service)["IsKeyManagementServiceMachine"] == "1"


def test_pypsrp_raises_its_own_error_for_a_fault(pypsrp: WSMan):
    with pytest.raises(WSManFaultError) as caught:
        pypsrp.enumerate(f"{CIMV2}/Win32_Service", ET.Element(f"{{{N}}}Enumerate"), selector_set=chosen(Name="sppsvc"))
    assert caught.value.code == 0x80338108


@dataclass(frozen=True)
class Wsl:
    """The scripts of wsl in a folder of their own, where they keep their requests and answers."""

    folder: Path
    environment: dict[str, str]

    def run(self, *command: str) -> tuple[int, ET.Element]:
        """The exit code and the last answer."""
        done = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False)
        answer = self.folder / "response.xml"
        assert answer.exists() and answer.stat().st_size, done.stdout + done.stderr
        return done.returncode, ET.parse(answer).getroot()

    def answers(self) -> list[ET.Element]:
        """All answers of the last command, one for each page."""
        found = sorted(self.folder.glob("response-*.xml"), key=lambda path: int(re.sub(r"\D", "", path.name)))
        return [ET.parse(path).getroot() for path in found]


@pytest.fixture
def wsl(lab: Lab, tmp_path: Path) -> Wsl:
    if shutil.which("wslinvoke") is None:
        pytest.skip("Debian's package wsl is not installed")
    endpoint = f"{KMS.address}:{inventory.HTTPS_PORT}"
    # It trusts a certificate of this name beside it; without one it would not look at the server's at all.
    shutil.copy(lab.layout.tls / "ca.pem", tmp_path / f"{endpoint}.crt")
    # It needs uuidgen, which its package does not bring along.
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "uuidgen").write_text("#!/bin/sh\ncat /proc/sys/kernel/random/uuid\n", encoding="ascii")
    (tools / "uuidgen").chmod(0o755)
    return Wsl(
        tmp_path,
        {
            "HOME": str(tmp_path),
            "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "LC_ALL": "C.UTF-8",
            "WSENDPOINT": endpoint,
            "WSUSER": names.LOCAL_ADMIN,
            "WSPASS": names.LOCAL_ADMIN_PASSWORD,
        },
    )


def test_wsl_identifies(wsl: Wsl):
    _code, answer = wsl.run("wslid", "check")
    assert [item.text for item in find(answer, "ProductVendor")] == ["Microsoft Corporation"]


def test_wsl_enumerates_by_wql_over_several_pages(wsl: Wsl, lab: Lab):
    before = len(lab.requests())
    code, _last = wsl.run("wslenum", f"{CIMV2}/*", "-dialect", WQL, "-filter", "select Name from Win32_Service", "-opti", "2")
    assert code == 0
    assert "sppsvc" in [name.text for answer in wsl.answers() for name in find(answer, "Name")]
    seen = lab.requests()[before:]
    assert [entry["action"] for entry in seen] == ["Enumerate", *["Pull"] * (len(seen) - 1)]
    assert {(entry["authentication"], entry["encrypted"]) for entry in seen} == {("basic", False)}


def test_wsl_enumerates_a_class_with_references(wsl: Wsl):
    # With a namespace selector beside the URI, as servers other than Windows need it.
    code, _last = wsl.run("wslenum", f"{CIMV2}/Win32_ComputerSystem", "-mode", "objepr", "-ns", "root/cimv2")
    assert code == 0
    (item,) = [item for answer in wsl.answers() for item in find(answer, "Item")]
    (selector,) = find(item, "Selector")
    assert (selector.get("Name"), str(selector.text).lower()) == ("Name", KMS.netbios.lower())


def test_wsl_gets_an_instance(wsl: Wsl):
    code, answer = wsl.run("wslget", f"{CIMV2}/Win32_Service", "Name=sppsvc")
    assert code == 0
    assert [name.text for name in find(answer, "Name")] == ["sppsvc"]


def test_wsl_gets_a_fault_for_an_instance_that_is_not_there(wsl: Wsl):
    code, answer = wsl.run("wslget", f"{CIMV2}/Win32_Service", "Name=none")
    assert code != 0
    (fault,) = find(answer, "Fault")
    everything = ET.tostring(fault, encoding="unicode")
    assert re.search(r"2150858752|2147749890", everything)


def reference_file(wsl: Wsl, uri: str, **keys: str) -> str:
    """A reference for wslinvoke, which needs a selector at least.

    One that it finds itself it would send back with the server's prefixes and without their declarations.
    """
    selectors = "\n".join(f'<wsman:Selector Name="{name}">{value}</wsman:Selector>' for name, value in keys.items())
    text = f"<wsman:ResourceURI>{uri}</wsman:ResourceURI>\n<wsman:SelectorSet>\n{selectors}\n</wsman:SelectorSet>"
    (wsl.folder / "reference.xml").write_text(f"<a:ReferenceParameters>\n{text}\n</a:ReferenceParameters>\n", encoding="utf-8")
    return "reference.xml"


def licensing_service(wsl: Wsl) -> str:
    """A reference to the one instance of SoftwareLicensingService, by the selectors that the host names."""
    code, _last = wsl.run("wslenum", SERVICE, "-mode", "epr")
    assert code == 0
    (selector,) = [selector for answer in wsl.answers() for selector in find(answer, "Selector")]
    return reference_file(wsl, SERVICE, **{str(selector.get("Name")): str(selector.text)})


def test_wsl_invokes_a_method_of_an_instance(wsl: Wsl):
    code, answer = wsl.run("wslinvoke", SERVICE, "RefreshLicenseStatus", "-inst", licensing_service(wsl))
    assert code == 0
    assert [value.text for value in find(answer, "ReturnValue")] == ["0"]


def test_wsl_invokes_a_static_method(wsl: Wsl):
    reference = reference_file(wsl, REGISTRY, __cimnamespace="root/cimv2")
    arguments = (f"hDefKey={HKLM}", f"sSubKeyName={CURRENT_VERSION}", "sValueName=CurrentBuild")
    code, answer = wsl.run("wslinvoke", REGISTRY, "GetStringValue", "-inst", reference, *arguments)
    assert code == 0
    assert [value.text for value in find(answer, "ReturnValue") + find(answer, "sValue")] == ["0", "20348"]


def test_wsl_gets_the_fault_of_a_method_that_fails(wsl: Wsl):
    command = ("wslinvoke", SERVICE, "InstallProductKey", f"ProductKey={WRONG_KEY}", "-inst", licensing_service(wsl))
    _code, answer = wsl.run(*command)
    # The host's seed decides whether it is a fault or a ReturnValue; the code is in either.
    assert re.search(r"3221549136|0xc004f050", ET.tostring(answer, encoding="unicode"), re.IGNORECASE)
