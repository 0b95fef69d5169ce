# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping a whole lab: the domain controller and the simulator as daemons, and the files for their users."""

from __future__ import annotations

import fcntl
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from . import inventory, names, park, processes, workgroup
from . import sites as site_data
from .control import Control
from .domain.bind import Bind, give_back_address
from .domain.controller import Domain, provision_all
from .layout import TESTS, Layout

_READY_SECONDS = 240.0  # on a machine that is busy with other things as well

Say = Callable[[str], None]


class LabError(Exception):
    """The lab cannot be started, stopped or found; the text says why."""


@dataclass(frozen=True)
class Options:
    """How a lab is to be. With another ``dc_address`` and other ports a second lab can live beside the first.

    ``sites`` is empty for the single site, or one of :data:`lab.sites.KINDS`. Then there are sites of these names with so many
    KMS hosts each, in networks of their own from 127.``first_network``.0.0/16 on. Machines of the single site are in
    127.``network``.0.0/16: where the KMS hosts of two labs had the same addresses, one would count the clients of the other.
    """

    park: str = "modern"
    connection: str = "winrm_ntlm"
    clients: int = 100
    servers: int = 8
    seed: int = 1
    dc_address: str = names.DC_ADDRESS
    controllers: int = 1
    bind: bool = False
    bind_address: str = names.BIND_ADDRESS
    http_port: int = inventory.HTTP_PORT
    https_port: int = inventory.HTTPS_PORT
    sites: str = ""
    site_names: tuple[str, ...] = site_data.SITE_NAMES
    site_hosts: int = site_data.SITE_HOSTS
    first_network: int = 1
    network: int = 0

    @property
    def is_isolated(self) -> bool:
        """Whether it has neither domain nor Microsoft."""
        return park.PARKS[self.park].isolated

    def check(self) -> None:
        """Raises LabError for what does not go together."""
        if self.is_isolated and (self.sites or self.bind or self.connection.endswith(("_kerberos",))):
            raise LabError(f"the park {self.park} is a workgroup: it has no sites, no BIND and no Kerberos")

    def site_list(self) -> list[site_data.Site]:
        """The sites of such a lab; none where it is a single one. Raises ValueError."""
        if not self.sites:
            return []
        return site_data.make(self.sites, self.site_names, self.first_network, self.dc_address, self.controllers)

    def domains(self, layout: Layout) -> list[Domain]:
        """The domains of such a lab; that of the first site comes first. An isolated park has none."""
        if self.is_isolated:
            return []
        forwarder = self.bind_address if self._has_name_server else ""
        if self.sites == "domains":
            return [Domain(layout, site.dc_address, forwarder=forwarder, realm=site.realm) for site in self.site_list()]
        return [Domain(layout, self.dc_address, self.controllers, forwarder, zones=[site.zone for site in self.site_list()])]

    def domain(self, layout: Layout, site: str = "") -> Domain:
        """The domain in which a site has its accounts; the only one, or the first, unless told otherwise. Raises KeyError."""
        domains = self.domains(layout)
        if not site:
            return domains[0]
        realm = {item.name: item.realm for item in self.site_list()}[site]
        return next(domain for domain in domains if domain.realm == realm)

    @property
    def _has_name_server(self) -> bool:
        # Samba forwards all that it does not serve to one place: between several domains stands the company's DNS server.
        return self.bind or self.sites == "domains"

    def name_server(self, layout: Layout) -> Bind | None:
        """The DNS server beside the domains, if there is one."""
        forwards = {domain.realm.domain: domain.addresses for domain in self.domains(layout)}
        return Bind(layout, self.bind_address, forwards) if self._has_name_server else None

    @property
    def machines(self) -> list[names.Machine]:
        """The Windows machines of such a lab."""
        if self.sites:
            return site_data.machines(self.site_list(), self.site_hosts, self.clients, self.servers)
        if self.is_isolated:
            return names.workgroup(self.clients, self.servers)
        return names.machines(self.clients, self.servers, self.network)


def load_options(layout: Layout) -> Options | None:
    """How the lab in that folder was started, None if there is none."""
    try:
        kept = json.loads(layout.options.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return Options(**{**kept, "site_names": tuple(kept["site_names"])})


@contextmanager
def _locked(layout: Layout) -> Iterator[None]:
    """One command at a time for a folder; the lock goes with the process that holds it."""
    layout.root.mkdir(parents=True, exist_ok=True)
    with (layout.root / "lock").open("w", encoding="ascii") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LabError(f"another command is at work on the lab in {layout.root}") from error
        yield


def is_up(layout: Layout) -> bool:
    """Whether the daemons live and the simulator answers."""
    options = load_options(layout)
    has_domain = (options is not None and options.is_isolated) or bool(_samba_pids(layout))
    return has_domain and processes.alive(layout.simulator_pid) is not None and Control(layout, timeout=5).ping()


def _samba_pids(layout: Layout) -> dict[str, int]:
    """The pids of the domain controllers that run, by key."""
    pids = {key: processes.alive(layout.samba_pid(key)) for key in layout.controllers()}
    return {key: pid for key, pid in pids.items() if pid is not None}


def up(layout: Layout, options: Options, say: Say) -> None:
    """Start a lab and return when everything in it answers.

    A lab that is up already with these options is left alone. What a crashed one left is removed first. Raises LabError or
    DomainError; nothing is left running then.
    """
    options.check()
    with _locked(layout):
        if is_up(layout):
            if load_options(layout) == options:
                say(f"The lab in {layout.root} is up already.")
                return
            raise LabError(f"a lab with other options is up in {layout.root}; stop it first (python -m lab down)")
        _clear(layout)
        try:
            _start(layout, options, say)
        except BaseException:
            _stop_daemons(layout)
            raise


def _start(layout: Layout, options: Options, say: Say) -> None:
    started = time.monotonic()
    layout.create()
    layout.options.write_text(json.dumps(asdict(options)), encoding="utf-8")
    machines = options.machines
    domains = options.domains(layout)
    for domain in domains:
        hosts = ", ".join(f"{item.name.fqdn} on {item.address}" for item in domain.controllers)
        computers = sum(machine.member and machine.realm == domain.realm for machine in machines)
        zones = f", zones {', '.join(domain.zones)}" if domain.zones else ""
        say(f"Domain {domain.realm.domain}: {hosts}, {computers} computers{zones} …")
    if domains:
        provision_all(domains, machines)
    else:
        say(f"Workgroup: {len(machines)} computers …")
        workgroup.prepare(layout, machines)
    if name_server := options.name_server(layout):
        say(f"BIND for {names.BIND_ZONE} on {name_server.address} …")
        name_server.start()
    for domain in domains:
        domain.start()
    _start_simulator(layout)
    for domain in domains:
        domain.wait_ready()
    facts = inventory.Facts(
        layout,
        options.connection,
        options.dc_address,
        park.PARKS[options.park],
        options.controllers,
        options.bind_address if options.bind else None,
        tuple(options.site_list()),
        options.http_port,
        options.https_port,
    )
    inventory.write(facts, machines)
    _wait_for_simulator(layout)
    say(
        f"Up after {time.monotonic() - started:.1f} s. Inventory: {layout.inventory}, environment: {layout.env}, requests: {layout.requests}"
    )


def _start_simulator(layout: Layout) -> None:
    processes.spawn(
        [sys.executable, "-m", "lab.simulator", str(layout.root)],
        layout.simulator_pid,
        layout.logs / "simulator.log",
        layout.root,
        {"KRB5_CONFIG": str(layout.krb5_conf), "PYTHONPATH": str(TESTS), "PYTHONUNBUFFERED": "1"},
    )


def _wait_for_simulator(layout: Layout) -> None:
    control = Control(layout, timeout=5)
    deadline = time.monotonic() + _READY_SECONDS
    while not control.ping():
        if processes.alive(layout.simulator_pid) is None:
            raise LabError(f"the simulator ended:\n{processes.tail(layout.logs / 'simulator.log')}")
        if time.monotonic() > deadline:
            raise LabError(f"the simulator does not answer after {_READY_SECONDS:.0f} s, see {layout.logs / 'simulator.log'}")
        time.sleep(0.05)


def _stop_daemons(layout: Layout) -> bool:
    """End every process of the lab, by pid file or by what it holds. False if there was none."""
    # The simulator first: while it lives it may start Samba again (reset).
    stopped = [processes.stop(layout.simulator_pid)]
    stopped += [processes.stop(layout.samba_pid(key)) for key in layout.controllers()]
    stopped.append(processes.stop(layout.bind_pid))
    give_back_address(layout)
    left = processes.members(layout.root)
    processes.end(left)
    return any(stopped) or bool(left)


def _clear(layout: Layout) -> bool:
    stopped = _stop_daemons(layout)
    layout.control_socket.unlink(missing_ok=True)
    layout.remove_short()
    written = (
        layout.inventory,
        layout.addresses,
        layout.env,
        layout.options,
        layout.krb5_conf,
        layout.hosts,
        layout.keytab,
        layout.ntlm_users,
    )
    for path in (*written, layout.requests):
        path.unlink(missing_ok=True)
    trees = [tree(key) for key in layout.controllers() for tree in (layout.tree, layout.fresh_tree)]
    for folder in (*trees, layout.bind, layout.tls, layout.microsoft):
        shutil.rmtree(folder, ignore_errors=True)
    return stopped


def down(layout: Layout, say: Say) -> None:
    """Stop a lab, also what a crashed one left. Logs and the request log stay. Raises LabError."""
    if not layout.root.exists():
        say(f"There is no lab in {layout.root}.")
        return
    with _locked(layout):
        requests = layout.requests.read_bytes() if layout.requests.exists() else None
        stopped = _clear(layout)
        if requests is not None:
            layout.requests.write_bytes(requests)
        if left := processes.members(layout.root):
            raise LabError(f"processes {left} of the lab are still there")
    say("The lab is down." if stopped else f"No lab was running in {layout.root}.")


def status(layout: Layout) -> dict[str, Any]:
    """What runs; with the simulator's own answer when it runs."""
    options = load_options(layout)
    found: dict[str, Any] = {
        "root": str(layout.root),
        "up": is_up(layout),
        "samba": _samba_pids(layout),
        "simulator": processes.alive(layout.simulator_pid),
        "processes": processes.members(layout.root),
    }
    if found["up"]:
        found.update(Control(layout).status())
    elif options is not None:
        found["options"] = asdict(options)
    return found
