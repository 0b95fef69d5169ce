# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation by MAK where something is special: too few activations, no way to Microsoft, ESU, conversions, and runs that are killed."""

from __future__ import annotations

import itertools
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lab import mak_inventory
from lab.windows import data

from . import documented
from .conftest import Lab
from .leaks import leaks
from .mak_play import LICENSED, PLAYBOOK, Costs, Fleet, asked, fleet_of, groups_of, kill_after_requests

pytestmark = pytest.mark.tier("test")

ENTERPRISE, PROFESSIONAL, ESU = "mak_win_enterprise", "mak_win_professional", "esu_windows_10_year_1"
ONE, TWO, THREE = "pc-001.contoso.com", "pc-002.contoso.com", "pc-003.contoso.com"
KMS_HOST = "kms-1.contoso.com"
NOWHERE = "https://127.0.0.5:1/BatchActivation/BatchActivation.asmx"
CONVERTED = "winops.volume_activation.kms_to_mak"
GIVEN_BACK = "winops.volume_activation.mak_to_kms"


@pytest.fixture
def fleet(mak_lab: Lab, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_of(mak_lab, tmp_path) as made:
        yield made


def reachable(fleet: Fleet, name: str = ENTERPRISE) -> list[str]:
    """Computers of a group that reach Microsoft."""
    groups = groups_of(fleet.lab)
    zone = {*groups[mak_inventory.SECURE_ZONE], *groups[mak_inventory.SECURE_ZONE_PROXY]}
    return [host for host in groups[name] if host not in zone]


def holders(fleet: Fleet, hosts: list[str], key: str = ENTERPRISE) -> list[str]:
    return [host for host in hosts if any(product["key"] == key for product in fleet.products(host))]


@pytest.mark.tier("soak")
def test_with_three_activations_left_for_ten_computers_none_or_three_are_activated(fleet: Fleet):
    ten = reachable(fleet)[:10]
    fleet.lab.control.set_remaining(ENTERPRISE, 3)
    stopped = fleet.play(":".join(ten))
    assert stopped.rc != 0
    assert "Nothing was activated. Key mak_win_enterprise: Microsoft has 3 activations left, and 10 computers are to be" in "".join(
        stopped.failures()
    )
    assert len(holders(fleet, ten)) == 1
    assert (fleet.spent(), asked(fleet.lab, "Invoke:Activate")) == ({}, {})
    run = fleet.play(":".join(ten), mak_independent_as_many_as_remain="true")
    assert run.rc == 0, run.output[-3000:]
    assert fleet.spent() == {ENTERPRISE: 3}
    licensed = [host for host in ten if fleet.holds(host, ENTERPRISE)]
    assert licensed == holders(fleet, ten)
    (summary,) = run.of_task("Summary")
    (waiting,) = [line for line in summary.result["msg"] if line.startswith("No activation left for: ")]
    assert sorted(waiting.partition(": ")[2].split(", ")) == sorted(set(ten) - set(licensed))
    assert run.custom_stats["mak_independent"]["keys"][ENTERPRISE] == {"remaining_before": 3, "remaining_after": 0}


def test_a_blocked_key_is_tried_on_one_computer_alone(fleet: Fleet):
    # Of a blocked key Microsoft may say -1, as of one without a limit. Computers with another key are seen to before.
    others = reachable(fleet, PROFESSIONAL)[:3]
    fleet.lab.control.set_key_state(PROFESSIONAL, "blocked")
    run = fleet.play(":".join([ONE, TWO, *others]))
    assert run.rc != 0
    assert sum(asked(fleet.lab, "Invoke:Activate")[host] for host in others) == len(holders(fleet, others, PROFESSIONAL)) == 1
    assert any("0xC004C003 (SL_E_CHPA_PRODUCT_KEY_BLOCKED)" in failure for failure in run.failures())
    assert fleet.spent() == {ENTERPRISE: 2}


@pytest.mark.tier("soak")
def test_where_microsoft_cannot_be_asked_one_sentence_names_the_proxy_playbooks(fleet: Fleet):
    run = fleet.play(ONE, volume_activation_microsoft_url=NOWHERE)
    assert run.rc != 0
    (message,) = [failure for failure in run.failures() if "Nothing was activated" in failure]
    assert "mak_proxy_collect, mak_proxy_acquire and mak_proxy_apply" in message
    assert fleet.spent() == {}


def test_without_a_folder_that_outlasts_the_run_nothing_is_spent(fleet: Fleet):
    run = fleet.play(ONE, volume_activation_state_directory="")
    assert run.rc != 0
    assert "Set volume_activation_state_directory to a folder that outlasts it" in "".join(run.failures())
    assert asked(fleet.lab, "Invoke:InstallProductKey") == {}


@pytest.mark.tier("soak")
def test_the_state_directory_may_be_named_by_its_alias_alone(fleet: Fleet):
    other = str(fleet.state.with_name("other"))
    refused = fleet.play(ONE, volume_activation_state_dir=other)
    assert refused.rc != 0
    assert f"but its alias volume_activation_state_dir is {other}; set only" in "".join(refused.failures())
    assert asked(fleet.lab, "Invoke:InstallProductKey") == {}
    # It keeps its mode.
    Path(other).mkdir()
    Path(other).chmod(0o750)
    run = fleet.play(ONE, volume_activation_state_directory="", volume_activation_state_dir=other)
    assert run.rc == 0, run.output[-3000:]
    assert json.loads(Path(other, "computer_list.json").read_text(encoding="utf-8"))["computers"].keys() == {ONE}
    assert (stat.S_IMODE(Path(other).stat().st_mode), fleet.state.exists()) == (0o750, False)


@pytest.mark.tier("soak")
def test_esu_is_activated_beside_the_license_by_kms(fleet: Fleet):
    hosts = groups_of(fleet.lab)["esu"]
    before = {host: fleet.products(host) for host in hosts}
    assert {product["license_status"] for products in before.values() for product in products} == {LICENSED}
    run = fleet.play("esu", volume_activation_mak=ESU)
    assert run.rc == 0, run.output[-3000:]
    for host in hosts:
        assert fleet.holds(host, ESU)
        assert [product for product in fleet.products(host) if product["key"] != ESU] == before[host]
    assert fleet.spent() == {ESU: 4}


@pytest.mark.tier("soak")
def test_kms_clients_are_converted_to_mak_and_back(fleet: Fleet, tmp_path_factory: pytest.TempPathFactory):
    control, (first, second) = fleet.lab.control, groups_of(fleet.lab)["esu"][:2]
    maker = "pc-020.contoso.com"
    run = fleet.play(f"{first}:{second}:{maker}", CONVERTED)
    assert run.rc == 0, run.output[-3000:]
    assert fleet.holds(first, ENTERPRISE)
    assert fleet.holds(second, ENTERPRISE)
    assert [product["key"] for product in fleet.products(maker)] == ["oem_win_professional"]
    assert fleet.spent() == {ENTERPRISE: 2}
    # A reference image only gets its key.
    own = documented.own_play(tmp_path_factory.mktemp("play"), "mak_independent", "mak_clients", tasks_from="to_kms")
    image = fleet.play(second, own, mak_independent_activate="false")
    assert image.rc == 0, image.output[-3000:]
    assert [product["key"] for product in fleet.products(second)] == ["gvlk_windows_10_enterprise"]
    fleet.install(KMS_HOST, "csvlk_2022")
    control.activate("kms-1")
    control.drift("firewall_on", "kms-1")
    control.count_clients("kms-1", 30)
    back = fleet.play(f"{first}:{second}", GIVEN_BACK, mak_independent_kms_host=KMS_HOST)
    assert back.rc == 0, back.output[-3000:]
    assert fleet.holds(first, "gvlk_windows_10_enterprise"), back.output[-3000:]
    assert fleet.holds(second, "gvlk_windows_10_enterprise")
    assert back.custom_stats["mak_to_kms"]["licensed"] == 2


@pytest.mark.tier("soak")
@pytest.mark.parametrize(("entry", "playbook"), [("", "mak_independent"), ("to_kms", "mak_to_kms")])
def test_batches_and_hosts_that_go_apart_are_refused_before_any_computer_is_asked(
    fleet: Fleet, tmp_path_factory: pytest.TempPathFactory, entry: str, playbook: str
):
    folder, before = tmp_path_factory.mktemp("play"), len(fleet.lab.requests())
    for says, keywords in documented.REFUSED.items():
        refused = fleet.play(f"{ONE}:{TWO}", documented.own_play(folder, "mak_independent", "mak_clients", tasks_from=entry, **keywords))
        assert refused.rc != 0
        assert f"{says}, or run the playbook winops.volume_activation.{playbook}." in refused.failures()[0]
    assert len(fleet.lab.requests()) == before


@pytest.mark.tier("soak")
def test_the_role_in_a_play_does_the_whole_scenario_and_costs_a_computer_at_most_eight_tasks(
    fleet: Fleet, tmp_path_factory: pytest.TempPathFactory
):
    hosts, play = reachable(fleet)[:4], documented.own_play(tmp_path_factory.mktemp("play"), "mak_independent", "mak_clients")
    fleet.lab.control.inject(host=f"{hosts[3].partition('.')[0]}*", action="Invoke:Activate", hresult=0x80041001, times=0)
    costs = Costs()
    run = fleet.play(":".join(hosts), play, on_event=costs.handle)
    assert run.rc != 0
    assert (run.stats["failures"], fleet.spent()) == ({hosts[3]: 1}, {ENTERPRISE: 3}), run.output[-3000:]
    assert [entry.result["msg"] for entry in run.of_task("Progress")] == [f"{number} of 4 computers were processed" for number in (1, 4)]
    # What runs once is started on the first one of the play, or of its batch.
    assert [costs.tasks[host] for host in hosts[2:]] == [8, 8]
    fleet.lab.control.clear_faults()
    assert fleet.play(":".join(hosts), play).rc == 0
    again = fleet.play(":".join(hosts), play)
    assert (again.rc, again.changed(), fleet.spent()) == (0, 0, {ENTERPRISE: 4})
    listed = json.loads((fleet.state / "computer_list.json").read_text(encoding="utf-8"))["computers"]
    assert {product["activation"]["outcome"] for host in hosts for product in listed[host]["products"].values()} == {"licensed"}


@pytest.mark.tier("soak")
def test_a_reference_image_gets_its_key_and_spends_nothing(fleet: Fleet):
    run = fleet.play(ONE, mak_independent_activate="false")
    assert run.rc == 0, run.output[-3000:]
    assert holders(fleet, [ONE]) == [ONE]
    assert (fleet.spent(), fleet.lab.microsoft_requests()) == ({}, [])
    assert run.custom_stats["mak_independent"]["installed"] == 1


def test_an_activation_whose_answer_was_lost_after_the_work_is_not_repeated(fleet: Fleet):
    fleet.lab.control.inject(action="Invoke:Activate", fault="reset", done=True, times=0)
    run = fleet.play(f"{ONE}:{TWO}", arguments="-vvvvv")
    assert run.rc == 0, run.output[-3000:]
    assert fleet.spent() == {ENTERPRISE: 2}
    assert asked(fleet.lab, "Invoke:Activate") == {ONE: 1, TWO: 1}
    assert leaks([("output", run.output.encode())], {ENTERPRISE: data.key_named(ENTERPRISE).key}) == []


def test_a_dark_computer_is_a_line_and_one_that_fails_does_so_after_the_summary(fleet: Fleet):
    nowhere = {"all": {"hosts": {ONE: {"ansible_host": "127.0.0.1", "ansible_port": 1}}}}
    (fleet.inventory / "nowhere.yml").write_text(yaml.safe_dump(nowhere), encoding="utf-8")
    fleet.lab.control.inject(host="pc-002*", action="Invoke:InstallProductKey", hresult=0x80041001, times=0)
    run = fleet.play(":".join([ONE, TWO, THREE]))
    assert run.rc != 0
    assert run.stats["dark"] == {}
    assert run.stats["failures"] == {TWO: 1}
    assert fleet.spent() == {ENTERPRISE: 1} and fleet.holds(THREE, ENTERPRISE)
    (summary,) = run.of_task("Summary")
    assert f"Not reached: 1 ({ONE})" in summary.result["msg"]
    (failed,) = [line for line in summary.result["msg"] if line.startswith("Failed: ")]
    (last,) = run.of_task("Fail for a computer that was not activated")
    assert (last, last.host) == (run.results[-1], TWO)
    assert failed == f"Failed: {last.result['msg']}" and "0x80041001" in failed
    # The dark one is checked once, and left out from then on.
    assert {entry.task for entry in run.results if entry.host == ONE and entry.event == "runner_on_unreachable"} == {
        "Read the licensing state"
    }


def test_each_computer_gets_the_key_of_the_ring_that_its_group_has(fleet: Fleet):
    hosts = [ONE, reachable(fleet, PROFESSIONAL)[0]]
    place = fleet.inventory / "lab.yml"
    inventory = yaml.safe_load(place.read_text(encoding="utf-8"))
    ring = inventory["all"]["vars"].pop("volume_activation_mak_ring")
    for name in (ENTERPRISE, PROFESSIONAL):
        inventory["all"]["children"][name].setdefault("vars", {})["volume_activation_mak_ring"] = {name: ring[name]}
    place.unlink()
    place.write_text(yaml.safe_dump(inventory), encoding="utf-8")
    run = fleet.play(":".join(hosts))
    assert run.rc == 0, run.output[-3000:]
    assert fleet.spent() == {ENTERPRISE: 1, PROFESSIONAL: 1}


def test_what_a_play_gives_takes_the_place_of_the_inventory(fleet: Fleet, tmp_path: Path):
    ring = {"ours": {"key": data.key_named(ENTERPRISE).key, "description": "of the play"}}
    variables = {"volume_activation_mak": "ours", "volume_activation_mak_ring": ring, "volume_activation_mak_hosts": f"{ONE}:{TWO}"}
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        yaml.safe_dump([{"name": "Activate", "ansible.builtin.import_playbook": PLAYBOOK, "vars": variables}]), encoding="utf-8"
    )
    run = fleet.play(playbook=str(playbook))
    assert run.rc == 0, run.output[-3000:]
    assert any("Key ours (of the play)" in line for line in run.of_task("Summary")[0].result["msg"])
    assert fleet.spent() == {ENTERPRISE: 2}


def killed_in_turn(fleet: Fleet, hosts: list[str], step: int) -> list[int]:
    """Kill after so many requests, run again and kill after twice as many, and so on until a run comes to its end.

    Returns how many requests there were at the end of each killed run.
    """
    runs: list[int] = []
    while kill_after_requests(fleet, ":".join(hosts), (len(runs) + 1) * step):
        # What was on its way when the run was killed is still answered.
        fleet.lab.control.settle()
        runs.append(len(fleet.lab.requests()))
    return runs


@pytest.mark.tier("soak")
@pytest.mark.parametrize(("count", "step", "kills"), [(1, 1, 8), (6, 9, 6)])
def test_killed_in_turn_and_run_again_it_never_activates_before_the_state_was_read(fleet: Fleet, count: int, step: int, kills: int):
    """One computer after each of its requests, and several that are at different stages then."""
    hosts = reachable(fleet)[:count]
    runs = killed_in_turn(fleet, hosts, step)
    assert len(runs) >= kills
    assert all(fleet.holds(host, ENTERPRISE) for host in hosts)
    assert fleet.spent() == {ENTERPRISE: count}
    requests, attempted = fleet.lab.requests(), set()
    for (begin, end), host in itertools.product(itertools.pairwise([0, *runs, len(requests)]), hosts):
        run = [entry for entry in requests[begin:end] if entry["host"] == host]
        attempts = [place for place, entry in enumerate(run) if entry["action"] == "Invoke:Activate"]
        assert len(attempts) <= 1
        attempted |= {host} if attempts else set()
        assert all(any("SoftwareLicensingProduct" in entry["query"] for entry in run[:place]) for place in attempts)
    assert attempted == set(hosts)
    # What a killed run could not write down any more, the state has proved to a later one.
    computers = json.loads((fleet.state / "computer_list.json").read_text(encoding="utf-8"))["computers"]
    ends = [product["activation"] for computer in computers.values() for product in computer["products"].values()]
    assert [(end["outcome"], bool(end["began"] and end["ended"])) for end in ends] == [("licensed", True)] * count
