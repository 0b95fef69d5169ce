# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of run_kms: what they read of variables, who asks, what they refuse, and what they cost at 10,000 clients."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import error_catalogue
import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from handmade import task_of
from unit import timing

from ansible_collections.winops.volume_activation.plugins.action.run_kms import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.fleet import fleet_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms import steps
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.outcomes import client_counts, failures
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.kms.settings import read_settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._runs.registered import Registered

pytestmark = pytest.mark.tier("quick")

SINGLE, SEVERAL = "kms_single_site", "kms_multi_site"
KMS, PC = "kms-1.contoso.com", "pc-1"
CSVLK = "KMH22-PHMGX-8WP9X-CD9R9-C7TRQ"
WRITTEN = error_catalogue.paired("Dictionaries", ["a text that holds no dictionary"])["a text that holds no dictionary"]
SITES = {"main": {"domain": "contoso.com", "domain_controllers": ["dc1.contoso.com"], "kms_hosts": [{"name": KMS, "weight": 60}]}}


def row(host: str, **more: Any) -> dict[str, Any]:
    """A client of a survey, licensed and as Windows is set up, unless told otherwise."""
    settings = {"kms_machine": "", "host_caching": True, "domain_member": False, "client_machine_id": f"id-{host}", "setup_key": None}
    settings |= {"suffixes": {"own": "", "search_list": [], "effective": [], "source": "none"}, **more.pop("settings", {})}
    system = {"computer_name": host, "caption": "Windows 11", "build": "22631", "version": "10.0.22631", "server": False}
    known = {
        "host": host,
        "outcome": "read",
        "state": "licensed",
        "channel": "gvlk",
        "partial_key": "2YT43",
        "product": "Windows, Enterprise",
    }
    return {**known, "operating_system": system, "kms_client_settings": settings, **more}


class Job:
    """A run over a KMS host and some clients."""

    def __init__(
        self, folder: Path, rows: list[dict[str, Any]], inventory: dict[str, dict[str, Any]] | None = None, face: str = SINGLE
    ) -> None:
        self.file = folder / "survey.jsonl"
        self.file.write_text("".join(json.dumps(entry) + "\n" for entry in rows), encoding="utf-8")
        self.clients = [entry["host"] for entry in rows if entry["host"] != KMS]
        self.inventory = {KMS: {}, **{name: {} for name in self.clients}}
        for host, variables in (inventory or {}).items():
            self.inventory[host] |= variables
        self.face = face

    def raw_get(self, host: str) -> dict[str, Any]:
        """As the magic variable has it."""
        return {"inventory_hostname": host, **self.inventory[host]}

    def run(self, step: str, hosts: list[str] | None = None, play: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        """The result of the action."""
        hosts = hosts or list(self.inventory)
        batch = options.pop("batch", hosts)
        given = {"step": step, "face": self.face, **options}
        task = task_of(given, run_once=True, get_play=lambda: SimpleNamespace(get_vars=lambda: dict(play or {}), strategy="linear"))
        groups = {"kms_hosts": [KMS], "kms_clients": self.clients}
        magic = {
            "ansible_play_hosts_all": hosts,
            "ansible_play_hosts": hosts,
            "ansible_play_batch": batch,
            "groups": groups,
            "hostvars": self,
        }
        variables = {**self.inventory[batch[0]], "inventory_hostname": batch[0], **(play or {}), **magic}
        action = ActionModule(task, SimpleNamespace(_shell=SimpleNamespace(tmpdir="x")), None, None, Templar(DataLoader(), variables), None)
        found: dict[str, Any] = action.run(task_vars=variables)
        return found

    def findings(
        self, settings: dict[str, Any], hosts: list[str] | None = None, play: dict[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        """The run up to its findings."""
        hosts = hosts or list(self.inventory)
        declared = self.run("declare", hosts, settings=settings, **options)
        assert not declared["failed"], declared["msg"]
        system = {"caption": "Windows Server 2022", "computer_name": "KMS-1", "clock_offset": 0.0, "build": "20348", "server": True}
        windows = {"status": "licensed", "channel": "csvlk", "partial_key": CSVLK[-5:], "name": "", "description": ""}
        if KMS in hosts:
            self.inventory[KMS]["__license"] = {"windows": windows, "operating_system": system, "service": {"current_count": 30}}
        self.once(hosts, declared=declared)
        names = {name: f"__{name}" for name in ("declared", "license")}
        self.once(hosts, survey={"file": str(self.file)}, nothing={"results": []})
        work = self.run("work", hosts, play, results=names | {"accounts": "__nothing"}, optional=["license"])
        self.once(hosts, work=work)
        names |= {"work": "__work", "survey": "__survey", "firewall_check": "__firewall_check"}
        names |= dict.fromkeys(("accounts", "records_before", "trust_checks", "group_checks", "acl_checks", "written_checks"), "__nothing")
        return self.run("findings", hosts, play, results=names, optional=["license", "firewall_check"])

    def once(self, hosts: list[str], **results: Any) -> None:
        """What a task that ran once registered."""
        for host in hosts:
            self.inventory[host] |= {f"__{name}": result for name, result in results.items()}


def test_a_client_that_is_licensed_and_as_declared_does_not_ask(tmp_path: Path):
    rows = [
        row(KMS),
        row("pc-1"),
        row("pc-2", state="notification"),
        row("pc-3", channel="mak"),
        row("pc-4", settings={"kms_machine": "other.contoso.com"}),
        row("pc-5", settings={"error": "access denied"}),
        row("pc-6", outcome="failed", reason="503"),
        row("pc-7", outcome="unreachable", reason="no answer"),
        row("pc-8", settings={"host_caching": False, "setup_key": "2YT43"}),
    ]
    found = Job(tmp_path, rows).findings({"domain": "contoso.com"})
    assert found["due"] == ["pc-2", "pc-3", "pc-4", "pc-5", "pc-6", "pc-8"]
    assert (found["clients"]["licensed"], found["clients"]["silent"]) == (1, ["pc-7"])
    assert found["options"] == {name: {} for name in found["due"]}
    assert found["stop"] == ""


@pytest.mark.parametrize(
    ("outcomes", "limit", "said"),
    [
        (("read", "unreachable", "unreachable"), "", ""),
        (("unreachable", "unreachable", "unreachable"), "", "None of the 3 hosts was reached: pc-0, pc-1, pc-2."),
        # Whose password is rejected, or who was spared for that reason, was not reached.
        (("rejected", "not_asked", "rejected"), None, "None of the 3 hosts was reached: pc-0, pc-1, pc-2."),
        (("read", "unreachable", "failed"), 0, "1 of 3 hosts were not reached: pc-1. volume_activation_max_unreachable is 0."),
        (("read", "unreachable", "failed"), "34%", ""),
        (("unreachable", "unreachable", "unreachable"), "100%", ""),
    ],
)
def test_so_many_clients_out_of_reach_stop_the_run(tmp_path: Path, outcomes: tuple[str, ...], limit: Any, said: str):
    rows = [row(f"pc-{number}", outcome=outcome, reason="It is so.") for number, outcome in enumerate(outcomes)]
    found = Job(tmp_path, [row(KMS), *rows]).findings({"domain": "contoso.com"}, max_unreachable=limit)
    assert said in found["stop"]
    assert bool(found["stop"]) is bool(said)
    assert not {f"pc-{number}" for number, outcome in enumerate(outcomes) if outcome in ("rejected", "not_asked")} & {*found["due"]}


@pytest.mark.parametrize(
    ("face", "play", "client", "options"),
    [
        (SINGLE, {}, {}, None),
        (SINGLE, {"host_caching": "no"}, {}, {"host_caching": False}),
        (SINGLE, {"host_caching": "yes"}, {}, None),
        (SINGLE, {"dns_suffixes": "a.example, b.example"}, {}, {"dns_suffixes": ["a.example", "b.example"]}),
        (SINGLE, {}, {"kms_single_site_lookup_domain": "west.contoso.com"}, {"lookup_domain": "west.contoso.com"}),
        (SINGLE, {"alternate_url": "https://help"}, {}, {"alternate_url": "https://help"}),
        (SEVERAL, {}, {}, {"host_caching": False, "dns_suffixes": ["contoso.com"]}),
        (SEVERAL, {"host_caching": True, "dns_suffixes": ["x.example"]}, {}, {"host_caching": True, "dns_suffixes": ["x.example"]}),
        (SEVERAL, {}, {"kms_multi_site_host_caching": True}, {"host_caching": True, "dns_suffixes": ["contoso.com"]}),
    ],
)
def test_each_client_gets_what_the_play_or_its_own_variables_say(
    tmp_path: Path, face: str, play: dict[str, Any], client: dict[str, Any], options: dict[str, Any] | None
):
    # What the first host has is its own.
    job = Job(tmp_path, [row(KMS), row(PC), row("pc-2")], {PC: client, KMS: {f"{face}_lookup_domain": "other.contoso.com"}}, face)
    settings = {"domain": "contoso.com"} if face == SINGLE else {"sites": SITES}
    # The defaults of the role are what a task sees where nobody gives a value.
    found = job.findings(settings, play={"kms_multi_site_host_caching": False, **{f"{face}_{name}": value for name, value in play.items()}})
    assert found["options"].get(PC) == options


def test_a_client_that_shows_the_declared_address_does_not_ask(tmp_path: Path):
    rows = [
        row(KMS),
        row("pc-1", settings={"alternate_url": "https://help"}),
        row("pc-2"),
        row("pc-3", settings={"alternate_url": "https://other"}),
    ]
    found = Job(tmp_path, rows).findings({"domain": "contoso.com"}, play={"kms_single_site_alternate_url": "https://help"})
    assert found["due"] == ["pc-2", "pc-3"]


def test_a_late_setting_is_left_out_where_windows_is_older(tmp_path: Path):
    old = row(PC, state="notification")
    old["operating_system"] |= {"version": "6.1.7601", "build": "7601"}
    own = {"kms_single_site_lookup_domain": "west.contoso.com", "kms_single_site_host_caching": False}
    assert Job(tmp_path, [row(KMS), old], {PC: own}).findings({"domain": "contoso.com"})["options"] == {PC: {"host_caching": False}}


def test_one_new_client_needs_no_kms_host_in_the_play(tmp_path: Path):
    job = Job(tmp_path, [row(PC, state="unlicensed"), row("pc-2")])
    for settings, face in (({"domain": "contoso.com"}, SINGLE), ({"sites": SITES}, SEVERAL)):
        job.face = face
        found = job.findings(settings, [PC])
        assert (found["due"], found["stop"]) == ([PC], "")
        assert "A limit leaves out all KMS hosts" in "\n".join(found["lines"])


def test_the_key_of_each_kms_host_is_judged_and_comes_back_nowhere(tmp_path: Path):
    template = trust_as_template("{{ keys[inventory_hostname] }}")
    keys = {"keys": {KMS: CSVLK}, "kms_single_site_csvlk": template}
    found = Job(tmp_path, [row(KMS), row(PC)], {KMS: keys}).findings({"domain": "contoso.com"})
    assert (found["stop"], CSVLK in str(found)) == ("", False)
    setup_key = "VDYBN-27WPP-V4HQT-9VMD4-VMK7H"
    found = Job(tmp_path, [row(KMS), row(PC)], {KMS: {"kms_single_site_csvlk": setup_key}}).findings({"domain": "contoso.com"})
    assert "kms_single_site_csvlk is the client setup key that Microsoft publishes" in found["stop"]
    assert setup_key not in str(found)


def test_a_client_that_fails_is_one_whose_result_has_an_error_and_a_dark_one_is_not():
    results = {
        "pc-1": {"error": {"code": "0xC004F074"}, "failed": False, "msg": "pc-1: 0xC004F074"},
        "pc-2": {"error": {}, "unreachable": True, "msg": "no answer"},
        "pc-3": {"activation": {"state": "licensed"}, "failed": False},
        "pc-4": {"activation": {"state": "counted"}},
    }
    assert failures(results.items()) == {"pc-1": "pc-1: 0xC004F074"}
    counts = client_counts({name: {"client": result} for name, result in results.items()})
    assert counts == {"licensed": 1, "counted": 1, "failed": 1, "not_reached": 1, "planned": 0}


@pytest.mark.parametrize(
    ("face", "given", "says"),
    [
        (SINGLE, {}, "kms_single_site_domain: it is missing."),
        (SINGLE, {"domain": "contoso.com", "port": 99999}, "kms_single_site_port: 99999 is not in 1 to 65535."),
        (
            SINGLE,
            {"domain": "contoso.com", "ticket": "purg"},
            "kms_single_site_ticket: purg is not wait, purge or reboot. Did you mean purge?",
        ),
        (
            SINGLE,
            {"domain": "contoso.com", "records": "both"},
            "kms_single_site_records: both is not published, dynamic, static or printed.",
        ),
        (
            SINGLE,
            {"domain": "contoso.com", "dns_servers": "['127.0.0.10'"},
            "kms_single_site_dns_servers: it can't be read as a list. Give a name, a list of names, or names with commas between them.",
        ),
        (
            SINGLE,
            {"domain": "contoso.com", "dns_servers": {"a": "b"}, "dns_suffixes": "['contoso.com"},
            (
                "kms_single_site_dns_suffixes: it can't be read as a list. Give a name, a list of names, or names with commas between them.\n"
                "kms_single_site_dns_servers: dict is no list."
            ),
        ),
        (SEVERAL, {"host_caching": "perhaps"}, "kms_multi_site_host_caching: perhaps is neither true nor false."),
        (SEVERAL, {"ask_again": "often"}, "kms_multi_site_ask_again: often is no whole number."),
    ],
)
def test_a_setting_that_cannot_be_is_named_by_its_variable(face: str, given: dict[str, Any], says: str):
    with pytest.raises(ActivationError) as caught:
        read_settings(face, given)
    assert caught.value.message.startswith(says)


def test_a_list_of_a_survey_is_read_in_every_form():
    for servers in ("['127.0.0.10']", '["127.0.0.10"]', "[127.0.0.10]", "- 127.0.0.10", "127.0.0.10,", ["127.0.0.10"]):
        assert read_settings(SINGLE, {"domain": "contoso.com", "dns_servers": servers}).dns_servers == ["127.0.0.10"]


def test_what_clients_have_of_their_own_and_can_not_be_is_named_with_the_clients(tmp_path: Path):
    own = {"pc-1": "['x.example", "pc-2": "['x.example", "pc-3": "x", "pc-4": "x.example"}
    job = Job(tmp_path, [row(KMS), *map(row, own)], {name: {"kms_single_site_dns_suffixes": given} for name, given in own.items()})
    refused = job.findings({"domain": "contoso.com"})
    assert refused["msg"] == (
        "pc-1, pc-2: kms_single_site_dns_suffixes: it can't be read as a list. Give a name, a list of names, or names with commas between them."
        " pc-3: kms_single_site_dns_suffixes[0]: x is no full DNS name, such as kms-1.contoso.com."
    )


def test_a_client_at_a_site_that_there_is_not_is_named(tmp_path: Path):
    job = Job(
        tmp_path,
        [row(KMS), row("pc-1"), row("pc-2")],
        {"pc-1": {"volume_activation_site": "mian"}, "pc-2": {"volume_activation_site": "main"}},
        SEVERAL,
    )
    assert job.findings({"sites": SITES})["msg"] == "pc-1: volume_activation_site: there is no site mian. Did you mean main?"


@pytest.mark.parametrize("name", ["confirmation_ids", "installation_ids"])
@pytest.mark.parametrize("given", ["{kms-1: [", "123456-123456", ["kms-1"], "kms-1: 2026-13-45", "[" * 5_000, 7])
def test_ids_by_host_that_are_no_dictionary_are_named_by_their_variable_and_not_shown(tmp_path: Path, name: str, given: Any):
    refused = Job(tmp_path, [row(KMS)]).run("declare", settings={"domain": "contoso.com"}, **{name: given})
    assert refused["msg"] == error_catalogue.said(WRITTEN, variable=f"kms_single_site_{name}")


@pytest.mark.parametrize("given", [{KMS: "1"}, f"{{{KMS}: '1'}}", f'{{"{KMS}": "1"}}', f"{KMS}: '1'"])
def test_ids_by_host_are_a_dictionary_or_a_text_of_one(tmp_path: Path, given: Any):
    job = Job(tmp_path, [row(KMS)])
    assert job.run("declare", settings={"domain": "contoso.com"}, confirmation_ids=given)["confirmed"] == [KMS]
    assert job.run("declare", settings={"domain": "contoso.com"}, confirmation_ids="")["confirmed"] == []


def test_empty_text_is_a_setting_left_out():
    names = ("records", "port", "ticket", "publish_timeout", "ask_again", "host_caching", "dns_suffixes", "group", "activate")
    settings = read_settings(SINGLE, {"domain": " Contoso.com. ", **dict.fromkeys(names, "")})
    assert (settings.domain, settings.records, settings.port, settings.ticket) == ("contoso.com", "published", 1688, "wait")
    assert (settings.publish_timeout, settings.ask_again, settings.host_caching, settings.dns_suffixes) == (30, 2, None, None)


@pytest.mark.parametrize(
    "size", [pytest.param(1_000, marks=pytest.mark.tier("test")), pytest.param(10_000, marks=pytest.mark.tier("soak"))]
)
def test_ten_thousand_clients_take_ten_times_as_long_as_a_thousand(tmp_path: Path, size: int):
    declared = steps.declare(SEVERAL, {"sites": SITES}, [], [])

    def made(number: int) -> tuple[Any, Registered]:
        clients = [f"pc-{place}" for place in range(number)]
        file = tmp_path / f"survey-{number}.jsonl"
        file.write_text("".join(json.dumps(row(name, state="notification" if name[-1] == "7" else "licensed")) + "\n" for name in clients))
        fleet = fleet_of([KMS, *clients], [KMS, *clients], {"kms_hosts": [KMS], "kms_clients": clients}, steps.GROUPS)
        results: dict[str, Any] = {"declared": {KMS: declared}, "license": {}, "firewall_check": {}, "survey": {KMS: {"file": str(file)}}}
        results |= {name: {} for name in ("accounts", "records_before", "trust_checks", "group_checks", "acl_checks", "written_checks")}
        results["work"] = {KMS: steps.Run(fleet, Registered([KMS], results)).work()}
        return fleet, Registered([KMS, *clients], results)

    def work(given: tuple[Any, Registered]) -> None:
        assert steps.Run(*given).decide("findings", False)["due"]

    assert timing.is_linear(work, made, size)
    assert timing.seconds(work, made(size)) < 5
