# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a KMS run ended: which clients ask once more, which records nobody serves yet, and the summary.

Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..._core.text import some, visible_lines
from ..._survey.reach import too_many
from ..._windows.kms_host.publication import NOT_PUBLISHED
from ..registered import Registered, Result
from .outcomes import failures
from .rolling import KmsHosts, records_without_service
from .summary import Clients, KmsHostResults, summary
from .work import hosts_of


@dataclass(frozen=True, slots=True)
class RunEnd:
    """What tasks after the first change have registered.

    Attributes:
        found: All that was registered.
        topology: The sites.
        hosts: The KMS hosts of the run, by their names in the inventory.
        clients: Its clients.
        single: Whether there is one site.
    """

    found: Registered
    topology: Mapping[str, Any]
    hosts: Sequence[str]
    clients: Sequence[str]
    single: bool

    def cold(self) -> list[str]:
        """The records that name no host of the run that serves, where they name some."""
        found = self.found
        answers = {host: found.of("answer", host).get("endpoints") or () for host in self.hosts}
        silent = [host for host, seen in answers.items() if seen and all(entry["state"] != "answering" for entry in seen)]
        after = {host: found.of("license_after", host) for host in self.hosts}
        hosts = KmsHosts(self.hosts, after, {}, silent, int(found.once("found")["threshold"]))
        return records_without_service(self.topology, hosts)

    def ends(self, check_mode: bool) -> dict[str, Any]:
        """How it ended, for people, for later jobs, and for clients that failed."""
        found = self.found
        asked = dict(self._asked())
        clients = Clients(**{**found.once("found")["clients"], "asked": asked})
        threshold = int(found.once("found")["threshold"])
        looked = (found.loop("records"), found.loop("rights"))
        lines = summary(self.topology, self._hosts(), clients, *looked, threshold, not self.single, check_mode)
        unpublished = [host for host in self.hosts if (found.of("host", host).get("error") or {}).get("name") == NOT_PUBLISHED]
        restarted = [host for host in self.hosts if any(entry["published_by"] == "reboot" for entry in self._publications(host))]
        if restarted:
            lines.append(f"Windows was restarted for a new Kerberos ticket: {some(restarted)}.")
        if unpublished:
            lines.append(
                f"Waiting for a new Kerberos ticket: {some(unpublished)}. Run the play again once Windows has renewed their tickets."
            )
        cold = found.once("serving").get("cold") or []
        if cold:
            lines.append(
                f"No KMS host in {some(cold)} has counted enough clients yet. Run the playbook again when one has; until then no host is retired."
            )
        left = list(found.once("found")["left"])
        if left:
            lines.append(f"Still with the key before: {some(left)}. Run the play again once the hosts with the new key serve.")
        failed = failures(asked.items())
        silent = clients.not_reached
        if refusal := too_many(found.once("declared")["max_unreachable"], silent, len(self.clients)):
            failed[silent[0]] = refusal
        return {
            "lines": visible_lines(lines),
            "numbers": {**clients.numbers, "kms_hosts_waiting": [*unpublished, *left]},
            "failures": failed,
            "failing": list(failed),
        }

    def _asked(self) -> Iterable[tuple[str, Result]]:
        """By client that was to ask what came of it last."""
        for host in self.found.once("found")["due"]:
            result = self.found.of("client", host)
            yield host, (self.found.of("again", host) or result) if _is_counted(result) else result

    def _publications(self, host: str) -> Sequence[Result]:
        return self.found.of("host", host).get("publications") or ()

    def _hosts(self) -> dict[str, KmsHostResults]:
        names = {name: entry["name"] for name, entry in hosts_of(self.topology, self.hosts).items()}
        of_record = [entry for result in self.found.loop("records") for entry in result.get("endpoints") or ()]
        hosts = {}
        for host in self.hosts:
            published = next((str(entry["target"]) for entry in self._publications(host)), "")
            hosts[host] = KmsHostResults(
                before=self.found.of("license", host),
                after=self.found.of("license_after", host),
                target=published or names.get(host, ""),
                endpoints=of_record if self.single else self.found.of("answer", host).get("endpoints") or (),
                publish_list=self.found.of("host", host).get("publish_list") or {},
            )
        return hosts


def counted(found: Registered) -> list[str]:
    """The clients that were counted only, and ask once more."""
    return [host for host in found.once("found")["due"] if _is_counted(found.of("client", host))]


def _is_counted(result: Result) -> bool:
    return (result.get("activation") or {}).get("state") == "counted"
