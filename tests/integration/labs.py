# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs that are up, and what tests ask of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import tiers

from lab import lifecycle, names
from lab.control import Control
from lab.domain.controller import Domain
from lab.layout import Layout
from lab.play import Run, run_playbook
from lab.witness import Witness

from .networks import own_network

PLAY_VARIABLES = {"kms_single_site_publish_timeout": 2}


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
        return Witness(self.domain)

    def witness_of(self, site: str) -> Witness:
        """The same of the domain in which a site has its accounts."""
        return Witness(self.options.domain(self.layout, site))

    @property
    def domain(self) -> Domain:
        """Its domain, for what goes past the control channel."""
        return self.options.domain(self.layout)

    def play(self, playbook: str = "winops.volume_activation.kms_single_site", *, arguments: str = "", **variables: Any) -> Run:
        """Run a playbook with the inventory of the lab."""
        return run_playbook(self.layout.root, playbook, arguments=f"--forks 5 {arguments}", variables={**PLAY_VARIABLES, **variables})

    def requests(self) -> list[dict[str, Any]]:
        """The request log."""
        return [json.loads(line) for line in self.layout.requests.read_text(encoding="utf-8").splitlines()]

    def microsoft_requests(self) -> list[dict[str, Any]]:
        """What Microsoft was asked, see :class:`lab.microsoft.journal.Entry`."""
        return [json.loads(line) for line in self.layout.microsoft_log.read_text(encoding="utf-8").splitlines()]

    def world(self) -> dict[str, Any]:
        """Everything that witnesses can see: DNS, the record's rights, the group, Microsoft's counts, each host past its WMI."""
        hosts = {machine.label: self.control.host(machine.label) for machine in self.options.machines}
        spent = self.control.call("microsoft")
        return {"srv": self.witness.srv(), "sddl": self._sddl(), "members": self._members(), "microsoft": spent, "hosts": hosts}

    def _sddl(self) -> str | None:
        return self.witness.sddl() if self.witness.search(f"(dc={names.KMS_RECORD})", base=names.ZONE_DN) else None

    def _members(self) -> list[str] | None:
        found = self.witness.search(f"(sAMAccountName={names.KMS_GROUP})", "member")
        return sorted(found[0].get("member", [])) if found else None


@contextmanager
def lab_up(layout: Layout, options: lifecycle.Options) -> Iterator[Lab]:
    """A lab runs meanwhile. What it leaves to chance comes from the seed of the run."""
    options = replace(options, seed=tiers.seed())
    lifecycle.up(layout, options, print)
    try:
        yield Lab(layout, options)
    finally:
        lifecycle.down(layout, print)


@contextmanager
def document_lab(factory: pytest.TempPathFactory, clients: int, servers: int) -> Iterator[Lab]:
    """A lab of the document's park, in a network of its own."""
    options = lifecycle.Options(park="document", clients=clients, servers=servers)
    with own_network(), lab_up(Layout.at(factory.mktemp("document")), options) as lab:
        yield lab


# Enough for a client of every Windows in each site, and for some in no domain. KMS hosts count more of them, see multi_site.COUNTED.
SITE_CLIENTS, SITE_SERVERS = 12, 2


@contextmanager
def site_lab(factory: pytest.TempPathFactory, kind: str, dc_address: str, http_port: int, **options: Any) -> Iterator[Lab]:
    """A lab with sites, on other addresses and ports than `running_lab`, so that both can be up."""
    sizes = {"clients": SITE_CLIENTS, "servers": SITE_SERVERS, **options}
    made = lifecycle.Options(sites=kind, dc_address=dc_address, http_port=http_port, https_port=http_port + 1, **sizes)
    with lab_up(Layout.at(factory.mktemp(kind)), made) as lab:
        yield lab
