# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No key and no password is left anywhere: every secret option of every module and role, in success and failure, in check and
diff mode, in loops and retries and in tracebacks, at -vvvv.

Looked through are all files of the job, the command lines and environments of all its processes, plain, as UTF-16 and inside
Base64. Modules, roles and their secrets are those of the documentation. The inventory holds the secrets in a vault, so that
nothing but the job itself has them.
"""

from __future__ import annotations

import json
import os
import secrets as random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from lab import names, park
from lab.inventory import CONNECTIONS
from lab.play import Run, run_playbook

from . import documented
from .conftest import Lab
from .leaks import Watch, files, leaks, watched

pytestmark = pytest.mark.tier("test")

VAULT_PASSWORD = "vault of the test"
KMS_1 = names.kms_hosts()[0]
PC_1, PC_2, PC_3 = names.clients(3)
STAND_INS = Path(__file__).parent / "standins"
CREDENTIAL = "contoso"
# For the roles that know sites.
SITES = {
    "contoso": {
        "domain": names.ZONE,
        "group": names.KMS_GROUP,
        "domain_controllers": [names.DC_FQDN],
        "dns_servers": [names.DC_ADDRESS],
        "credential": CREDENTIAL,
        "kms_hosts": [{"name": KMS_1.fqdn}],
    }
}
# The real ones, for success. Every other secret option has a canary in each case.
REAL = {"domain_password": names.OPERATOR_PASSWORD, "product_key": park.PARKS["modern"].csvlk}


def canary_key() -> str:
    """A key of the right shape that nobody has ever seen."""
    characters = "".join(random.choice("BCDFGHJKMPQRTVWXY2346789") for _ in range(25))
    return "-".join(characters[start : start + 5] for start in range(0, 25, 5))


CORES = {name: f"Kanarie{random.token_hex(5)}" for name in ("password", "connection")}
KEY = canary_key()
DIGITS = "".join(random.choice("0123456789") for _ in range(48))
# What surrounds the core is what libraries escape, each in its own way.
PASSWORDS = {name: f"'\\{core}\"ä<&" for name, core in CORES.items()}
SECRETS = {
    "canary key": KEY,
    "canary confirmation ID": DIGITS,
    **{f"canary {name}": core for name, core in CORES.items()},
    "real key": REAL["product_key"],
    "real domain password": REAL["domain_password"],
    "real WinRM password": names.WINRM_PASSWORD,
}
# Where a key goes, with another one in the place.
ANSWER_FILE = f"""<unattend xmlns="urn:schemas-microsoft-com:unattend"><settings pass="specialize">
<component name="Microsoft-Windows-Shell-Setup" processorArchitecture="amd64"><ProductKey>{KEY}</ProductKey></component>
</settings></unattend>"""


PROXY = {"http_proxy": "http://127.0.0.1:3128", "http_proxy_username": "someone"}
# Places of the reader's that the examples name, and what these write into is in no place that is searched.
PLACES: dict[str, dict[str, Any]] = {
    "debug_winrm_session": {"record": "{{ inventory_hostname }}.json"},
    "unattend_key": {"path": "{{ answer_file }}"},
    "computer_list": {"path": "{{ computer_list }}"},
    "confirmation_id": PROXY,
    "mak_info": PROXY,
}
# What a role does nothing without.
NEEDED = {"mak_proxy": {"mak_proxy_step": "phone"}}
# Secrets that an option of the example excludes: what really works has the option, and the canaries are without it.
EXCLUDED = {"kms_host": ("confirmation_id", "activate")}
# Where another example than the first is taken: one that needs no file of an earlier run, and one that asks where there is one host.
EXAMPLES = {"confirmation_id": 1, "license_survey": 2}
# What an earlier task of the examples registered.
PRODUCT = {
    "activation_id": "73111121-5638-40f6-bc11-f1d7b0d64300",
    "name": "Windows(R), Enterprise edition",
    "channel": "mak",
    "license_status": "notification",
    "partial_product_key": "7VCKF",
    "extended_pid": "03612-00206-271-344265-03-1033-20348.0000-0012026",
    "installation_id": "1234567" * 9,
}


def canary(option: str) -> Any:
    """What an option is given: a key, digits or accounts where it takes such, a password otherwise."""
    if option.endswith("credentials"):
        return {CREDENTIAL: {"username": names.CONTOSO.principal(names.OPERATOR), "password": "{{ canary_password }}"}}
    if option.endswith("confirmation_ids"):
        return {names.kms_hosts()[0].fqdn: "{{ canary_digits }}"}
    if option.endswith("confirmation_id"):
        return "{{ canary_digits }}"
    return "{{ canary_key }}" if option.endswith(("product_key", "csvlk")) else "{{ canary_password }}"


def with_secrets(module: str, example: dict[str, Any], secret: Callable[[str], str]) -> dict[str, Any]:
    """The example with a value in each secret option, and with those entries of lists in other examples that have secrets in them."""
    hidden = set(documented.secrets_of(module))
    filled, inside = dict(example), set()
    for use in documented.uses_of(module):
        for option, entries in use.items():
            for entry in entries if isinstance(entries, list) else []:
                if isinstance(entry, dict) and (names_of := hidden & entry.keys()) - inside:
                    # On a KMS host that is licensed a key goes to Windows only where it may take the place of the other.
                    replaces = {"replace_key": True} if "product_key" in names_of else {}
                    filled[option] = [*filled.get(option, []), entry | replaces | {name: secret(name) for name in names_of}]
                    inside |= names_of
    return filled | {option: secret(option) for option in hidden - inside}


def cases(module: str) -> list[dict[str, Any]]:
    """The tasks with a module: as its first example has it, with canaries in its secret options."""
    name = f"{documented.COLLECTION}.{module}"
    used = documented.uses_of(module)[EXAMPLES.get(module, 0)]
    example = {option: value for option, value in used.items() if option not in ("dns_servers", "timeout")} | PLACES.get(module, {})
    hidden = documented.secrets_of(module)
    real = with_secrets(module, example, lambda option: f"{{{{ real_{option} }}}}" if option in REAL else canary(option))
    wrong = with_secrets(module, example, canary)
    items = with_secrets(module, example, lambda option: f"{{{{ item.{option} }}}}")
    for option, instead in [EXCLUDED[module]] if module in EXCLUDED else ():
        del real[option]
        for canaries in (wrong, items):
            canaries.pop(instead, None)
    common = {"ignore_errors": True, "ignore_unreachable": True}
    return [
        {"name": f"{module} in check mode", name: real, "check_mode": True, **common},
        {"name": f"{module} really", name: real, **common},
        {"name": f"{module} with canaries", name: wrong, **common},
        {"name": f"{module} with an option that it has not", name: wrong | {"no_such_option": 1}, **common},
        {"name": f"{module} in a loop", name: items, "loop": [{"name": "one", **{option: canary(option) for option in hidden}}], **common},
        {"name": f"{module} again and again", name: wrong, "register": "again", "until": "false", "retries": 1, "delay": 0, **common},
    ]


def role_cases(role: str) -> list[dict[str, Any]]:
    """Each entry point that has secret options, with canaries in them: once as it is meant, once with a value out of its choices."""
    found = []
    for entry, options in documented.role_options(role).items():
        hidden = {name: canary(name) for name, option in options.items() if option.get("no_log")} | NEEDED.get(role, {})
        nonsense = [{name: "nonsense"} for name, option in options.items() if "choices" in option][:1]
        wrongs = [{}, *nonsense, {next(iter(hidden)): ["{{ canary_key }}"]}] if hidden else []
        for wrong in wrongs:
            include = {"name": f"{documented.COLLECTION}.{role}", "tasks_from": entry}
            task = {"name": f"Role {role} {entry}", "ansible.builtin.include_role": include, "vars": hidden | wrong}
            found.append({"block": [task], "rescue": [{"name": "Go on", "ansible.builtin.meta": "clear_host_errors"}]})
    return found


def playbook(*plays: tuple[str, list[dict[str, Any]]]) -> str:
    return yaml.safe_dump([{"name": hosts, "hosts": hosts, "gather_facts": False, "tasks": tasks} for hosts, tasks in plays], width=1000)


def write_inventory(lab: Lab, folder: Path, kinit: Path) -> Path:
    """The lab's own inventory, with every secret in a vault, and hosts with the wrong password of the connection."""
    folder.mkdir()
    inventory = yaml.safe_load(lab.layout.inventory.read_text(encoding="utf-8"))
    variables = inventory["all"]["vars"]
    variables |= {
        "ansible_password": "{{ real_winrm_password }}",
        "volume_activation_domain_password": "{{ real_domain_password }}",
        "kms_single_site_csvlk": "{{ real_product_key }}",
        "volume_activation_sites": SITES,
        # Its key stands in clear text in it, so that it is in no place that is searched.
        "answer_file": str(folder / "Unattend.xml"),
        "computer_list": str(folder / "computers.json"),
        "mak": {"product": PRODUCT},
        "installation_id": PRODUCT["installation_id"],
    }
    (folder / "Unattend.xml").write_text(ANSWER_FILE, encoding="utf-8")
    kerberos = CONNECTIONS["winrm_kerberos"](lab.layout) | {"ansible_winrm_kinit_cmd": str(kinit)}
    clients = inventory["all"]["children"]["kms_clients"]["hosts"]
    clients[PC_1.fqdn] |= kerberos
    clients[PC_2.fqdn] |= {"ansible_password": "{{ canary_connection }}"}
    clients[PC_3.fqdn] |= kerberos | {"ansible_password": "{{ canary_connection }}"}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    vault = VaultLib([("default", VaultSecret(VAULT_PASSWORD.encode()))])
    hidden = {f"real_{name}": value for name, value in REAL.items()} | {
        "real_winrm_password": names.WINRM_PASSWORD,
        "canary_key": KEY,
        "canary_digits": DIGITS,
    }
    hidden |= {f"canary_{name}": value for name, value in PASSWORDS.items()}
    (folder / "group_vars").mkdir()
    (folder / "group_vars/all.yml").write_bytes(vault.encrypt(yaml.safe_dump(hidden)))
    (folder / "vault").write_text(VAULT_PASSWORD, encoding="utf-8")
    return folder / "hosts.yml"


def job(lab: Lab, folder: Path, text: str, environment: dict[str, str]) -> tuple[Run, Watch]:
    """Run a playbook at -vvvv as AWX does, and watch its processes."""
    kinit = folder / "kinit"
    kinit.write_text(
        f'#!/bin/sh\n{{ cat /proc/$$/cmdline /proc/$$/environ; }} >>"{folder}/kept/children"\nexec kinit "$@"\n', encoding="utf-8"
    )
    kinit.chmod(0o755)
    kept = folder / "kept"
    (kept / "project").mkdir(parents=True)
    (kept / "project/play.yml").write_text(text, encoding="utf-8")
    inventory = write_inventory(lab, folder / "inventory", kinit)
    hidden = dict.fromkeys(("LAB_WINRM_PASSWORD", "LAB_DOMAIN_PASSWORD", "LAB_CSVLK"), "")
    with watched() as watch:
        run = run_playbook(
            lab.layout.root,
            "play.yml",
            inventory=inventory,
            arguments=f"-vvvv --diff --vault-password-file {folder}/inventory/vault",
            environment={**hidden, **environment},
            keep=kept,
        )
    assert {"cmdline", "environ"} <= {place.partition(" ")[0] for place, _content in watch.places}
    return run, watch


def assert_nothing_leaked(folder: Path, run: Run, watch: Watch) -> None:
    held = list(files(folder / "kept"))
    assert any("/job_events/" in place for place, _content in held)
    found = leaks([*held, ("standard output", run.output.encode()), *watch.places], SECRETS)
    assert found == [], "\n".join(found)


def test_the_search_finds_what_is_there(tmp_path: Path):
    import base64  # noqa: PLC0415

    shown = [f"user:{PASSWORDS['password']}", f"x{KEY[:-5]}", KEY.replace("-", "").lower()]
    for encoding in ("utf-8", "utf-16-le"):
        for text in shown:
            for content in (text.encode(encoding), base64.b64encode(text.encode(encoding))):
                if content != base64.b64encode(shown[2].encode(encoding)):
                    assert leaks([("place", content)], SECRETS), content
    assert leaks([("place", KEY[-5:].encode())], SECRETS) == []


def test_no_secret_of_any_module_or_role_is_left_anywhere(fresh_lab: Lab, tmp_path: Path):
    # The record whose rights are checked is the host's own.
    modules = sorted(documented.MODULES, key=lambda module: module != "kms_host")
    tasks = [task for module in modules for task in cases(module)]
    read = {"name": "Read", "winops.volume_activation.license_info": {}, "ignore_errors": True, "ignore_unreachable": True}
    roles = [case for role in documented.ROLES for case in role_cases(role)]
    text = playbook((f"{PC_1.fqdn}:{PC_2.fqdn}:{PC_3.fqdn}", [read]), (KMS_1.fqdn, tasks), (f"{KMS_1.fqdn}:{PC_1.fqdn}", roles))
    run, watch = job(fresh_lab, tmp_path, text, {})
    assert_nothing_leaked(tmp_path, run, watch)
    # The cases were what they are meant to be.
    read_by = {entry.host: entry.event for entry in run.of_task("Read")}
    assert read_by == {PC_1.fqdn: "runner_on_ok", PC_2.fqdn: "runner_on_unreachable", PC_3.fqdn: "runner_on_unreachable"}
    assert "kinit" in (tmp_path / "kept/children").read_text(encoding="utf-8", errors="replace")
    for module in documented.MODULES:
        assert run.of_task(f"{module} in check mode"), module
        (entry,) = run.of_task(f"{module} with an option that it has not")
        assert "no_such_option" in entry.result["msg"], module
        if documented.secrets_of(module):
            (item, _all) = run.of_task(f"{module} in a loop")
            assert item.result.keys() >= {"censored"}, item
    (installed,) = run.of_task("kms_host really")
    assert [step["after"] for step in installed.result["steps"] if step["attribute"] == "product key"] == [REAL["product_key"][-5:]]
    # The secrets of entries of lists went all the way to Windows.
    assert run.of_task("slmgr really")[0].event == "runner_on_ok"
    assert "InstallProductKey" in run.of_task("slmgr with canaries")[0].result["msg"]
    assert run.of_task("ad_group really")[0].event == run.of_task("dns_record_acl really")[0].event == "runner_on_ok"
    assert REAL["product_key"][-5:] in run.output
    assert run.of_task("unattend_key really")[0].result["keys"] == [
        {"architecture": "amd64", "partial_product_key": REAL["product_key"][-5:]}
    ]
    # The accounts of sites got as far as the directory, which knows another password.
    for task in ("Check the groups", "Check the groups and the machine accounts"):
        assert any("password" in str(entry.result.get("msg")) for entry in run.of_task(task)), task


def test_no_secret_is_in_a_traceback(running_lab: Lab, tmp_path: Path):
    tasks = [cases(module)[2] for module in documented.MODULES]
    path = os.pathsep.join([str(STAND_INS), os.environ.get("PYTHONPATH", "")])
    run, watch = job(running_lab, tmp_path, playbook((KMS_1.fqdn, tasks)), {"PYTHONPATH": path})
    results = [run.of_task(f"{module} with canaries")[0].result for module in documented.MODULES]
    for result in results:
        # A layer that knows how to say what a library could not do repeats its words.
        assert " values: [" in result.get("msg", json.dumps(result)), result
    defects = [result for result in results if result.get("error", {}).get("source") == "collection"]
    assert defects
    assert run.output.count("Traceback (most recent call last)") >= len(defects)
    assert_nothing_leaked(tmp_path, run, watch)
