# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host's own record in DNS: seen there, or made to appear.

Windows publishes by itself when it is activated and when sppsvc starts, with the rights of its machine account. Nothing
over WMI shows whether that worked or which groups its ticket knows, so the record decides: a host that is absent from it
although it should be there gets a new ticket, and publishes again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .._errors import ActivationError
from .._plan import Step
from .._wsman.session import Session
from . import computer
from .kms_host import KmsHost

SETTLE = 5.0
"""Seconds within which a publication that is going to work shows up as a rule: the host sends one update to a server that
answers at once. Purging tickets too early does no harm; a reboot does, so before one the whole time limit is waited for."""


@dataclass(frozen=True, slots=True)
class Publication:
    """Where and how a host has to be published.

    Attributes:
        domain: The DNS domain whose C(_vlmcs._tcp) has to name the host.
        port: The TCP port that the record has to name; C(None) for the one that the host has.
        ticket: How the host gets a ticket with its present groups: C(purge), C(reboot), C(wait) or C(none).
        timeout: Seconds to wait for the record after the host was made to publish.
        reboot_timeout: Seconds to wait for the host after a reboot.
        ports_of: Reads DNS: the ports under which the record names a host.
    """

    domain: str
    port: int | None
    ticket: str
    timeout: float
    reboot_timeout: float
    ports_of: Callable[[str], list[int]]

    @property
    def record(self) -> str:
        """The record's name."""
        return f"_vlmcs._tcp.{self.domain}"


class PublishedHost:
    """The record of one host, before and after the host itself was changed.

    Args:
        session: The host.
        publication: What has to be published.
    """

    def __init__(self, session: Session, publication: Publication) -> None:
        self._session = session
        self._publication = publication
        self.fqdn = computer.read_fqdn(session)
        self._ports_before = publication.ports_of(self.fqdn)
        self._published_by = "before"

    @property
    def shown(self) -> dict[str, str]:
        """The record as the task's result shows it."""
        return {"record": self._publication.record, "target": self.fqdn, "published_by": self._published_by}

    def plan(self, host: KmsHost) -> None:
        """Add the publication to the host's plan where the record does not name the host already."""
        port = self._publication.port or host.port
        if port in self._ports_before:
            return
        if not host.check_mode:
            self._demand_publishing(host, port)
        self._published_by = "planned"
        before = ", ".join(f"{self.fqdn}:{known}" for known in self._ports_before) or None
        step = Step(
            self._session.host,
            f"SRV {self._publication.record}",
            before,
            f"{self.fqdn}:{port}",
            "published by the host itself",
            after_step="license status" if host.activating else "",
        )
        host.plan.add(step, lambda: self._publish(host, port))

    def _demand_publishing(self, host: KmsHost, port: int) -> None:
        """Refuse what no ticket could bring about. In check mode an earlier task may be about to change these settings."""
        if not host.publishes:
            raise ActivationError(f"{self._session.host} has DNS publishing switched off; give dns_publishing: true.", source="windows")
        if port != host.port:
            raise ActivationError(
                f"{self._session.host} listens on port {host.port}, so Windows does not publish port {port}; give listening_port.",
                source="windows",
            )

    def _publish(self, host: KmsHost, port: int) -> None:
        if not host.state.licensed:
            raise ActivationError(f"{self._session.host} is no activated KMS host, so Windows does not publish it.", source="windows")
        self._published_by = self._ensure(host, port)

    def _ensure(self, host: KmsHost, port: int) -> str:
        """Wait for the record, and give the host a new ticket where it does not come; returns what it took."""
        publication = self._publication
        patience = publication.timeout if publication.ticket in ("reboot", "none") else min(SETTLE, publication.timeout)
        if (host.activating or host.restarted) and self._appears(port, patience):
            return "itself"
        took = "restart"
        if publication.ticket == "purge":
            computer.purge_tickets(self._session)
            took = "purge"
        elif publication.ticket == "reboot":
            computer.reboot(self._session, publication.reboot_timeout)
            took = "reboot"
        if publication.ticket != "none":
            # sppsvc keeps its security context with the DNS server, so it is restarted after the purge, too.
            host.restart()
            if self._appears(port, publication.timeout):
                return took
        raise ActivationError(self._absent(took), source="dns")

    def _appears(self, port: int, timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        pause = 0.1
        while port not in self._publication.ports_of(self.fqdn):
            if time.monotonic() >= deadline:
                return False
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
        return True

    def _absent(self, took: str) -> str:
        publication = self._publication
        sentence = f"{self._session.host} is activated, but {publication.record} does not name {self.fqdn}"
        if publication.ticket == "none":
            return sentence + ", and no new ticket was asked for. Its machine account needs read, write and delete on that record."
        if publication.ticket == "wait":
            return (
                sentence + f" within {publication.timeout:.0f} seconds of a restart of sppsvc. Where another host owns the record, a"
                " group of the KMS hosts needs rights on it (dns_record_acl), and a Kerberos ticket that knows the group: it is"
                " renewed within 10 hours, or at once by ticket: purge or ticket: reboot."
            )
        made = "its tickets were purged and sppsvc was restarted" if took == "purge" else "it was rebooted"
        return (
            sentence + f" although {made}. Its machine account, or a group that it is in, needs read, write and delete on"
            " that record (dns_record_acl); its event log has the reason as event 12293."
        )
