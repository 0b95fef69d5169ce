# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a playbook is run on: how the laboratory is made ready for it, how it is run, and what witnesses see before and after."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from integration.killing import lines
from integration.labs import Lab

from lab import names
from lab.domain.editor import Editor
from lab.play import Run, run_playbook
from lab.witness import Witness, WitnessError

from .folder import state_folder
from .front import Front, front_of

COLLECTION = "winops.volume_activation"
FOREIGN = "foreign"
FOREIGN_SID = "S-1-5-21-9-9-9-4711"
PASSING = {
    "events", "processes", "publications", "sppsvc", "minutes", "clients", "discovered", "cached", "reason",
    "count", "requests", "failed_requests", "sysprep_log", "license_files", "key_in_registry",
}  # fmt: skip
"""What a host shows that passes by itself, is diced anew in each run, or says how often it was asked."""


@dataclass
class Seen:
    """What witnesses see at one time.

    Attributes:
        hosts: Each machine past its WMI, by label.
        spent: Activations that Microsoft has counted, by the name of the key.
        records: By zone the values of the KMS record.
        aces: By zone the ACEs of that record; empty where there is none.
        owners: By zone who owns the record.
        members: By group the accounts in it.
        listed: The computer list: by computer and product what is known.
    """

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)
    records: dict[str, list[str]] = field(default_factory=dict)
    aces: dict[str, list[str]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    listed: dict[str, dict[str, Any]] = field(default_factory=dict)

    def goal(self) -> dict[str, Any]:
        """What a run is for, flat, so that a difference names itself."""
        found: dict[str, Any] = {
            f"{label} {name}": value for label, host in self.hosts.items() for name, value in host.items() if name not in PASSING
        }
        for name in ("spent", "records", "aces", "owners", "members", "listed"):
            found |= {f"{name} {key}": value for key, value in getattr(self, name).items()}
        return found


class World:
    """A playbook and what it is run on; one for each playbook. ``lab`` is up, ``folder`` is free for files of its own."""

    playbook: ClassVar[str]
    lab_name: ClassVar[str]
    """Which laboratory it needs, see :mod:`crash.labs`."""
    zones: ClassVar[tuple[str, ...]] = ()
    groups: ClassVar[tuple[str, ...]] = ()
    keeps_state: ClassVar[bool] = False
    settle_seconds: ClassVar[float] = 0.0

    def __init__(self, lab: Lab, folder: Path, front: Front | None, state: Path) -> None:
        self.lab, self.folder, self.front, self.state = lab, folder, front, state
        self.environment: dict[str, str] = {}
        """Further variables of the environment, such as where a changed copy of the collection is."""

    def close(self) -> None:
        """End what it has started, once nobody needs it any more."""

    def prepare(self) -> None:
        """Make the laboratory ready once it is as on its first day, and put what belongs to others there."""

    def variables(self) -> dict[str, Any]:
        """Variables of the run."""
        return {}

    def documented(self) -> dict[str, Any]:
        """What the documentation has a person set where the outcome of an activation is unknown."""
        return {}

    def unanswered(self) -> int:
        """How many activations nobody knows the end of; these may be asked for once more."""
        return 0

    def limit(self) -> Iterable[str]:
        """The hosts of the run; none for all."""
        return ()

    def inventory(self) -> Path:
        """The inventory of the run: the lab's, in which the control node asks the front."""
        path = self.folder / "inventory.yml"
        text = self.lab.layout.inventory.read_text(encoding="utf-8")
        for real, own in (self.front.addresses if self.front else {}).items():
            text = text.replace(f"- {real}\n", f"- {own}\n")
        path.write_text(text, encoding="utf-8")
        return path

    def begin(self) -> Seen:
        """The laboratory as it is before a run."""
        self.lab.control.reset()
        for entry in self.state.iterdir():
            entry.unlink()
        if self.front is not None:
            self.front.clear()
        self.prepare()
        self.lab.control.settle()
        self.lab.layout.requests.write_bytes(b"")
        return self.seen()

    def on_event(self, event: dict[str, Any]) -> None:
        """Called with each event of the run."""

    def run(self, more: Mapping[str, Any] | None = None) -> Run:
        """Run the playbook to its end, whatever that is."""
        limit = ":".join(self.limit())
        given: dict[str, Any] = {"variables": {**self.variables(), **(more or {})}, "environment": self.environment}
        arguments = f"--forks 5 {f'--limit {limit}' if limit else ''}"
        run = run_playbook(
            self.lab.layout.root,
            f"{COLLECTION}.{self.playbook}",
            inventory=self.inventory(),
            arguments=arguments,
            on_event=self.on_event,
            **given,
        )
        if run.status == "canceled":
            # ansible-runner takes SIGTERM and Ctrl-C for itself; whoever ends this program means all of it.
            raise KeyboardInterrupt
        return run

    def asked(self) -> int:
        """How many requests of hosts there have been so far."""
        return lines(self.lab.layout.requests)

    def requests(self) -> list[dict[str, Any]]:
        """Those of hosts, from the request log."""
        return self.lab.requests()

    def spent(self) -> dict[str, int]:
        """Activations by the name of the key, those that were counted."""
        return {name: int(key["activations"]) for name, key in self.lab.control.microsoft().items() if key["activations"]}

    def labels(self) -> list[str]:
        """The machines that witnesses look at."""
        return [machine.label for machine in self.lab.options.machines]

    def witness(self, zone: str) -> Witness:
        """Who is asked about a zone."""
        return self.lab.witness

    def seen(self) -> Seen:
        """What witnesses see now."""
        seen = Seen({label: self.lab.control.host(label) for label in self.labels()}, self.spent(), listed=self.listed())
        for zone in self.zones:
            witness = self.witness(zone)
            seen.records[zone] = [f"{item.priority} {item.weight} {item.port} {item.target}" for item in witness.srv(zone)]
            with _absent():
                # Entries that allow count in any order, and one that comes back stands behind the others.
                seen.aces[zone] = sorted(witness.aces(witness.record_dn(zone)))
                seen.owners[zone] = witness.record_owner(witness.record_dn(zone))
        for group in self.groups:
            with _absent():
                seen.members[group] = self.lab.witness.group_members(group)
        return seen

    def list_file(self) -> Path:
        """The computer list of the run."""
        return self.state / "computer_list.json"

    def listed(self) -> dict[str, dict[str, Any]]:
        """What the computer list says, without times: by computer and product the key, the outcome and both IDs."""
        if not self.list_file().exists():
            return {}
        found: dict[str, dict[str, Any]] = {}
        for name, computer in json.loads(self.list_file().read_text(encoding="utf-8"))["computers"].items():
            for product, known in computer["products"].items():
                shown = {part: known.get(part) for part in ("partial_product_key", "installation_id", "confirmation_id")}
                found[f"{name} {product}"] = {**shown, "outcome": (known.get("activation") or {}).get("outcome")}
        return found

    def serving(self) -> dict[str, bool]:
        """By site whether a KMS host serves; none where that is not what the playbook is about."""
        return {}

    def plant_directory(self, zone: str, group: str) -> None:
        """A value, an ACE and a member of somebody else, which have to outlast every run."""
        self.editor(zone).add_srv(zone, 65000, 7, 1688, f"kms-{FOREIGN}.{zone}")
        witness = self.witness(zone)
        witness.add_ace(f"(A;;RP;;;{FOREIGN_SID})", witness.record_dn(zone))
        witness.add_group(group, (names.WINRM_USER,))

    def editor(self, zone: str) -> Editor:
        """Who changes a zone behind everybody's back."""
        return Editor(self.lab.domain)


@contextmanager
def _absent() -> Iterator[None]:
    """What is not there yet is left out."""
    with contextlib.suppress(WitnessError):
        yield


@contextmanager
def world_of(kind: Callable[..., World], lab: Lab, folder: Path | None = None) -> Iterator[World]:
    """A world is ready meanwhile, with a front before the controllers and a state directory that can be filled up."""
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crash-")))
        state = stack.enter_context(state_folder(place / "state"))
        front = None
        if not lab.options.is_isolated:
            addresses = [controller.address for domain in lab.options.domains(lab.layout) for controller in domain.controllers]
            own = {real: str(ipaddress.ip_address("127.0.0.200") + number) for number, real in enumerate(dict.fromkeys(addresses))}
            front = stack.enter_context(front_of(own))
        world = kind(lab, place, front, state)
        stack.callback(world.close)
        yield world
