# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit concludes from the row of a client is what kms_client would change on it, whatever its Windows and its settings are."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from unit.lab.kms_client_run import MODERN, SEVEN, VISTA, run
from unit.lab.product_session import open_direct
from unit.lab.windows_fakes import FakeDomain, service

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.clients import Expected, Judged, judge
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.audit.computer import computer_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._survey.rows import Row, RowOutcome, license_facts
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform.versions import parse_version
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.survey import read_host
from lab.windows import data, machine
from lab.windows.host import Host
from lab.windows.registry import ValueType
from lab.wsman.faults import Voice, simple
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")

SUFFIXES = ("east.contoso.com", "west.contoso.com")
HELP = "https://help.contoso.com"
ACTIVATION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform\Activation"
MAK, CSVLK = data.key_named("mak_win_enterprise").key, data.key_named("csvlk_client10").key
SINCE = {"lookup_domain": (6, 2), "host_caching": (6, 1)}


def row_of(host: Host, refuse: Callable[[Entry], None] = lambda _entry: None) -> dict[str, Any]:
    """The row of a survey, as its file gives it back."""
    session, carrier = open_direct(host)
    carrier.intercept = refuse
    read = read_host(session, ["license", "kms_client"])
    facts = {**license_facts(read.windows, read.others, read.service, read.at), **read.columns}
    row: dict[str, Any] = json.loads(Row(host.hostname, RowOutcome.READ, datetime.now(UTC), facts=facts).as_line())
    return row


def judged(row: dict[str, Any], **expected: Any) -> Judged:
    return judge(computer_of(row), "", Expected({"east": SUFFIXES[0], "west": SUFFIXES[1]}, **expected))


def said_by_kms_client(host: Host, row: dict[str, Any], lookup_domain: str, host_caching: bool, alternate_url: str = "") -> list[Any]:
    """What kms_client would change with the settings that this Windows has, or why it refuses."""
    version = parse_version(row["operating_system"]["version"])
    wanted = {"lookup_domain": lookup_domain, "host_caching": host_caching}
    settings = {name: value for name, value in wanted.items() if value != "" and version >= SINCE[name]}
    try:
        wish = KmsClientWish(discover=True, settings=settings, dns_suffixes=SUFFIXES, alternate_url=alternate_url or None)
        client = run(host, wish, check_mode=True)
    except (ActivationError, StepFailed) as failure:
        return [str(failure).removeprefix(f"{host.hostname}: ")]
    return [(step.object, step.attribute, step.before, step.after) for step in client.steps]


def changes(found: Judged) -> list[Any]:
    refused = [entry.text for entry in found.deviations if entry.attribute == "settings"]
    if refused:
        return [text.removeprefix("Its settings could not be checked: ") for text in refused]
    return [(entry.object, entry.attribute, entry.found, entry.expected) for entry in found.deviations if "it should be" in entry.text]


def policy(host: Host, text: str) -> None:
    host.registry.set(machine.DNS_CLIENT_POLICY, "SearchList", ValueType.SZ, text)


def search_list(host: Host, text: str) -> None:
    host.registry.set(machine.TCPIP_PARAMETERS, "SearchList", ValueType.SZ, text)


CHANGED: dict[str, Callable[[Host], object]] = {
    "nothing": lambda _host: None,
    "fixed host": lambda host: service(host, "SetKeyManagementServiceMachine", MachineName="old.contoso.com"),
    "port": lambda host: service(host, "SetKeyManagementServicePort", PortNumber=1690),
    "no caching": lambda host: service(host, "DisableKeyManagementServiceHostCaching", DisableCaching=True),
    "lookup domain": lambda host: service(host, "SetKeyManagementServiceLookupDomain", LookupDomain="West.contoso.com"),
    "other lookup domain": lambda host: service(host, "SetKeyManagementServiceLookupDomain", LookupDomain="fabrikam.com"),
    "search list": lambda host: search_list(host, "corp.example,east.contoso.com"),
    "search list as wanted": lambda host: search_list(host, "contoso.com,east.contoso.com, west.contoso.com."),
    "policy": lambda host: policy(host, "corp.example"),
    "policy and search list": lambda host: (policy(host, "corp.example"), search_list(host, "fabrikam.com")),
}
# Settings that old Windows have not.
NEWER = {"no caching": (SEVEN, MODERN), "lookup domain": (MODERN,), "other lookup domain": (MODERN,)}


@pytest.mark.parametrize(
    ("profile", "change"),
    [(profile, change) for profile in (MODERN, SEVEN, VISTA) for change in CHANGED if profile in NEWER.get(change, (profile,))],
)
@pytest.mark.parametrize(("lookup_domain", "host_caching"), [("", False), ("west.contoso.com", True)])
def test_settings_differ_as_kms_client_would_change_them(
    domain: FakeDomain, profile: str, change: str, lookup_domain: str, host_caching: bool
):
    host = domain.add("pc-001", profile)
    CHANGED[change](host)
    row = row_of(host)
    found = judged(row, lookup_domain=lookup_domain, host_caching=host_caching)
    assert changes(found) == said_by_kms_client(host, row, lookup_domain, host_caching)
    notes = {entry.attribute for entry in found.deviations if entry.severity == "note"}
    assert ("priority and weight" in notes) == (profile == VISTA)
    assert found.follows_its_domain == (not row["kms_client_settings"]["lookup_domain"])


@pytest.mark.parametrize(
    ("profile", "options"),
    [
        (MODERN, {"initial_key": MAK}),
        (MODERN, {"initial_key": ""}),
        (MODERN, {"initial_key": "", "volume_licences": False}),
        ("windows_10_enterprise", {"initial_key": CSVLK}),
        ("windows_10_enterprise_eval", {}),
        ("server_2022_standard_eval", {}),
    ],
)
def test_a_key_that_is_none_of_a_client_is_what_kms_client_says(domain: FakeDomain, profile: str, options: dict[str, Any]):
    host = domain.add("pc-001", profile, **options)
    row = row_of(host)
    found = changes(judged(row))
    assert found == said_by_kms_client(host, row, "", False)
    assert found
    assert not json.dumps(row).count(MAK) + json.dumps(row).count(CSVLK)


@pytest.mark.parametrize("profile", [MODERN, SEVEN, VISTA])
@pytest.mark.parametrize("found", ["", HELP, "https://elsewhere.example"])
def test_the_address_for_users_differs_as_kms_client_would_change_it(domain: FakeDomain, profile: str, found: str):
    host = domain.add("pc-001", profile)
    if found:
        key = ACTIVATION.replace("SoftwareProtectionPlatform", "SL") if profile == VISTA else ACTIVATION
        host.registry.set(key, "AlternateURL", ValueType.SZ, found)
    row = row_of(host)
    caching = profile != VISTA
    said = changes(judged(row, alternate_url=HELP, host_caching=caching))
    assert said == said_by_kms_client(host, row, "", caching, HELP)
    assert ((host.hostname, "alternate URL", found or None, HELP) in said) == (found != HELP)
    # Where nobody declares one, an address is worth a word, and none is not.
    notes = [(entry.found, entry.expected, entry.severity) for entry in judged(row).deviations if entry.attribute == "alternate URL"]
    assert notes == ([(found, None, "note")] if found else [])


def test_a_client_with_its_setup_key_is_read_by_eight_requests(domain: FakeDomain):
    asked: list[Entry] = []
    row = row_of(domain.add("pc-001", MODERN), asked.append)
    assert len([entry for entry in asked if entry.action != "Release"]) == 8
    assert (row["kms_client_settings"]["setup_key"], row["kms_client_settings"]["error"]) == (None, None)


def no_registry(entry: Entry) -> None:
    if "StdRegProv" in entry.resource:
        raise simple(Voice("pc-001", "en-US", 1), "access denied")


def test_an_account_that_may_not_read_the_registry_learns_the_license(domain: FakeDomain):
    host = domain.add("pc-001", MODERN)
    service(host, "SetKeyManagementServiceMachine", MachineName="old.contoso.com")
    row = row_of(host, no_registry)
    assert (row["outcome"], row["channel"], row["kms_client_settings"]["domain_member"]) == ("read", "gvlk", True)
    found = {entry.attribute: entry.text for entry in judged(row).deviations}
    assert found.keys() == {"license status", "KMS host", "settings"}
    assert found["KMS host"] == "It asks old.contoso.com alone, set by hand, whatever DNS says."
    assert "access" in found["settings"].lower()


def test_a_row_does_not_grow_with_what_stands_in_a_registry(domain: FakeDomain):
    host = domain.add("pc-001", MODERN)
    search_list(host, ",".join(f"d{number}.contoso.com" for number in range(3000)))
    assert len(row_of(host)["kms_client_settings"]["suffixes"]["search_list"]) == 256
    host.registry.set(ACTIVATION, "AlternateURL", ValueType.SZ, "https://" + 60_000 * "x")
    assert len(row_of(host)["kms_client_settings"]["alternate_url"]) == 1000
