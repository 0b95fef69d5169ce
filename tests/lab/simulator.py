# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated half of a running lab: hosts, their listeners and the control channel in one process.

Started by ``python -m lab up`` as ``python -m lab.simulator ROOT``.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from typing import Any

from . import lifecycle, logons, names, park
from .control import ControlServer, Handler
from .domain import activation_objects
from .domain.controller import Domain
from .domain.editor import Editor
from .drift import Drift
from .host_calls import HostCalls
from .injection import Injector
from .layout import Layout
from .links import Network
from .microsoft_control import MicrosoftControl
from .publication import identity_of
from .settling import settle
from .site_drift import SiteDrift
from .switches import Switches
from .windows.factory import build_host
from .windows.host import Host
from .windows.licences import LICENSED
from .windows.microsoft import Microsoft
from .wsman import authentication, certificates
from .wsman.backend import Directory
from .wsman.request_log import RequestLog
from .wsman.server import ServerOptions, WsmanServer

logger = logging.getLogger(__name__)

_KMS_FIELDS = ("up", "key", "license_status", "is_kms_host", "count", "sppsvc", "open_port")


class Simulator:
    """All Windows hosts of a lab."""

    def __init__(self, layout: Layout, options: lifecycle.Options) -> None:
        self._options = options
        self._domains = options.domains(layout)
        self._name_server = options.name_server(layout)
        self._park = park.PARKS[options.park]
        self._machines = options.machines
        microsoft = Microsoft()
        port = None if self._park.isolated else options.https_port
        self._injector = Injector()
        self._log = RequestLog(layout.requests)
        sites, first = options.site_list(), self._domains[0] if self._domains else None
        self._network = Network(sites, [controller.name for controller in first.controllers] if first else [])
        self._hosts: dict[str, Host] = {}
        directory = Directory()
        self._server = self._server_of(layout, directory)
        self._switches = Switches(self._machines, self._hosts, directory, self._server.disconnect)
        self._of_microsoft = MicrosoftControl(layout, microsoft, port, options.seed, self._switches.host_of)
        self._refused: set[str] = set()
        for machine, spec in zip(
            self._machines, park.specs(self._park, self._machines, first.addresses if first else (), sites), strict=True
        ):
            self._hosts[machine.label] = build_host(
                spec,
                options.seed,
                self._network.publisher(machine),
                self._network.resolver(machine),
                microsoft,
                identity=identity_of(machine) if machine.member else None,
                power_listener=self._switches.power_changed,
            )
        for domain in self._domains:
            for machine in self._machines:
                if machine.realm == domain.realm:
                    self._hosts[machine.label].forest = partial(activation_objects.read, domain)
        self._network.connect(self._machines, self._hosts)
        editors = {domain.realm: Editor(domain) for domain in self._domains}
        self._drift = Drift(SiteDrift(editors, self._hosts, self._machines, sites), self._park.other_csvlk)
        self._control = ControlServer(
            layout.control_socket,
            {
                "ping": lambda: "pong",
                "status": self.status,
                "host": self.host,
                "reset": self.reset,
                "settle": lambda: settle(self._server.is_quiet, self._of_microsoft.is_quiet),
                "drift": self._drift.apply,
                **self._switches.commands(),
                "inject": self.inject,
                "clear_faults": self.clear_faults,
                "fault_hits": self._injector.hits,
                "reset_windows": self.reset_windows,
                **self._of_microsoft.commands(),
                **HostCalls(self._switches.host_of).commands(),
                "stop_controller": lambda label: self._domain_of(label).stop_controller(label),
                "start_controller": lambda label: self._domain_of(label).start_controller(label),
                **_replication_commands(first),
                "cut_link": self._network.cut_link,
                "mend_link": self._network.mend_link,
                "block_control_node": self._network.block_control_node,
            },
        )

    def _server_of(self, layout: Layout, directory: Directory) -> WsmanServer:
        files = certificates.CertificateFiles.within(layout.tls)
        known = logons.accounts(domain.realm for domain in self._domains)
        authentication.write_ntlm_users(layout.ntlm_users, known)
        authentication.prepare_acceptor(layout.ntlm_users, layout.keytab)
        return WsmanServer(
            directory,
            self._log,
            ServerOptions(
                http_port=self._options.http_port,
                https_port=self._options.https_port,
                tls=certificates.server_context(files),
                check=authentication.check_of(known),
                certificate_users={names.CERTIFICATE_USER: names.LOCAL_ADMIN},
                credssp=True,
                intercept=self._injector,
            ),
        )

    def start(self) -> None:
        """Wait for the domains, then boot the hosts and open the ports; the control channel comes last, so who reaches it finds the rest."""
        for domain in self._domains:
            domain.wait_ready()
        self._switches.boot_all()
        self._server.start()
        self._of_microsoft.start()
        self._control.start()

    def stop(self) -> None:
        """Close everything."""
        self._control.stop()
        self._of_microsoft.stop()
        self._server.stop()
        self._switches.shut_down_all()
        self._log.close()

    def reset(self) -> None:
        """Everything as after ``up``: hosts, Microsoft, directory, DNS; no faults, an empty request log."""
        with self._switches.lock:
            self._switches.shut_down_all()
            self.clear_faults()
            self._network.mend_all()
            with ThreadPoolExecutor(len(self._domains) or 1) as pool:
                for done in [pool.submit(domain.reset) for domain in self._domains]:
                    done.result()
            if self._name_server is not None:
                self._name_server.reset()
            self._of_microsoft.reset()
            self._switches.reset_all()
            self._log.truncate()

    def inject(self, rule: dict[str, Any]) -> None:
        """Add a fault by rule."""
        self._injector.add(rule)
        self._refuse()

    def clear_faults(self) -> None:
        """Remove every rule."""
        self._injector.clear()
        self._of_microsoft.clear_faults()
        self._refuse()

    def _refuse(self) -> None:
        refused = set(self._injector.refused({machine.fqdn: machine.address for machine in self._machines}))
        if refused != self._refused:
            self._server.refuse(refused)
            self._refused = refused

    def reset_windows(self, hosts: list[str]) -> None:
        """These hosts as they left setup, and Microsoft's counts with them; directory and DNS stay as they are."""
        with self._switches.lock:
            self._of_microsoft.reset()
            for host in hosts:
                self._switches.host_of(host).reset()

    def status(self) -> dict[str, Any]:
        """Counts and states, ready for JSON."""
        stopped = [machine.label for machine in self._machines if not self._switches.is_on(machine)]
        return {
            "options": asdict(self._options),
            "domain": all(domain.answers() for domain in self._domains),
            "hosts": {"running": len(self._machines) - len(stopped), "stopped": stopped},
            "licensed": sum(state["license_status"] == LICENSED for state in self._states("client", "server")),
            "kms": {state["host"]: {name: state[name] for name in _KMS_FIELDS} for state in self._states("kms")},
            "faults": len(self._injector),
            "cut_links": self._network.cut_links(),
            "drifts": self._drift.known(),
        }

    def _states(self, *roles: names.Role) -> list[dict[str, Any]]:
        return [self._hosts[machine.label].snapshot_state() for machine in self._machines if machine.role in roles]

    def _domain_of(self, controller: str) -> Domain:
        """The domain that has a controller of that name; the first where a label alone is given."""
        wanted = controller.lower()
        named = (
            domain for domain in self._domains if wanted in [name for one in domain.controllers for name in (one.name.key, one.name.fqdn)]
        )
        return next(named, self._domains[0])

    def host(self, host: str) -> dict[str, Any]:
        """All about one host."""
        machine = self._switches.find(host)
        return {
            "address": machine.address,
            "running": self._switches.is_on(machine),
            **self._hosts[machine.label].snapshot_state(),
        }


def _replication_commands(domain: Domain | None) -> dict[str, Handler]:
    if domain is None:
        return {}
    return {
        "hold_replication": domain.hold_replication,
        "release_replication": domain.release_replication,
        "replicate_now": domain.replicate_now,
    }


def main() -> int:
    """Run until SIGTERM; the only argument is the lab's folder."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    layout = Layout.at(sys.argv[1])
    options = lifecycle.load_options(layout)
    if options is None:
        logger.error("there is no %s: start the lab by python -m lab up", layout.options)
        return 2
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: ended.set())
    simulator = Simulator(layout, options)
    simulator.start()
    logger.info("%d hosts are up", len(options.machines))
    ended.wait()
    simulator.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
