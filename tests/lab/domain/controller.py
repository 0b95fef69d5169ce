# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The domain's life: made, started, waited for, returned to fresh, stopped; and what its controllers tell each other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import names
from ..layout import Layout
from ..wsman import certificates
from . import programs, provision, replication, settings
from .daemon import Controller
from .programs import DomainError, missing_programs

__all__ = ["Domain", "DomainError", "missing_programs", "provision_all"]


class Domain:
    """contoso.com, or another domain, on one Samba domain controller, or on two that replicate.

    ``address`` is the loopback address of the first; several domains can live on one machine. ``forwarder`` is the DNS
    server that is asked about the rest of the world. ``zones`` are DNS zones beside the domain's own. Constructing it does
    nothing.
    """

    def __init__(
        self,
        layout: Layout,
        address: str = names.DC_ADDRESS,
        count: int = 1,
        forwarder: str = "",
        realm: names.Realm = names.CONTOSO,
        zones: Sequence[str] = (),
    ) -> None:
        self.layout = layout
        self.realm = realm
        self.zones = tuple(zones)
        self._forwarder = forwarder
        self.controllers = [Controller(layout, name, paired=count > 1) for name in names.controllers(count, address, realm)]

    def controller(self, label: str) -> Controller:
        """The controller with that label, key or DNS name, in any case. Raises DomainError."""
        wanted = label.lower()
        for controller in self.controllers:
            if wanted in (controller.name.label, controller.name.key, controller.name.fqdn):
                return controller
        raise DomainError(f"the domain has no controller {label}")

    @property
    def first(self) -> Controller:
        """The controller that is always there."""
        return self.controllers[0]

    @property
    def address(self) -> str:
        """The address of the first controller."""
        return self.first.address

    @property
    def addresses(self) -> list[str]:
        """The addresses of all controllers."""
        return [controller.address for controller in self.controllers]

    @property
    def smb_conf(self) -> Path:
        """The configuration file of the first controller."""
        return self.first.smb_conf

    @property
    def ldapi(self) -> str:
        """The system's own way into the first controller."""
        return self.first.ldapi

    def provision(self, machines: Sequence[names.Machine]) -> None:
        """Make the domain with its accounts, A records, keytab, certificates and krb5.conf; nothing is started.

        Raises DomainError.
        """
        provision_all([self], machines)

    def check(self) -> None:
        """Raises DomainError where the domain cannot be made."""
        if os.geteuid() != 0:
            raise DomainError("the domain controller needs root: it listens on ports 53, 88 and 389")
        if missing := missing_programs():
            raise DomainError(f"install the Debian packages {' '.join(missing)}")
        if len(self.controllers) > 1:
            programs.check_hosts()
        for controller in self.controllers:
            controller.check_ports()

    def make(self, machines: Sequence[names.Machine]) -> None:
        """Make the controllers' trees, anew if they are there, with the accounts of those machines that are in the domain."""
        for controller in self.controllers:
            shutil.rmtree(self.layout.tree(controller.name.key), ignore_errors=True)
            shutil.rmtree(self.layout.fresh_tree(controller.name.key), ignore_errors=True)
        provision.make(self.controllers, [item for item in machines if item.realm == self.realm], self._forwarder, self.zones)
        for controller in self.controllers:
            key = controller.name.key
            shutil.copytree(self.layout.tree(key), self.layout.fresh_tree(key), symlinks=True)

    def start(self) -> None:
        """Start Samba; returns at once. Raises DomainError if an address is taken."""
        for controller in self.controllers:
            controller.start()

    def wait_ready(self) -> None:
        """Wait until LDAP, Kerberos and DNS of every controller answer. Raises DomainError when they do not in time."""
        for controller in self.controllers:
            controller.wait_ready()

    def answers(self) -> bool:
        """Whether every controller answers."""
        return all(controller.answers() for controller in self.controllers)

    def stop(self) -> bool:
        """Stop every controller. False if none was running."""
        stopped = [controller.stop() for controller in self.controllers]
        return any(stopped)

    def reset(self) -> None:
        """Return the directory and DNS to what they were before the first start: every change since then is gone.

        The databases are put back and Samba is started again, also a controller that was stopped.
        """
        self.stop()
        for controller in self.controllers:
            controller.restore()
        self.start()
        self.wait_ready()

    def stop_controller(self, label: str) -> None:
        """Take a controller away: nothing answers on its address, and who is connected to it is cut off."""
        self.controller(label).stop()

    def start_controller(self, label: str) -> None:
        """Start a controller again and wait until it answers; it knows what it knew. Raises DomainError."""
        controller = self.controller(label)
        if not controller.is_running():
            controller.start()
        controller.wait_ready()

    def _chosen(self, label: str | None) -> list[Controller]:
        if len(self.controllers) < 2:
            raise DomainError("there is no replication: the domain has one controller")
        return self.controllers if label is None else [self.controller(label)]

    def hold_replication(self, to: str | None = None) -> None:
        """Let a controller take no more changes from the others; without a name, let nobody. Raises DomainError."""
        for controller in self._chosen(to):
            replication.hold(controller)

    def release_replication(self, to: str | None = None) -> None:
        """End :meth:`hold_replication`, and return when what was held back has arrived. Raises DomainError."""
        chosen = self._chosen(to)
        for controller in chosen:
            replication.release(controller)
        self.replicate_now(to)

    def replicate_now(self, to: str | None = None) -> None:
        """Bring a controller, or every one, up to date with its partners. Raises DomainError, also where it is held."""
        chosen = self._chosen(to)
        for controller in chosen:
            replication.pull(controller, [other for other in self.controllers if other is not controller])


def provision_all(domains: Sequence[Domain], machines: Sequence[names.Machine]) -> None:
    """Make several domains in one folder, at the same time, and what they have in common: keytab, certificates and krb5.conf.

    Raises DomainError.
    """
    layout = domains[0].layout
    for domain in domains:
        domain.check()
    layout.create()
    controllers = [controller for domain in domains for controller in domain.controllers]
    layout.krb5_conf.write_text(settings.krb5_conf([controller.name for controller in controllers]), encoding="utf-8")
    # Samba would make RSA keys of its own at its first start, and at the first one after every reset, for seconds.
    everyone = [*((item.name.fqdn, item.address) for item in controllers), *((item.fqdn, item.address) for item in machines)]
    certificates.create(
        layout.tls,
        [name for name, _address in everyone],
        [address for _name, address in everyone],
        user=names.CERTIFICATE_USER,
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for made in [pool.submit(domain.make, machines) for domain in domains]:
            made.result()
    provision.write_keytab([domain.first for domain in domains])
