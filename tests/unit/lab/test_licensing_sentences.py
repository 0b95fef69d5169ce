# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read when Windows refuses a key or an activation, by its code; and a KMS host that does not get into DNS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import error_catalogue
import pytest
from unit.lab.product_session import open_direct, said_by
from unit.lab.windows_fakes import FakeDomain, activate, install

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError, in_words
from ansible_collections.winops.volume_activation.plugins.plugin_utils._licensing.publish_list import ListWish, PublishLine
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.setup import KmsClient
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_client.state import KmsClientWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.publication import (
    Publication,
    PublishedHost,
    WantedValue,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.setup import KmsHostSetup
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.kms_host.state import KmsHostWish
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.platform import computer
from ansible_collections.winops.volume_activation.plugins.plugin_utils._wsman.session import UnknownOutcome
from lab.windows import data
from lab.windows.host import Host
from lab.windows.ports import SystemClock
from lab.windows.registry import ValueType
from lab.wsman.backend import WmiError
from lab.wsman.request_log import Entry

pytestmark = pytest.mark.tier("test")

CSVLK = data.key_named("csvlk_2022").key
NO_KEY = "BBBBB-BBBBB-BBBBB-BBBBB-BBBBB"

INSTALL = {
    "a key that is not valid here": 0xC004F050,
    "a key that is blocked": 0xC004F051,
    "a key of another edition": 0xC004F069,
    "a key that no configuration has": 0xC004E016,
    "a license store that is damaged": 0xC004E015,
    "an account that is no administrator": 0xC004F025,
    "a licensing service on its way down": 0xC004F075,
    "a parameter that Windows does not take": 0x80070057,
}
"""What Windows answers to InstallProductKey on a KMS host."""

HOST = {
    "a KMS host key that has no activations left": 0xC004C008,
    "a KMS host key that Microsoft has blocked": 0xC004C003,
    "a key that Microsoft does not know": 0xC004C001,
    "Microsoft cannot be reached": 0x80072EE7,
    "Microsoft does not answer": 0x80072EE2,
    "the activation service refuses": 0xC004B100,
    "a key that may not be used at this place": 0xC004C017,
}
"""What Windows answers to Activate on a KMS host."""

CLIENT = {
    "no KMS host that answers": 0xC004F074,
    "a KMS host whose key does not serve the client": 0xC004F042,
    "a KMS host that is none": 0xC004F039,
    "a KMS host that is not activated itself": 0xC004F041,
    "a client that could not be bound": 0xC004F056,
    "clocks that differ by hours": 0xC004F06C,
    "a KMS host in a virtual machine that is too old for that": 0xC004F06B,
    "no record of a KMS host": 0x8007232B,
    "no answer of DNS to the question for one": 0x8007251D,
    "a DNS server that fails": 0x8007232A,
    "no DNS server at all": 0x8007267C,
    "a fixed KMS host that DNS does not know": 0x8007007B,
    "a KMS host whose port is closed": 0x800706BA,
    "a computer whose firmware is of no Windows": 0xC004F035,
    "a client without a key": 0xC004F014,
    "hardware that has changed": 0xC004F00F,
    "a copy that is not genuine": 0xC004F200,
    "a MAK that has no activations left": 0xC004C020,
    "a client whose licensing service is disabled": 0x80070422,
    "a client that lacks the license of its product": 0xC004F034,
}
"""What Windows answers to Activate on a client."""

COUNTED = "a client that is counted, and not licensed yet"
NO_CSVLK, OTHER_KEY = "a KMS host without a KMS host key", "a key that was installed and makes no KMS host"
OF_CLIENTS, NO_SETUP_KEY = "a KMS host among the clients", "an edition that has no setup key"
WRITTEN = error_catalogue.paired("Keys and activations", [*INSTALL, OTHER_KEY, NO_CSVLK, *HOST, NO_SETUP_KEY, OF_CLIENTS, COUNTED, *CLIENT])
UNPUBLISHED = {
    "tickets were purged, and the right is missing all the same": ("purge", {}),
    "a restart, and the ticket does not know the group": ("wait", {}),
    "no new ticket was asked for": ("none", {}),
    "publishing is switched off": ("purge", {"publishes": False}),
    "another port than the host's is to be published": ("purge", {"port": 1690}),
}
WORKGROUP = "a computer of a workgroup"
NOT_RESTARTED, NOT_BACK = "a reboot that does not come about", "a computer that does not come back"
REBOOT_REFUSED, REBOOT_LOST = "a reboot that is refused", "a reboot that does not come about, whose order may have been lost"
RESTARTED = "a reboot that has come about"
UNUSABLE = "a line of the publish list that Windows does not read"
PUBLISHED = error_catalogue.paired(
    "A KMS host in DNS", [*UNPUBLISHED, UNUSABLE, WORKGROUP, REBOOT_REFUSED, RESTARTED, NOT_RESTARTED, REBOOT_LOST, NOT_BACK]
)


@pytest.fixture(scope="module")
def domain() -> Iterator[FakeDomain]:
    made = FakeDomain()
    yield made
    made.close()


@pytest.fixture(scope="module")
def kms_host(domain: FakeDomain) -> Host:
    """One on which nothing comes about, so that a test leaves it as it was."""
    return domain.add("kms-1", "server_2022_standard", role="kms")


@pytest.fixture(scope="module")
def client(domain: FakeDomain) -> Host:
    return domain.add("pc-001", "windows_11_enterprise")


def refusing(method: str, code: int) -> Callable[[Entry], None]:
    """Answers every call of a method with this code."""

    def intercept(entry: Entry) -> None:
        if entry.action == f"Invoke:{method}":
            raise WmiError(code, "Fehler")

    return intercept


def check(case: str, error: ActivationError, **known: object) -> None:
    written = WRITTEN if case in WRITTEN else PUBLISHED
    assert error_catalogue.shown(error) == error_catalogue.expected(written[case], error, **known)


@pytest.mark.parametrize("case", INSTALL)
def test_a_key_that_windows_refuses(kms_host: Host, case: str) -> None:
    session, carrier = open_direct(kms_host)
    carrier.intercept = refusing("InstallProductKey", INSTALL[case])
    error = said_by(KmsHostSetup(session, KmsHostWish(product_key=CSVLK), check_mode=False).change)
    check(case, error)
    assert CSVLK not in error.message


def test_a_key_that_windows_does_not_know_has_that_sentence_without_any_rule(kms_host: Host) -> None:
    session, _carrier = open_direct(kms_host)
    check("a key that is not valid here", said_by(KmsHostSetup(session, KmsHostWish(product_key=NO_KEY), check_mode=False).change))


@pytest.mark.parametrize("case", HOST)
def test_an_activation_of_a_kms_host_that_is_refused(kms_host: Host, case: str) -> None:
    session, carrier = open_direct(kms_host)
    carrier.intercept = refusing("Activate", HOST[case])
    check(case, said_by(KmsHostSetup(session, KmsHostWish(product_key=CSVLK, activate=True), check_mode=False).change))


def test_keys_that_make_no_kms_host(domain: FakeDomain) -> None:
    session, _carrier = open_direct(domain.add("kms-3", "server_2022_standard", role="kms"))
    check(NO_CSVLK, said_by(KmsHostSetup(session, KmsHostWish(activate=True), check_mode=False).change))
    mak = data.key_named("mak_server_2022_standard").key
    check(OTHER_KEY, said_by(KmsHostSetup(session, KmsHostWish(product_key=mak), check_mode=False).change))


@pytest.mark.parametrize("case", CLIENT)
def test_an_activation_of_a_client_that_is_refused(client: Host, case: str) -> None:
    session, carrier = open_direct(client)
    carrier.intercept = refusing("Activate", CLIENT[case])
    check(case, said_by(KmsClient(session, KmsClientWish(activate=True), check_mode=False).change))


def test_a_client_that_is_counted_is_no_failure(domain: FakeDomain) -> None:
    domain.add_kms_host("kms-4")
    session, _carrier = open_direct(domain.add("pc-002", "windows_11_enterprise"))
    client = KmsClient(session, KmsClientWish(activate=True), check_mode=False)
    client.change()
    assert (client.activation["state"], client.activation["code"]) == ("counted", "0xC004F038")
    assert client.activation["message"] == error_catalogue.said(WRITTEN[COUNTED])


def test_computers_that_can_be_no_clients(domain: FakeDomain) -> None:
    session, _carrier = open_direct(domain.add_kms_host("kms-5"))
    check(OF_CLIENTS, said_by(KmsClient(session, KmsClientWish(), check_mode=False).change))
    evaluation = domain.add("srv-01", "server_2022_standard")
    install(evaluation, data.key_named("mak_server_2022_standard").key)
    evaluation.registry.set("SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", "EditionID", ValueType.SZ, "ServerHyperCore")
    session, _carrier = open_direct(evaluation)
    check(NO_SETUP_KEY, said_by(KmsClient(session, KmsClientWish(), check_mode=False).change))


@pytest.mark.parametrize("case", UNPUBLISHED)
def test_a_kms_host_that_does_not_get_into_dns(domain: FakeDomain, case: str) -> None:
    ticket, more = UNPUBLISHED[case]
    domain.clock = SystemClock()  # type: ignore[assignment]  # services are waited for
    domain.owner["contoso.com"] = "KMS_1$"
    second = domain.add("kms-2", "server_2022_standard", role="kms")
    install(second, CSVLK)
    activate(second)
    session, _carrier = open_direct(second)
    publication = Publication(
        (WantedValue("contoso.com"),), more.get("port"), ticket, 0.2, 1, lambda _fqdn, wanted: dict.fromkeys(wanted, ())
    )
    settings = {"dns_publishing": False} if "publishes" in more else {}
    host = KmsHostSetup(session, KmsHostWish(settings=settings), check_mode=False, always_read=True)
    check(case, said_by(lambda: host.change(PublishedHost(session, publication).plan)))


def test_a_line_of_the_publish_list_that_windows_does_not_read_is_named_and_kept(domain: FakeDomain) -> None:
    host = domain.add("kms-6", "server_2022_standard", role="kms")
    spp = "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\SoftwareProtectionPlatform"
    host.registry.set(spp, "DnsDomainPublishList", ValueType.MULTI_SZ, ["contoso.com;10;100", "fabrikam.com, 10"])
    session, _carrier = open_direct(host)
    wish = KmsHostWish(publish_list=ListWish((PublishLine("contoso.com", 10, 100),)))
    for _run in range(2):
        work = KmsHostSetup(session, wish, check_mode=False)
        work.change()
        assert [in_words(warning) for warning in work.warnings] == [error_catalogue.said(PUBLISHED[UNUSABLE])]
        assert work.publish_lines == ("contoso.com, 10, 100", "contoso.com;10;100", "fabrikam.com, 10")
    work = KmsHostSetup(session, replace(wish, publish_list=ListWish((PublishLine("contoso.com", 10, 100),), exact=True)), check_mode=False)
    work.change()
    assert (work.warnings, work.publish_lines) == ([], ("contoso.com, 10, 100",))


class Rebooting:
    """A session with a computer that is told to restart: what it answers to the order, and whether it answers afterwards."""

    host = "kms-1.contoso.com"

    def __init__(self, answer: int | None = 0, comes_back: bool = True) -> None:
        self._answer = answer
        self._comes_back = comes_back
        self._ordered = False

    def query(self, _cim_class: object, columns: tuple[str, ...]) -> list[dict[str, Any]]:
        if self._ordered and not self._comes_back:
            raise ActivationError("kms-1.contoso.com: no answer.", source="wsman", unreachable=True)
        return [{**dict.fromkeys(columns), "PartOfDomain": False}]

    def invoke(self, _cim_class: object, _method: str) -> dict[str, Any]:
        self._ordered = True
        if self._answer is None:
            raise UnknownOutcome("lost")
        return {"ReturnValue": self._answer}

    def reconnect(self) -> None:
        pass


@pytest.mark.parametrize(
    ("case", "session", "unreachable"),
    [
        (REBOOT_REFUSED, Rebooting(1314), False),
        (NOT_RESTARTED, Rebooting(), False),
        (REBOOT_LOST, Rebooting(None), False),
        (NOT_BACK, Rebooting(comes_back=False), True),
    ],
)
def test_a_reboot_for_a_new_ticket(case: str, session: Any, unreachable: bool) -> None:
    error = said_by(lambda: computer.reboot(session, 0.2))
    check(case, error)
    assert error.unreachable is unreachable


def test_people_are_told_of_a_reboot() -> None:
    assert in_words(computer.restarted("kms-1.contoso.com")) == error_catalogue.said(PUBLISHED[RESTARTED])


def test_a_computer_of_a_workgroup_cannot_publish_itself() -> None:
    check(WORKGROUP, said_by(lambda: computer.read_fqdn(Rebooting())))
