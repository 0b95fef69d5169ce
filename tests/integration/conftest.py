# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running lab for the tests of this folder, and what they ask of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab import lifecycle, names
from lab.control import Control
from lab.domain.controller import Domain
from lab.layout import Layout
from lab.play import Run, run_playbook
from lab.witness import Witness

# Enough that both KMS hosts get past the threshold whatever the dice say, and few enough to be quick.
CLIENTS, SERVERS = 50, 20


@dataclass(frozen=True)
class Lab:
    """A lab that is up."""

    layout: Layout
    options: lifecycle.Options

    @property
    def control(self) -> Control:
        """Its control channel."""
        return Control(self.layout)

    @property
    def witness(self) -> Witness:
        """dig, samba-tool and ldbsearch."""
        return Witness(Domain(self.layout, self.options.dc_address))

    def play(self, playbook: str = "winops.volume_activation.kms_single_site", *, arguments: str = "", **variables: Any) -> Run:
        """Run a playbook; tickets are purged unless told otherwise, so that no test waits for ten hours."""
        return run_playbook(
            self.layout.root,
            playbook,
            arguments=f"--forks 5 {arguments}",
            variables={"kms_single_site_ticket": "purge", "kms_single_site_publish_timeout": 3, **variables},
        )

    def requests(self) -> list[dict[str, Any]]:
        """The request log."""
        return [json.loads(line) for line in self.layout.requests.read_text(encoding="utf-8").splitlines()]

    def world(self) -> dict[str, Any]:
        """Everything that witnesses can see: DNS, the record's rights, the group, and each host past its WMI."""
        hosts = {machine.label: self.control.host(machine.label) for machine in self.options.machines}
        return {"srv": self.witness.srv(), "sddl": self._sddl(), "members": self._members(), "hosts": hosts}

    def _sddl(self) -> str | None:
        return self.witness.sddl() if self.witness.search(f"(dc={names.KMS_RECORD})", base=names.ZONE_DN) else None

    def _members(self) -> list[str] | None:
        found = self.witness.search(f"(sAMAccountName={names.KMS_GROUP})", "member")
        return sorted(found[0].get("member", [])) if found else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever needs the one lab stays with one worker of pytest-xdist; other files bring domains of their own."""
    for item in items:
        shared = "running_lab" in getattr(item, "fixturenames", ())
        item.add_marker(pytest.mark.xdist_group("lab" if shared else item.path.stem))


@pytest.fixture(scope="session")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One lab for all tests of a session; its place is outside of what `make lab-up` uses, its addresses are the same."""
    layout = Layout.at(tmp_path_factory.mktemp("lab"))
    options = lifecycle.Options(clients=CLIENTS, servers=SERVERS)
    lifecycle.up(layout, options, print)
    try:
        yield Lab(layout, options)
    finally:
        lifecycle.down(layout, print)


@pytest.fixture
def fresh_lab(running_lab: Lab) -> Lab:
    """The lab as on its first day."""
    running_lab.control.reset()
    return running_lab


@pytest.fixture(scope="session")
def project() -> Path:
    """The checkout."""
    return Path(__file__).resolve().parents[2]


__all__ = ["Lab", "names"]
