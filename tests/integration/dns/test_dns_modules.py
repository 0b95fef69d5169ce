# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module and the lookup as Ansible runs them; no secret shows. The static half is witnessed by ldbsearch."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from lab import names
from lab.domain.controller import Domain

from ..conftest import NEEDS_DOMAIN
from ..directory.test_directory_modules import run_module
from .bind import KEY_NAME, KEY_SECRET, SIGNED, Bind
from .helpers import DC_ADDRESS, Place, dig, value

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

ONE, TWO = "10 75 1688 kms-1.contoso.com", "10 25 1688 kms-2.contoso.com"
MADE = ("absent", "present")


def changes(result: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {step["attribute"]: (step["before"], step["after"]) for step in result["steps"]}


def test_dynamic_values_with_check_and_diff(running: Domain, secure: Place) -> None:
    options = {"zone": names.ZONE, "record": secure.record, "values": [value(ONE), value(TWO)], "ttl": 900, "dns_servers": [DC_ADDRESS]}
    planned = run_module(running, "dns_srv", check_mode=True, **options)
    assert secure.held() == {}
    done = run_module(running, "dns_srv", **options)
    assert planned["steps"] == done["steps"]
    assert changes(done) == {f"value {ONE}": MADE, f"value {TWO}": MADE}
    assert done["diff"][1]["before"] == ""
    assert done["diff"][1]["after"].splitlines()[1] == f"{secure.name}. 900 IN SRV {ONE}."
    assert secure.held() == {ONE: 900, TWO: 900}
    again = run_module(running, "dns_srv", **options)
    assert (again["changed"], again["messages"], "diff" in again) == (False, 1, False)
    options |= {"state": "absent", "domain_username": f"nobody@{names.REALM}"}
    del options["ttl"]
    refused = run_module(running, "dns_srv", **options)
    assert refused["error"]["name"] == "KDC_ERR_C_PRINCIPAL_UNKNOWN"
    assert secure.held() == {ONE: 900, TWO: 900}


def test_names_of_a_zone_cost_one_logon(running: Domain, secure: Place) -> None:
    """Four names: each is read, changed and read back, and there is one TKEY for all. A name that can't be read stops all."""
    names_of_it = [f"{secure.record}.{place}" for place in ("paris", "london", "rome", "oslo")]
    options = {"zone": names.ZONE, "dns_servers": [DC_ADDRESS], "ttl": 900}
    records = [{"record": record, "values": [value(ONE)]} for record in names_of_it]

    def held() -> list[dict[str, int]]:
        return [dig(DC_ADDRESS, 53, f"{record}.{names.ZONE}") for record in names_of_it]

    refused = run_module(running, "dns_srv", **options, records=[*records, {"record": "other.example.org.", "values": [value(TWO)]}])
    assert "other.example.org" in refused["msg"]
    empty = run_module(running, "dns_srv", **options, records=[])
    assert empty["msg"] == "records is empty; name at least one."
    twice = run_module(running, "dns_srv", **options, records=[records[0], {**records[0], "record": f"{names_of_it[0]}.{names.ZONE}"}])
    assert twice["msg"] == f"records holds {names_of_it[0]}.{names.ZONE} more than once."
    planned = run_module(running, "dns_srv", check_mode=True, **options, records=records)
    assert held() == [{}] * 4
    done = run_module(running, "dns_srv", **options, records=records)
    assert planned["steps"] == done["steps"]
    assert [(step["object"], step["attribute"]) for step in done["steps"]] == [
        (f"SRV {record}.{names.ZONE}", f"value {ONE}") for record in names_of_it
    ]
    assert done["messages"] <= 3 * 4 + 2
    assert held() == [{ONE: 900}] * 4
    assert [(row["name"], row["ttl"]) for row in done["records"]] == [(f"{record}.{names.ZONE}", 900) for record in names_of_it]
    again = run_module(running, "dns_srv", **options, records=records)
    assert (again["changed"], again["messages"]) == (False, 4)
    static = run_module(running, "dns_srv", **options, records=records, method="static")
    assert [step["attribute"] for step in static["steps"]] == [f"aging of {ONE}"] * 4
    assert run_module(running, "dns_srv", **options, records=records, method="static")["changed"] is False


def test_a_key_in_ansible(running: Domain, bind: Bind) -> None:
    options = {"zone": SIGNED, "record": "_module", "values": [value(ONE)], "server": bind.address, "key_name": KEY_NAME}
    done = run_module(running, "dns_srv", **options, key_secret=KEY_SECRET)
    assert changes(done) == {f"value {ONE}": MADE}
    assert KEY_SECRET not in str(done)
    assert list(dig(bind.address, bind.port, f"_module.{SIGNED}")) == [ONE]


def stamps(running: Domain, record: str) -> dict[str, int]:
    """Each target of a record with its time stamp in the directory, which is 0 for a static value."""
    database = str(running.layout.samba / "private" / "sam.ldb")
    argv = ["ldbsearch", f"--configfile={running.smb_conf}", "-H", database, "--show-binary", "-b", names.ZONE_DN, f"(dc={record})"]
    text = subprocess.run([*argv, "dnsRecord"], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"dwTimeStamp +: 0x[0-9a-f]+ \((\d+)\).*?nameTarget +: (\S+)", text, re.DOTALL)
    return {target: int(stamp) for stamp, target in found}


def test_static_values(running: Domain, secure: Place) -> None:
    secure.ensure(ONE, ttl=900)
    options = {
        "zone": names.ZONE,
        "record": secure.record,
        "values": [value(ONE), value(TWO)],
        "method": "static",
        "dns_servers": [DC_ADDRESS],
    }
    planned = run_module(running, "dns_srv", check_mode=True, **options)
    assert secure.held() == {ONE: 900}
    done = run_module(running, "dns_srv", **options)
    assert changes(planned) == changes(done) == {f"aging of {ONE}": ("dynamic", "static"), f"value {TWO}": MADE}
    assert secure.held() == {ONE: 900, TWO: 900}
    assert [row["static"] for row in done["before"]] == [False]
    assert [row["static"] for row in done["after"]] == [True, True]
    again = run_module(running, "dns_srv", **options)
    assert again["changed"] is False
    # A dynamic task sees the same values and leaves them static.
    assert secure.ensure(ONE, TWO).steps == []
    assert stamps(running, secure.record) == {"kms-1.contoso.com": 0, "kms-2.contoso.com": 0}
