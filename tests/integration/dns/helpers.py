# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder write, with which account, and who they ask what came of it."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.winops.volume_activation.plugins.plugin_utils._actions.module_options import documented_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import Step
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import root_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import DirectorySettings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.settings import wished_from_options
from ansible_collections.winops.volume_activation.plugins.plugin_utils._dns.srv_record import RecordOutcome, ensure_all
from lab import names

DC_ADDRESS, BIND_ADDRESS = "127.0.0.34", "127.0.0.35"
DEFAULTS = {name: option.get("default") for name, option in documented_options("dns_srv").items()}
NUMBERS = itertools.count(1)

GSS = {
    "zone": names.ZONE,
    "server": names.DC_FQDN,
    "domain_username": f"{names.OPERATOR}@{names.REALM}",
    "domain_password": names.OPERATOR_PASSWORD,
    "dns_servers": [DC_ADDRESS],
}


def value(text: str) -> dict[str, Any]:
    """Priority, weight, port and target, as dig prints them."""
    priority, weight, port, target = text.split()
    return {"priority": int(priority), "weight": int(weight), "port": int(port), "target": target}


def ensure(options: Mapping[str, Any], *values: str, check_mode: bool = False, **more: Any) -> RecordOutcome:
    """What the module does, without Ansible around it."""
    options = {**DEFAULTS, **options, **more, "values": [value(text) for text in values]}
    wished = wished_from_options(
        options, lambda controller: root_of(DirectorySettings.from_options({**options, "domain_server": controller}))
    )
    with wished[0][0].zone.channel:
        return ensure_all(wished, check_mode)[0]


def shown(steps: list[Step]) -> dict[str, tuple[Any, Any]]:
    """Each step's attribute with what it was and became."""
    return {step.attribute: (step.before, step.after) for step in steps}


def dig(address: str, port: int, name: str) -> dict[str, int]:
    """The values of a name with their time to live, by dig."""
    argv = ["dig", "+noall", "+answer", "+tcp", "+time=3", "+tries=1", f"@{address}", "-p", str(port), name, "SRV"]
    output = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    lines = [line.split() for line in output.splitlines() if line and not line.startswith(";")]
    return {" ".join(parts[4:]).removesuffix("."): int(parts[1]) for parts in lines if parts[3] == "SRV"}


@dataclass(frozen=True)
class Place:
    """A record of a test's own on a server that others can write to as well.

    Attributes:
        options: What leads our code there.
        address: The server.
        port: Its port.
        writer: What writes for somebody else: verb, name, value, time to live.
    """

    options: dict[str, Any]
    address: str
    port: int
    writer: Any = field(repr=False)
    record: str = field(default_factory=lambda: f"_t{next(NUMBERS)}._tcp")

    @property
    def name(self) -> str:
        """The whole name."""
        return f"{self.record}.{self.options['zone']}"

    def ensure(self, *values: str, **more: Any) -> RecordOutcome:
        """What our code does with it."""
        return ensure({**self.options, "record": self.record}, *values, **more)

    def held(self) -> dict[str, int]:
        """What dig sees."""
        return dig(self.address, self.port, self.name)

    def add(self, text: str, ttl: int = 3600) -> None:
        """Somebody else adds a value."""
        self.writer("add", self.name, text, ttl)

    def delete(self, text: str) -> None:
        """Somebody else removes one."""
        self.writer("delete", self.name, text, 0)
