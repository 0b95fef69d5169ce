# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings for clients that no WinRM reaches, read as the registry editor, Windows Setup and a simulated Windows read them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleFilterError
from declared_topologies import contoso, topologies
from hypothesis import given
from unit.lab.windows_fakes import FakeDomain, service_row

from ansible_collections.winops.volume_activation.plugins.filter.client_policy import client_policy
from ansible_collections.winops.volume_activation.plugins.filter.kms_topology import kms_topology
from lab.windows.registry import ValueType

pytestmark = pytest.mark.tier("quick")

PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
DNS_CLIENT = r"SOFTWARE\Policies\Microsoft\Windows NT\DNSClient"
HELP = "https://contoso.com/help"
COLLECTIONS = Path(__file__).resolve().parents[3] / "build/collections"
NAMES = {"u": "urn:schemas-microsoft-com:unattend"}
KEY_VALUE = "{http://schemas.microsoft.com/WMIConfig/2002/State}keyValue"

Registry = dict[tuple[str, str], Any]


def rendered(site: str = "east", **options: Any) -> dict[str, Any]:
    return client_policy(kms_topology(contoso()), **options)[site]


def imported(content: bytes) -> Registry:
    """What the registry editor makes of a file: UTF-16 with its mark, sections and values; C(None) for one that it deletes."""
    assert content.startswith(b"\xff\xfe")
    text = content.decode("utf-16")
    lines = text.split("\r\n")
    assert "\n" not in "".join(lines)
    assert lines[:2] == ["Windows Registry Editor Version 5.00", ""]
    found: Registry = {}
    key = ""
    for line in filter(None, lines[1:]):
        if section := re.fullmatch(r"\[HKEY_LOCAL_MACHINE\\(.+)\]", line):
            key = section[1]
            continue
        name, data = re.fullmatch(r'"([^"]+)"=(.+)', line).groups()  # type: ignore[union-attr]
        if data == "-":
            found[key, name] = None
        elif data.startswith("dword:"):
            found[key, name] = int(data.removeprefix("dword:"), 16)
        else:
            found[key, name] = re.sub(r"\\(.)", r"\1", re.fullmatch(r'"((?:[^"\\]|\\.)*)"', data)[1])  # type: ignore[index]
    return found


def registry_of(policy: dict[str, Any]) -> Registry:
    return imported(policy["reg"].encode("utf-16"))


def components(policy: dict[str, Any]) -> dict[str, ElementTree.Element]:
    """The components of an answer file by name, all of them in the pass specialize."""
    root = ElementTree.fromstring(policy["unattend"])
    (settings,) = root
    assert (root.tag, settings.attrib) == (f"{{{NAMES['u']}}}unattend", {"pass": "specialize"})
    return {component.attrib["name"]: component for component in settings}


def commands_of(policy: dict[str, Any]) -> Iterator[str]:
    run = components(policy)["Microsoft-Windows-Deployment"].findall("u:RunSynchronous/u:RunSynchronousCommand", NAMES)
    for place, command in enumerate(run, 1):
        assert command.findtext("u:Order", None, NAMES) == str(place)
        yield command.findtext("u:Path", "", NAMES)


def test_table_6_and_the_sites_in_the_registry():
    policy = rendered(alternate_url=HELP)
    assert registry_of(policy) == {
        (PLATFORM, "KeyManagementServiceName"): None,
        (PLATFORM, "KeyManagementServicePort"): None,
        (rf"{PLATFORM}\Activation", "AlternateURL"): HELP,
        (DNS_CLIENT, "SearchList"): "east.contoso.com,west.contoso.com",
    }
    assert registry_of(rendered("west"))[DNS_CLIENT, "SearchList"] == "west.contoso.com,east.contoso.com"
    (caching,) = policy["commands"]
    assert caching["command"] == (
        'powershell.exe -NoProfile -Command "(Get-WmiObject SoftwareLicensingService).DisableKeyManagementServiceHostCaching($true)"'
    )
    assert "no registry value" in caching["reason"]


def test_a_value_that_no_page_of_microsofts_has_is_taken_only_when_it_is_allowed():
    policy = rendered(allow_unverified_value="yes")
    assert policy["commands"] == []
    assert registry_of(policy)[PLATFORM, "DisableKeyManagementServiceHostCaching"] == 1
    assert [item["name"] for item in policy["gpo"] if not item["verified"]] == ["DisableKeyManagementServiceHostCaching"]
    assert registry_of(rendered(allow_unverified_value=True, host_caching=True))[PLATFORM, "DisableKeyManagementServiceHostCaching"] == 0


def test_a_fixed_host_is_the_one_that_the_sites_clients_try_first():
    assert registry_of(rendered(discover=False, suffixes=False)) == {
        (PLATFORM, "KeyManagementServiceName"): "kms-e1.east.contoso.com",
        (PLATFORM, "KeyManagementServicePort"): "1688",
    }
    declared = contoso()
    declared["west"]["kms_hosts"][1] |= {"weight": 90, "port": 1690}
    policy = client_policy(kms_topology(declared), discover=False)["west"]
    assert registry_of(policy)[PLATFORM, "KeyManagementServiceName"] == "kms-w2.west.contoso.com"
    assert registry_of(policy)[PLATFORM, "KeyManagementServicePort"] == "1690"


def test_the_lookup_domain_is_a_command_with_its_reason():
    (_caching, lookup) = rendered(lookup_domain=True)["commands"]
    assert lookup["command"].endswith("SetKeyManagementServiceLookupDomain('east.contoso.com')\"")
    assert "no registry value" in lookup["reason"]


def test_items_of_group_policy_say_the_same_as_the_file():
    for options in ({}, {"discover": False}, {"allow_unverified_value": True, "alternate_url": HELP}):
        policy = rendered(**options)
        assert {(item["key"], item["name"]): item["value"] for item in policy["gpo"]} == registry_of(policy)
        for item, line in zip(policy["gpo"], policy["powershell"], strict=True):
            assert item["hive"] == "HKEY_LOCAL_MACHINE"
            assert item["action"] == ("delete" if item["value"] is None else "update")
            assert item["type"] == ("REG_DWORD" if isinstance(item["value"], int) else "REG_SZ")
            assert (f"-Key 'HKLM\\{item['key']}' -ValueName '{item['name']}'") in line
            assert line.startswith("Set-GPRegistryValue" if item["name"] == "SearchList" else "Set-GPPrefRegistryValue")
    line = rendered(gpo="Contoso's clients", alternate_url=HELP)["powershell"][2]
    assert line == (
        f"Set-GPPrefRegistryValue -Name 'Contoso''s clients' -Context Computer -Action Update -Key 'HKLM\\{PLATFORM}\\Activation'"
        f" -ValueName 'AlternateURL' -Type String -Value '{HELP}'"
    )


def test_windows_setup_has_a_setting_for_the_search_list_and_commands_for_the_rest():
    policy = rendered(alternate_url=f"{HELP}?a=1&b=%20", lookup_domain=True, architecture="x86")
    found = components(policy)
    assert list(found) == ["Microsoft-Windows-DNS-Client", "Microsoft-Windows-Deployment"]
    assert all(component.attrib["processorArchitecture"] == "x86" for component in found.values())
    suffixes = found["Microsoft-Windows-DNS-Client"].findall("u:DNSSuffixSearchOrder/u:DomainName", NAMES)
    assert {suffix.attrib[KEY_VALUE]: suffix.text for suffix in suffixes} == {"1": "east.contoso.com", "2": "west.contoso.com"}
    assert "Windows Setup has no settings for KMS clients" in policy["unattend"]
    lines = list(commands_of(policy))
    assert lines[-3:] == [
        rf'reg.exe add "HKLM\{PLATFORM}\Activation" /v AlternateURL /t REG_SZ /d "{HELP}?a=1&b=%20" /f',
        *(command["command"] for command in policy["commands"]),
    ]
    assert [re.search(r"/v (\w+)", line)[1] for line in lines[:-3]] == ["KeyManagementServiceName", "KeyManagementServicePort"]  # type: ignore[index]
    assert not any("SearchList" in line for line in lines)


def test_xmllint_finds_nothing_wrong_with_an_answer_file(tmp_path: Path):
    xmllint = shutil.which("xmllint")
    if xmllint is None:
        pytest.skip("xmllint is not installed")
    (tmp_path / "unattend.xml").write_text(rendered(alternate_url=HELP)["unattend"], encoding="utf-8")
    subprocess.run([xmllint, "--noout", tmp_path / "unattend.xml"], check=True)


@given(topologies())
def test_every_site_of_any_topology_has_a_policy_that_can_be_read(declared: dict[str, Any]):
    topology = kms_topology(declared, csvlk_hosts=100)
    for options in ({"alternate_url": HELP}, {"discover": False, "lookup_domain": True}):
        found = client_policy(topology, **options)
        assert list(found) == list(topology["sites"])
        for site, policy in found.items():
            values = registry_of(policy)
            assert values[DNS_CLIENT, "SearchList"].split(",")[0] == topology["sites"][site]["domain"]
            lines = list(commands_of(policy))
            assert lines and all(len(line) <= 259 for line in lines)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"alternate_url": 'https://contoso.com/"help'}, "which is no address such as https://contoso.com/help"),
        ({"alternate_url": "help"}, "which is no address such as https://contoso.com/help"),
        ({"alternate_url": f"https://contoso.com/{'x' * 200}"}, "too long for Windows Setup, whose commands have at most 259 characters"),
        ({"architecture": "ia64"}, "architecture is 'ia64', but has to be amd64, x86, arm64"),
        ({"discover": "perhaps"}, "perhaps"),
    ],
)
def test_what_cannot_be_written_is_refused(options: dict[str, Any], says: str):
    with pytest.raises(AnsibleFilterError, match=re.escape(says)):
        rendered(**options)


def test_only_a_topology_is_taken():
    with pytest.raises(AnsibleFilterError, match="takes the result of the filter"):
        client_policy(contoso())


@pytest.fixture
def domain() -> Iterator[FakeDomain]:
    made = FakeDomain()
    yield made
    made.close()


def test_a_simulated_windows_takes_the_values_up(domain: FakeDomain):
    host = domain.add("pc-1", "windows_10_enterprise")

    def apply(policy: dict[str, Any]) -> None:
        for (key, name), data in registry_of(policy).items():
            if data is None:
                host.registry.delete(key, name)
            else:
                host.registry.set(key, name, ValueType.DWORD if isinstance(data, int) else ValueType.SZ, data)

    apply(rendered(discover=False, alternate_url=HELP))
    row = service_row(host)
    assert (row["KeyManagementServiceMachine"], row["KeyManagementServicePort"]) == ("kms-e1.east.contoso.com", 1688)
    # A member of a domain asks its own one first, whatever the list is.
    assert host.snapshot_state()["suffixes"] == ["contoso.com", "east.contoso.com", "west.contoso.com"]
    apply(rendered())
    assert not service_row(host)["KeyManagementServiceMachine"]


@pytest.mark.tier("test")
def test_the_template_module_writes_what_the_registry_editor_reads(tmp_path: Path):
    source = (
        "{{ (sites | winops.volume_activation.kms_topology | winops.volume_activation.client_policy(alternate_url=help)).east.reg -}}\n"
    )
    (tmp_path / "client.reg.j2").write_text(source, encoding="utf-8")
    options = {"src": f"{tmp_path}/client.reg.j2", "dest": f"{tmp_path}/east.reg", "output_encoding": "utf-16"}
    subprocess.run(
        [
            shutil.which("ansible") or "ansible",
            *("localhost", "--connection", "local", "--module-name", "ansible.builtin.template"),
            *("--args", json.dumps(options), "--extra-vars", json.dumps({"sites": contoso(), "help": HELP})),
        ],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": f"{tmp_path}/home",
            "ANSIBLE_LOCALHOST_WARNING": "0",
        },
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert imported((tmp_path / "east.reg").read_bytes()) == registry_of(rendered(alternate_url=HELP))
