# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step that asks Microsoft with the way there, and without it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import least_rights
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from unit.lab.product_session import open_direct, said_by
from unit.lab.windows_fakes import FakeDomain

from ansible_collections.winops.volume_activation.plugins.action.mak_info import ActionModule
from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from lab import names
from lab.microsoft.proxy import ProxyServer, proxy_in_thread
from lab.microsoft.server import BatchServer, microsoft_in_thread
from lab.windows.data import key_named
from lab.windows.ports import SystemClock

pytestmark = pytest.mark.tier("soak")

KEY = "mak_win_enterprise"
CLOSED = "https://127.0.0.1:9/BatchActivation/BatchActivation.asmx"
Options = Mapping[str, Any]


@pytest.fixture(scope="module")
def microsoft(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BatchServer]:
    with microsoft_in_thread(tmp_path_factory.mktemp("microsoft")) as running:
        yield running


@pytest.fixture(scope="module")
def proxy() -> Iterator[ProxyServer]:
    with proxy_in_thread(names.PROXY_USER, names.PROXY_PASSWORD) as running:
        yield running


def ask(microsoft: BatchServer, options: Options) -> None:
    """One count, which has to come."""
    given = {
        "microsoft_url": microsoft.url,
        "ca_path": microsoft.ca_path,
        "extended_pids": [{"extended_pid": BatchServer.sample(KEY).extended_pid}],
        "timeout": 5,
        "retries": 0,
    }
    checked = ArgumentSpecValidator(documented_options("mak_info"), **ActionModule.CONSTRAINTS).validate(given | dict(options))
    assert checked.error_messages == []
    outcome = ActionModule.__new__(ActionModule).execute(checked.validated_parameters, False)
    assert isinstance(outcome.result["counts"][0]["remaining"], int)


def ask_microsoft(microsoft: BatchServer, _proxy: ProxyServer, missing: str) -> None:
    ask(microsoft, {"microsoft_url": CLOSED} if missing else {})


def ask_by_proxy(microsoft: BatchServer, proxy: ProxyServer, missing: str) -> None:
    account = {"http_proxy_username": names.PROXY_USER, "http_proxy_password": names.PROXY_PASSWORD}
    ask(microsoft, {"http_proxy": proxy.url, **({} if missing else account)})
    assert proxy.tunnels == [f"{microsoft.address}:{microsoft.port}"]


def activate_online(_microsoft: BatchServer, _proxy: ProxyServer, missing: str) -> None:
    domain = FakeDomain()
    domain.clock = SystemClock()  # type: ignore[assignment]
    try:
        host = domain.add("kms-1", "server_2022_standard", role="kms")
        domain.microsoft.reachable = not missing
        setup = KmsHostSetup(open_direct(host)[0], KmsHostWish(product_key=key_named("csvlk_2022").key, activate=True), check_mode=False)
        setup.change()
    finally:
        domain.close()


STEPS: dict[str, Callable[[BatchServer, ProxyServer, str], None]] = {
    "ask_microsoft": ask_microsoft,
    "ask_by_proxy": ask_by_proxy,
    "activate_online": activate_online,
}
FOUND = least_rights.paired("network", STEPS)


@pytest.mark.parametrize("name", FOUND)
def test_exactly_these_rights_suffice(microsoft: BatchServer, proxy: ProxyServer, name: str) -> None:
    proxy.forget()
    STEPS[name](microsoft, proxy, "")


@pytest.mark.parametrize(("name", "right"), least_rights.missing("network"))
def test_a_right_that_is_missing_is_named(microsoft: BatchServer, proxy: ProxyServer, name: str, right: str) -> None:
    assert least_rights.says(right) in said_by(lambda: STEPS[name](microsoft, proxy, right)).message
