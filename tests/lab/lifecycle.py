# Copyright: (c) 2026, winops contributors
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

from . import inventory, names, park, processes
from .control import Control
from .domain.bind import Bind, give_back_address
from .domain.controller import Domain
from .layout import TESTS, Layout

_READY_SECONDS = 60.0

Say = Callable[[str], None]


class LabError(Exception):
    """The lab cannot be started, stopped or found; the text says why."""


@dataclass(frozen=True)
class Options:
    """How a lab is to be. With another ``dc_address`` and other ports a second lab can live beside the first."""

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

    def domain(self, layout: Layout) -> Domain:
        """The domain of such a lab."""
        return Domain(layout, self.dc_address, self.controllers, self.bind_address if self.bind else "")

    def name_server(self, layout: Layout) -> Bind | None:
        """The DNS server beside the domain, if there is one."""
        addresses = [controller.address for controller in names.controllers(self.controllers, self.dc_address)]
        return Bind(layout, self.bind_address, addresses) if self.bind else None

    @property
    def machines(self) -> list[names.Machine]:
        """The Windows machines of such a lab."""
        return names.machines(self.clients, self.servers)


def load_options(layout: Layout) -> Options | None:
    """How the lab in that folder was started, None if there is none."""
    try:
        return Options(**json.loads(layout.options.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


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
    return bool(_samba_pids(layout)) and processes.alive(layout.simulator_pid) is not None and Control(layout, timeout=5).ping()


def _samba_pids(layout: Layout) -> dict[str, int]:
    """The pids of the domain controllers that run, by label."""
    pids = {name.label: processes.alive(layout.samba_pid(name.label)) for name in names.controllers(names.MAX_CONTROLLERS)}
    return {label: pid for label, pid in pids.items() if pid is not None}


def up(layout: Layout, options: Options, say: Say) -> None:
    """Start a lab and return when everything in it answers.

    A lab that is up already with these options is left alone. What a crashed one left is removed first. Raises LabError or
    DomainError; nothing is left running then.
    """
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
    domain = options.domain(layout)
    hosts = ", ".join(f"{item.name.fqdn} on {item.address}" for item in domain.controllers)
    say(f"Domain {names.ZONE}: {hosts}, {len(machines)} computers …")
    domain.provision(machines)
    if name_server := options.name_server(layout):
        say(f"BIND for {names.BIND_ZONE} on {name_server.address} …")
        name_server.start()
    domain.start()
    _start_simulator(layout)
    domain.wait_ready()
    facts = inventory.Facts(
        layout,
        options.connection,
        options.dc_address,
        park.PARKS[options.park].csvlk,
        options.controllers,
        options.bind_address if options.bind else None,
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
    stopped += [processes.stop(layout.samba_pid(name.label)) for name in names.controllers(names.MAX_CONTROLLERS)]
    stopped.append(processes.stop(layout.bind_pid))
    give_back_address(layout)
    left = processes.members(layout.root)
    processes.end(left)
    return any(stopped) or bool(left)


def _clear(layout: Layout) -> bool:
    stopped = _stop_daemons(layout)
    layout.control_socket.unlink(missing_ok=True)
    layout.remove_short()
    written = (layout.inventory, layout.env, layout.options, layout.krb5_conf, layout.hosts, layout.keytab, layout.ntlm_users)
    for path in (*written, layout.requests):
        path.unlink(missing_ok=True)
    trees = [tree(name.label) for name in names.controllers(names.MAX_CONTROLLERS) for tree in (layout.tree, layout.fresh_tree)]
    for folder in (*trees, layout.bind, layout.tls):
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
