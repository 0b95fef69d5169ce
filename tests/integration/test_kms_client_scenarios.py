# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""KMS clients as the document has them, on modern machines and on its own: table 6, "Configure for KMS activation", and a workgroup without records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import Run
from lab.windows import data
from lab.witness import Srv

from .labs import Lab, document_lab
from .multi_site import COUNTED, clients, kms_hosts
from .stories import assert_foretold

pytestmark = pytest.mark.tier("soak")

PLATFORM = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\SoftwareProtectionPlatform"
HELP = "https://contoso.com/help"
TABLE_6 = {"host_caching": False, "alternate_url": HELP}
KMS_HOST = {"activate": True, "firewall": True}
MAK = data.key_named("mak_win_enterprise").key


def play(
    lab: Lab,
    folder: Path,
    hosts: Sequence[names.Machine],
    arguments: str = "",
    fails: bool = False,
    module: str = "kms_client",
    **options: Any,
) -> Run:
    """One task on some machines."""
    task = {"name": "Task", f"winops.volume_activation.{module}": options}
    pattern = ":".join(host.fqdn for host in hosts)
    path = folder / "play.yml"
    path.write_text(yaml.safe_dump([{"name": "Play", "hosts": pattern, "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    run = lab.play(str(path), arguments=arguments)
    assert (run.rc != 0) is fails, run.output[-3000:]
    return run


def results(run: Run) -> dict[str, dict[str, Any]]:
    return {entry.host: entry.result for entry in run.of_task("Task")}


def changes(run: Run) -> set[tuple[str, Any, Any]]:
    """What changed, which has to be the same on all machines."""
    return {(step["attribute"], step["before"], step["after"]) for step in run.steps()}


def seen(lab: Lab, hosts: Sequence[names.Machine], name: str) -> list[Any]:
    return [lab.control.host(host.label)[name] for host in hosts]


def registry(lab: Lab, host: names.Machine) -> dict[str, Any]:
    """The values of the licensing service, past WMI."""
    found: dict[str, Any] = lab.control.host(host.label)["registry"]
    return {path.removeprefix(f"{PLATFORM}\\"): value for path, value in found.items()}


class Modern:
    """A site with zones, whose KMS host is activated, has counted enough clients, and is in no record."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.kms = kms_hosts(lab, "east")[0]
        east = clients(lab, "east")
        self.workgroup = [machine for machine in east if not machine.member]
        # The MAK of these tests is one of Enterprise.
        members = [machine for machine in east if machine.member and machine.role == "client"]
        self.members = [machine for machine in members if lab.control.host(machine.label)["profile"].endswith("enterprise")][:2]
        play(lab, folder, [self.kms], module="kms_host", product_key="{{ kms_multi_site_csvlk }}", dns_publishing=False, **KMS_HOST)
        lab.control.count_clients(self.kms.label, COUNTED)

    def client(self, hosts: Sequence[names.Machine], arguments: str = "", **options: Any) -> Run:
        return play(self.lab, self.folder, hosts, arguments, **options)


@pytest.fixture(scope="module")
def modern(zones_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Modern]:
    zones_lab.control.reset()
    yield Modern(zones_lab, tmp_path_factory.mktemp("modern"))
    zones_lab.control.reset()


def test_a_workgroup_without_records_is_activated_by_a_fixed_host_and_goes_back_to_discovery(modern: Modern):
    lab, hosts = modern.lab, modern.workgroup
    assert len(hosts) >= 2
    assert lab.witness.srv("east.contoso.com") == []
    wish = {"kms_host": modern.kms.fqdn, "kms_port": 1688, **TABLE_6}
    check = modern.client(hosts, "--check --diff", **wish)
    assert seen(lab, hosts, "license_status") == [5] * len(hosts)
    real = modern.client(hosts, **wish)
    assert_foretold(check.steps(), real.steps())
    assert changes(real) >= {("KMS host", None, modern.kms.fqdn), ("KMS host caching", True, False), ("alternate URL", None, HELP)}
    assert {result["activation"]["kms_host"] for result in results(real).values()} == {modern.kms.fqdn}
    assert not any(result["domain_member"] for result in results(real).values())
    assert seen(lab, hosts, "license_status") == [1] * len(hosts)
    again = modern.client(hosts, **wish)
    assert (again.changed(), again.steps()) == (0, [])

    back = modern.client(hosts, discover=True)
    assert changes(back) == {("KMS host", modern.kms.fqdn, None)}
    assert all("KeyManagementServiceName" not in registry(lab, host) for host in hosts)
    # The host appears in DNS, and what has no license finds it there.
    play(lab, modern.folder, [modern.kms], module="kms_host", dns_publishing=True)
    assert lab.witness.srv("east.contoso.com") == [Srv(0, 0, 1688, modern.kms.fqdn)]
    lab.control.call("reset_windows", hosts=[hosts[0].label])
    found = modern.client(hosts[:1], discover=True)
    assert results(found)[hosts[0].fqdn]["activation"]["kms_host"] == modern.kms.fqdn
    assert seen(lab, hosts[:1], "license_status") == [1]


def test_configure_for_kms_activation_replaces_a_mak_and_clears_the_host_of_former_days(modern: Modern):
    lab, hosts = modern.lab, modern.members
    for host in hosts:
        lab.control.call("call_service", host=host.label, method="InstallProductKey", arguments={"ProductKey": MAK})
        arguments = {"MachineName": "old.contoso.com"}
        lab.control.call("call_service", host=host.label, method="SetKeyManagementServiceMachine", arguments=arguments)
    assert seen(lab, hosts, "partial_key") == [MAK[-5:]] * 2
    kept = modern.client(hosts, overwrite=False, activate=False)
    assert kept.steps() == []
    fixed = {"kms_host": f"{modern.kms.fqdn}:1688"}
    real = modern.client(hosts, **fixed)
    assert {step["attribute"] for step in real.steps()} == {"product key", "KMS host", "license status"}
    assert ("KMS host", "old.contoso.com", modern.kms.fqdn) in changes(real)
    assert seen(lab, hosts, "channel") == ["Volume:GVLK"] * 2
    assert seen(lab, hosts, "license_status") == [1] * 2
    again = modern.client(hosts, **fixed)
    assert again.steps() == []
    # A MAK was installed, and Microsoft was never asked.
    assert lab.control.call("microsoft")["mak_win_enterprise"]["activations"] == 0


# A Windows 7, a Server 2008 R2, and a Vista, of the document's park.
SEVEN, VISTA, R2 = "pc-001", "pc-013", "srv-01"


@pytest.fixture(scope="module")
def old_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with document_lab(tmp_path_factory, clients=13, servers=1) as lab:
        yield lab


def test_the_machines_of_the_document_are_configured_as_in_table_6(old_lab: Lab, tmp_path: Path):
    machines = {machine.label: machine for machine in old_lab.options.machines}
    kms, hosts, vista = names.kms_hosts()[0], [machines[SEVEN], machines[R2]], machines[VISTA]
    options = {"product_key": "{{ kms_single_site_csvlk }}", "firewall_method": "netsh", **KMS_HOST}
    play(old_lab, tmp_path, [kms], module="kms_host", **options)
    old_lab.control.count_clients(kms.label, COUNTED)
    wish = {"discover": True, **TABLE_6}
    check = play(old_lab, tmp_path, hosts, "--check --diff", **wish)
    assert 1 not in seen(old_lab, hosts, "license_status")
    real = play(old_lab, tmp_path, hosts, **wish)
    assert_foretold(check.steps(), real.steps())
    assert {step["attribute"] for step in real.steps()} == {"KMS host caching", "alternate URL", "license status"}
    assert seen(old_lab, hosts, "license_status") == [1, 1]
    assert seen(old_lab, hosts, "cached") == [None, None]
    assert [registry(old_lab, host)[r"Activation\AlternateURL"] for host in hosts] == [HELP, HELP]
    assert play(old_lab, tmp_path, hosts, **wish).steps() == []
    # Vista has no such setting, and is told apart before anything changes; the rest of the table it takes.
    refused = play(old_lab, tmp_path, [vista], fails=True, **wish)
    assert "host_caching is a setting that came with Windows 7" in refused.failures()[0]
    assert seen(old_lab, [vista], "requests") == [0]
    fixed = {"kms_host": kms.fqdn, "alternate_url": HELP}
    assert changes(play(old_lab, tmp_path, [vista], **fixed)) >= {("KMS host", None, kms.fqdn), ("alternate URL", None, HELP)}
    assert seen(old_lab, [vista], "license_status") == [1]
    assert changes(play(old_lab, tmp_path, [vista], discover=True)) == {("KMS host", kms.fqdn, None)}
