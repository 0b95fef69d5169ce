# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the lab: ``python -m lab up``, ``down``, ``reset``, ``status``, and what happens to a running one."""

from __future__ import annotations

import argparse
import json
import sys

from . import inventory, lifecycle, names, park, sites
from .control import Control, ControlError
from .domain.controller import DomainError
from .layout import DEFAULT_ROOT, Layout
from .processes import DaemonError
from .windows.microsoft import KEY_STATES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="Contoso on one Linux machine.")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--root", default=str(DEFAULT_ROOT), help="folder for everything the lab makes (default: %(default)s)")
    commands = parser.add_subparsers(dest="command", required=True)

    defaults = lifecycle.Options()
    up = commands.add_parser("up", parents=[common], help="start everything and wait until it answers")
    up.add_argument("--park", choices=sorted(park.PARKS), default=defaults.park, help="which machines (default: %(default)s)")
    up.add_argument("--connection", choices=sorted(inventory.CONNECTIONS), default=defaults.connection, help="how the inventory connects")
    sizes = ", ".join(f"{choice.client_count} in {name}" for name, choice in park.PARKS.items())
    server_sizes = ", ".join(f"{choice.server_count} in {name}" for name, choice in park.PARKS.items())
    up.add_argument("--clients", type=int, help=f"up to {names.MAX_CLIENTS} (default: {sizes}, {sites.SITE_CLIENTS} with sites)")
    up.add_argument("--servers", type=int, help=f"up to {names.MAX_SERVERS} (default: {server_sizes}, {sites.SITE_SERVERS} with sites)")
    up.add_argument("--seed", type=int, default=defaults.seed, help="chooses whatever is left to chance (default: %(default)s)")

    up.add_argument(
        "--controllers",
        type=int,
        choices=range(1, names.MAX_CONTROLLERS + 1),
        default=defaults.controllers,
        help="domain controllers (default: %(default)s)",
    )

    up.add_argument("--bind", action="store_true", help=f"also a DNS server that is not integrated in AD, with {names.BIND_ZONE}")

    up.add_argument("--sites", choices=("", *sites.KINDS), default="", help="several sites: zones of one domain, or a domain for each")
    named = ",".join(sites.SITE_NAMES)
    up.add_argument("--site-names", default=named, help="how they are called (default: %(default)s)")
    up.add_argument("--site-hosts", type=int, default=sites.SITE_HOSTS, help="KMS hosts of each (default: %(default)s)")

    commands.add_parser("down", parents=[common], help="stop everything, also what a crashed lab left")
    commands.add_parser("reset", parents=[common], help="return hosts, directory and DNS to fresh without a restart")
    status = commands.add_parser("status", parents=[common], help="what runs; exit code 1 if the lab is not up")
    status.add_argument("--host", help="all about one host instead")

    drift = commands.add_parser("drift", parents=[common], help="change something behind the administrator's back")
    drift.add_argument("name", nargs="?", help="which change; without it, the list")
    drift.add_argument("--host", help="a KMS host (default: the second), or a client for what is about clients (default: the first)")
    for name, text in (("stop-host", "turn a host off"), ("start-host", "turn a host on again")):
        commands.add_parser(name, parents=[common], help=text).add_argument("host", help="label or DNS name")
    count = commands.add_parser("count-clients", parents=[common], help="bring the count of a KMS host up as if others had asked")
    count.add_argument("host", help="label or DNS name")
    count.add_argument("count", type=int, help="how many")
    commands.add_parser("microsoft", parents=[common], help="Microsoft's counts by the names of keys")
    state = commands.add_parser("set-key-state", parents=[common], help="how Microsoft treats a key from now on")
    state.add_argument("key", help="its name in tests/lab/data/keys.yml")
    state.add_argument("state", choices=KEY_STATES, help="which one")
    left = commands.add_parser("set-remaining", parents=[common], help="how many activations of a MAK are left")
    left.add_argument("key", help="its name in tests/lab/data/keys.yml")
    left.add_argument("count", type=int, help="how many")
    image = commands.add_parser("reimage", parents=[common], help="set a host up anew")
    image.add_argument("host", help="label or DNS name")
    image.add_argument("--other-hardware", dest="same_hardware", action="store_false", help="on another machine")
    image.add_argument("--without-key", dest="with_key", action="store_false", help="without a setup key")
    hardware = commands.add_parser("change-hardware", parents=[common], help="give a host other hardware")
    hardware.add_argument("host", help="label or DNS name")
    for name, text in (("cut-link", "let nothing pass between two sites"), ("mend-link", "let it pass again")):
        link = commands.add_parser(name, parents=[common], help=text)
        link.add_argument("first", help="a site")
        link.add_argument("second", help="another")
        if name == "cut-link":
            link.add_argument("--direction", choices=("both", "to", "from"), default="both", help="seen from the first (default: both)")
    for name, text in (("stop-controller", "take a domain controller away"), ("start-controller", "bring it back")):
        commands.add_parser(name, parents=[common], help=text).add_argument("label", help="dc1 or dc2")
    for name, text in (
        ("hold-replication", "let a domain controller take no more changes from its partner"),
        ("release-replication", "end that, and wait until what was held back has arrived"),
        ("replicate-now", "bring a domain controller up to date"),
    ):
        commands.add_parser(name, parents=[common], help=text).add_argument("to", nargs="?", help="dc1 or dc2 (default: both)")
    return parser


def _status(layout: Layout, host: str | None) -> int:
    if host is not None:
        print(json.dumps(Control(layout).host(host), indent=2))
        return 0
    found = lifecycle.status(layout)
    print(json.dumps(found, indent=2))
    return 0 if found["up"] else 1


def _options(arguments: argparse.Namespace) -> lifecycle.Options:
    clients, servers = arguments.clients, arguments.servers
    if clients is None:
        clients = sites.SITE_CLIENTS if arguments.sites else park.PARKS[arguments.park].client_count
    if servers is None:
        servers = sites.SITE_SERVERS if arguments.sites else park.PARKS[arguments.park].server_count
    named = {name: getattr(arguments, name) for name in ("park", "connection", "seed", "controllers", "bind", "sites", "site_hosts")}
    return lifecycle.Options(clients=clients, servers=servers, site_names=tuple(arguments.site_names.split(",")), **named)


def _change(control: Control, command: str, arguments: argparse.Namespace) -> None:
    """What happens to a running lab, by the names that the control channel has for it."""
    given = {name: value for name, value in vars(arguments).items() if name not in ("command", "root")}
    result = control.call(command.replace("-", "_"), **given)
    if result is not None:
        print(json.dumps(result, indent=2) if isinstance(result, dict) else result)


def _run(arguments: argparse.Namespace) -> int:
    layout = Layout.at(arguments.root)
    command = arguments.command
    if command == "up":
        lifecycle.up(layout, _options(arguments), print)
    elif command == "down":
        lifecycle.down(layout, print)
    elif command == "status":
        return _status(layout, arguments.host)
    elif command == "reset":
        Control(layout).reset()
        print("The lab is fresh.")
    elif command == "drift" and arguments.name is None:
        print("\n".join(Control(layout).status()["drifts"]))
    elif command == "drift":
        print(Control(layout).drift(arguments.name, arguments.host))
    else:
        _change(Control(layout), command, arguments)
    return 0


def main() -> int:
    """Run one command; returns the exit code."""
    try:
        return _run(_parser().parse_args())
    except (lifecycle.LabError, DomainError, DaemonError, ControlError, ValueError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
