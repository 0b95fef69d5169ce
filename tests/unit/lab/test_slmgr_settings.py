# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""slmgr's verbs that set something: what each calls and in which order, what it leaves, and that it leaves it alone then.

The calls are those of docs/facts/slmgr.md#kms-client-settings and docs/facts/slmgr.md#kms-host-settings, written down here once
more; the state is the machine's own.
"""

from __future__ import annotations

from typing import Any

import pytest
from unit.lab.product_session import open_direct
from unit.lab.slmgr_task import calls, row_of, slmgr
from unit.lab.windows_fakes import service_row

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.requests import parse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.slmgr.run import run
from lab.windows.host import Host

pytestmark = pytest.mark.tier("test")

WINDOWS_10 = "73111121-5638-40f6-bc11-f1d7b0d64300"


SETTINGS: list[tuple[dict[str, Any], str, Any, list[str]]] = [
    (
        {"verb": "skms", "kms_host": "kms-1.contoso.com:1689"},
        "KeyManagementServiceMachine",
        "kms-1.contoso.com",
        ["SetKeyManagementServiceMachine", "SetKeyManagementServicePort"],
    ),
    ({"verb": "skms", "kms_host": "kms-1"}, "KeyManagementServiceMachine", "kms-1", ["SetKeyManagementServiceMachine"]),
    ({"verb": "skms", "kms_host": ":1689"}, "KeyManagementServicePort", 1689, ["SetKeyManagementServicePort"]),
    (
        {"verb": "skms-domain", "lookup_domain": "contoso.com"},
        "KeyManagementServiceLookupDomain",
        "contoso.com",
        ["SetKeyManagementServiceLookupDomain"],
    ),
    ({"verb": "ckhc"}, "KeyManagementServiceHostCaching", False, ["DisableKeyManagementServiceHostCaching"]),
]
HOST_SETTINGS: list[tuple[dict[str, Any], str, Any, list[str]]] = [
    ({"verb": "sprt", "port": 1690}, "KeyManagementServiceListeningPort", 1690, ["SetKeyManagementServiceListeningPort"]),
    ({"verb": "sai", "minutes": 60}, "VLActivationInterval", 60, ["SetVLActivationInterval"]),
    ({"verb": "sri", "minutes": 1440}, "VLRenewalInterval", 1440, ["SetVLRenewalInterval"]),
    ({"verb": "cdns"}, "KeyManagementServiceDnsPublishing", False, ["DisableKeyManagementServiceDnsPublishing"]),
    ({"verb": "cpri"}, "KeyManagementServiceLowPriority", True, ["EnableKeyManagementServiceLowPriority"]),
]
BACK: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"verb": "cdns"}, {"verb": "sdns"}, ["DisableKeyManagementServiceDnsPublishing"]),
    ({"verb": "cpri"}, {"verb": "spri"}, ["EnableKeyManagementServiceLowPriority"]),
    ({"verb": "ckhc"}, {"verb": "skhc"}, ["DisableKeyManagementServiceHostCaching"]),
    (
        {"verb": "skms", "kms_host": "a:1"},
        {"verb": "ckms"},
        ["ClearKeyManagementServiceMachine", "ClearKeyManagementServicePort"],
    ),
    ({"verb": "skms", "kms_host": "a:1"}, {"verb": "skms", "kms_host": "a"}, ["ClearKeyManagementServicePort"]),
    ({"verb": "skms-domain", "lookup_domain": "b.com"}, {"verb": "ckms-domain"}, ["ClearKeyManagementServiceLookupDomain"]),
    ({"verb": "act-type", "activation_type": 2}, {"verb": "act-type", "activation_type": 0}, ["ClearVLActivationTypeEnabled"]),
]


def check_that_it_sets(host: Host, entry: dict[str, Any], column: str, wanted: Any, methods: list[str]) -> None:
    """Planned as it is then made, called as slmgr does, read as wanted, and left alone the second time."""
    before = service_row(host)
    planned, looked = slmgr(host, entry, check_mode=True)
    assert calls(looked) == [] and service_row(host) == before
    done, carrier = slmgr(host, entry)
    assert calls(carrier) == methods
    assert done.steps == planned.steps and len(done.steps) == 1
    assert service_row(host)[column] == wanted != before[column]
    again, carrier = slmgr(host, entry)
    assert (again.steps, calls(carrier)) == ([], [])
    assert [verb["changed"] for verb in (*done.verbs, *again.verbs)] == [True, False]


@pytest.mark.parametrize(("entry", "column", "wanted", "methods"), SETTINGS, ids=str)
def test_a_setting_of_clients(client: Host, entry: dict[str, Any], column: str, wanted: Any, methods: list[str]):
    check_that_it_sets(client, entry, column, wanted, methods)


@pytest.mark.parametrize(("entry", "column", "wanted", "methods"), HOST_SETTINGS, ids=str)
def test_a_setting_of_kms_hosts(kms: Host, entry: dict[str, Any], column: str, wanted: Any, methods: list[str]):
    check_that_it_sets(kms, entry, column, wanted, methods)
    done, _carrier = slmgr(kms, entry)
    assert done.restart_needed == []


@pytest.mark.parametrize(("there", "back", "methods"), BACK, ids=str)
def test_a_setting_is_taken_back(kms: Host, there: dict[str, Any], back: dict[str, Any], methods: list[str]):
    before = service_row(kms)
    slmgr(kms, there)
    done, carrier = slmgr(kms, back)
    assert calls(carrier) == methods
    assert len(done.steps) == 1
    if back.get("kms_host") is None:
        assert service_row(kms) == before
    again, carrier = slmgr(kms, back)
    assert (again.steps, calls(carrier)) == ([], [])


@pytest.mark.parametrize("entry", [entry for entry, *_rest in HOST_SETTINGS], ids=str)
def test_a_verb_of_kms_hosts_is_an_error_elsewhere_and_nothing_is_changed(client: Host, entry: dict[str, Any]):
    before = service_row(client)
    for check_mode in (True, False):
        with pytest.raises(ActivationError, match=f"no KMS host, and {entry['verb']} is for KMS hosts only"):
            slmgr(client, {"verb": "ckhc"}, entry, check_mode=check_mode)
    assert service_row(client) == before


def test_a_setting_of_one_product_leaves_the_others(client: Host):
    entries = [
        {"verb": "skms", "kms_host": "kms-2:1700", "activation_id": WINDOWS_10},
        {"verb": "skms-domain", "lookup_domain": "x.com", "activation_id": WINDOWS_10},
        {"verb": "act-type", "activation_type": 2, "activation_id": WINDOWS_10},
    ]
    done, carrier = slmgr(client, *entries)
    assert calls(carrier) == [
        "SetKeyManagementServiceMachine",
        "SetKeyManagementServicePort",
        "SetKeyManagementServiceLookupDomain",
        "SetVLActivationTypeEnabled",
    ]
    assert all(entry.resource.endswith("Product") for entry in carrier.log if entry.action.startswith("Invoke"))
    row = row_of(client, WINDOWS_10)
    assert (row["KeyManagementServiceMachine"], row["KeyManagementServicePort"]) == ("kms-2", 1700)
    assert (row["KeyManagementServiceLookupDomain"], row["VLActivationTypeEnabled"]) == ("x.com", 2)
    assert not service_row(client)["KeyManagementServiceMachine"]
    assert "the KMS host kms-2 is set" in " ".join(done.warnings)
    assert slmgr(client, *entries)[0].steps == []
    back = [{"verb": verb, "activation_id": WINDOWS_10} for verb in ("ckms", "ckms-domain")]
    slmgr(client, *back)
    assert not row_of(client, WINDOWS_10)["KeyManagementServiceMachine"]


def test_where_windows_refuses_the_port_the_old_name_comes_back(client: Host):
    slmgr(client, {"verb": "skms", "kms_host": "old"})
    session, carrier = open_direct(client)

    real = session.invoke

    def invoke(cim_class: Any, method: str, *rest: Any, **named: Any) -> Any:
        if method == "SetKeyManagementServicePort":
            raise ActivationError("refused", source="windows")
        return real(cim_class, method, *rest, **named)

    session.invoke = invoke  # type: ignore[method-assign]
    with pytest.raises(StepFailed) as caught:
        run(session, parse([{"verb": "skms", "kms_host": "new:1689"}], lambda path: (path, "")), check_mode=False)
    assert caught.value.done == []
    assert calls(carrier) == ["SetKeyManagementServiceMachine"] * 2
    assert service_row(client)["KeyManagementServiceMachine"] == "old"
