# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a KMS run decides, step by step: each reads what tasks have registered, and says what comes next.

Nothing that is returned here holds a key or a confirmation ID: who needs one looks it up by the host's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..._core.text import visible_lines
from ..._srv.value import plain_name
from ..._survey.reach import read_limit, too_many
from ..._topology.derived import derived
from ..._topology.model import PUBLISHED
from ..._topology.sites import read_sites
from ..audit.survey import read_computers
from ..finding import Finding
from ..fleet import Fleet
from ..registered import Registered, Result
from ..said import said_of
from .accounts import account_findings, foreign_homes, found_hosts, leaving, lookups, machine_accounts
from .clients import OF_EACH, SITE, ClientsSeen, ClientWishes, see
from .ending import RunEnd, counted
from .findings import Look, findings, key_facts
from .records import due_grants, first_publishers, lacking_lines, missing_rights, old_values
from .rolling import KmsHosts, Rollout, rollout
from .settings import SEVERAL, KmsSettings, credential_names, read_settings, topology_defaults
from .trusts import due_trusts, trust_findings
from .waiting import waiting
from .work import as_inventory_names, hosts_of, hosts_work, single_site, target_of, work

KMS_HOSTS, CLIENTS = "kms_hosts", "kms_clients"
GROUPS = (KMS_HOSTS, CLIENTS)
OF_HOSTS = frozenset({"lookups", "work", "waiting", "rights", "old_values", "lacking"})
"""The steps that look at KMS hosts alone."""


def inventory_of(step: str, face: str) -> dict[str, str]:
    """The variables of hosts that a step reads, each with the group whose hosts have it."""
    if step == "lookups":
        return {f"{face}_{name}": KMS_HOSTS for name in ("target", "account")}
    if step == "work":
        return {f"{face}_target": KMS_HOSTS, f"{face}_csvlk": KMS_HOSTS}
    if step == "findings":
        return {f"{face}_csvlk": KMS_HOSTS, SITE: CLIENTS, **{f"{face}_{name}": CLIENTS for name in OF_EACH}}
    return {}


def declare(face: str, given: Mapping[str, Any], credentials: Any, confirmed: Iterable[str], max_unreachable: Any = None) -> dict[str, Any]:
    """The settings, and of several sites what follows from them, before any host is asked.

    Raises:
        ActivationError: Something in them can't be.
    """
    settings = read_settings(face, given)
    topology = derived(read_sites(given.get("sites"), topology_defaults(given), credential_names(credentials))) if face == SEVERAL else None
    return {
        "settings": {**settings.as_result(), "online": settings.online},
        "topology": topology,
        "confirmed": list(map(str, confirmed)),
        "max_unreachable": read_limit(max_unreachable),
    }


class Run:
    """What all steps after the first have in common.

    Args:
        fleet: The hosts of the play.
        found: What was registered; C(declared) is what C(declare) gave.
    """

    def __init__(self, fleet: Fleet, found: Registered) -> None:
        self.fleet = fleet
        self.found = found
        self.declared = found.once("declared")
        self.settings = KmsSettings.of_result({name: value for name, value in self.declared["settings"].items() if name != "online"})
        self.hosts = fleet.groups[KMS_HOSTS]

    @property
    def topology(self) -> Mapping[str, Any]:
        """The sites, with the names of KMS hosts as the inventory has them."""
        topology: Mapping[str, Any] = self.found.once("work")["topology"]
        return topology

    @property
    def listed(self) -> bool:
        """Whether KMS hosts have a publish list."""
        return not self.settings.single

    def decide(self, step: str, check_mode: bool) -> dict[str, Any]:
        """What a step decides, as the documentation of C(run_kms) has it."""
        if step == "findings":
            return self.findings()
        if step == "ends":
            return self._end().ends(check_mode)
        if step == "lookups":
            given = self.found.variables.get(self.settings.named("account"), {})
            return {"sites": lookups(self._sites({}), self._computers(), given)}
        if step == "work":
            return self.work()
        if step == "waiting":
            return waiting(self.found.all_of("host"), self.declared["confirmed"], self.settings.named("confirmation_ids"))
        if step == "rights":
            rights = self.found.loop("rights")
            sites = {name: host["site"] for name, host in hosts_of(self.topology, self.hosts).items()}
            return {"missing": {name: missing_rights(rights, site) for name, site in sites.items()}}
        if step == "old_values":
            return {"zones": old_values(self.topology, list(self._publications()))}
        if step == "lacking":
            targets = {host["name"] for host in hosts_of(self.topology, self.hosts).values()}
            return self._lacking(lacking_lines(self.topology, targets, self.found.loop("shown"), self.listed))
        if step == "retire":
            return self.retire()
        if step == "serving":
            return {"cold": [] if check_mode or self.settings.allow_outage else self._end().cold()}
        if step == "leaving":
            return leaving(self.found.all_of("accounts"))
        return {"counted": counted(self.found)}

    def _end(self) -> RunEnd:
        return RunEnd(self.found, self.topology, self.hosts, self.fleet.groups[CLIENTS], self.settings.single)

    def _computers(self) -> dict[str, str]:
        """By KMS host that was read what it says that it is called."""
        systems = {host: self.found.of("license", host).get("operating_system") or {} for host in self.hosts}
        return {host: str(system["computer_name"]) for host, system in systems.items() if system.get("computer_name")}

    def _sites(self, looked_up: Mapping[str, Result]) -> Mapping[str, Any]:
        """The sites, with what was found of the KMS hosts that the inventory has no full name for."""
        if not self.settings.single:
            return as_inventory_names(self.declared["topology"], self.hosts)
        given = self.found.variables.get(self.settings.named("target"), {})
        names = {host: str(looked_up.get(host, {}).get("dns_name", "")) for host in self.hosts}
        return single_site(self.settings, {host: target_of(host, str(given.get(host) or ""), name) for host, name in names.items()})

    def work(self) -> dict[str, Any]:
        """What KMS hosts, groups and records need."""
        licenses = {host: self.found.of("license", host) for host in self.hosts}
        looked = self.found.loop("accounts")
        topology = self._sites(found_hosts(looked))
        due = work(topology, list(self._computers()), machine_accounts(looked))
        for zone in due["written"]:
            zone["server"] = [self.settings.record_server] if self.settings.record_server else zone["domain_controllers"]
        return {
            "topology": topology,
            "sites": list(topology["sites"].values()),
            "hosts": hosts_work(topology, self.hosts, self.listed),
            **{name: due[name] for name in ("groups", "grants", "written")},
            "trusts": due_trusts(topology, looked, list(self._computers())),
            "printed": any(zone["printed"] for zone in topology["zones"].values()),
            "replaces": bool(rollout(topology, KmsHosts(self.hosts, licenses, self._keys())).replaced),
        }

    def retire(self) -> dict[str, Any]:
        """What is known of KMS hosts that go, which the sites must not name any more."""
        topology = single_site(self.settings, {}) if self.settings.single else self.declared["topology"]
        named = frozenset(self.fleet.members[KMS_HOSTS] if self.settings.single else hosts_of(topology, self.found.hosts))
        where = "the group kms_hosts" if self.settings.single else "volume_activation_sites"
        refusal = f"is still a KMS host in {where}. Put the host that replaces it there in its place, or take it out, and run this again."
        sites = list(topology["sites"].values())
        return {
            "sites": sites,
            "groups": [site for site in sites if site["records"] == PUBLISHED],
            "names": [plain_name(name) for name in named] if self.settings.single else list(topology["hosts"]),
            "refusals": [host for host in self.found.hosts if host in named],
            "refusal": refusal,
            "publish_domains": [{name: site[name] for name in ("domain", "dns_servers")} for site in sites],
        }

    def findings(self) -> dict[str, Any]:
        """What was seen, whether something stands in the way, and who asks."""
        clients, hosts = self.fleet.groups[CLIENTS], frozenset(self.hosts)
        topology, found, settings = self.topology, self.found, self.settings
        looked = found.loop("acl_checks")
        seen = self._seen()
        licenses = {host: found.of("license", host) for host in self.hosts}
        look = Look(
            hosts=self.hosts,
            all_hosts=self.fleet.members[KMS_HOSTS],
            clients=clients,
            all_clients=self.fleet.members[CLIENTS],
            licenses=licenses | {host: entry for host, entry in seen.licenses.items() if host not in hosts},
            keys=self._keys(),
            records=found.loop("records_before"),
            checks=[*self._checks()],
            part=self.fleet.part,
        )
        due = rollout(topology, look.kms_hosts(topology), settings.ticket == "reboot")
        accounts = found.loop("accounts")
        of_accounts = [*account_findings(topology, accounts, list(self._computers()), settings.named("target"))]
        of_accounts += foreign_homes(settings, accounts)
        of_trusts = trust_findings(found.loop("trust_checks"))
        # A controller that does not answer says the same to each who asks it.
        of_clients = too_many(self.declared["max_unreachable"], seen.silent, len(clients))
        every = [
            *findings(settings, topology, look),
            *of_accounts,
            *of_trusts,
            *([Finding("clients", of_clients, True)] if of_clients else []),
        ]
        said = said_of(list(dict.fromkeys(every)), only_blocking=False)
        return {
            "lines": said["findings"],
            "stop": said["stop"],
            "first": self._first(due, looked),
            "rounds": due.rounds,
            "replaced": list(due.replaced),
            "threshold": look.kms_hosts(topology).threshold,
            "left": list(due.left),
            "grants": due_grants(looked, not settings.hosts_have_rights),
            "due": list(seen.due),
            "options": seen.due,
            "clients": {
                "licensed": seen.licensed,
                "silent": seen.silent,
                "remarks": seen.remarks,
                "shared": seen.shared,
            },
        }

    def _keys(self) -> dict[str, dict[str, Any]]:
        """What is known of the key that each KMS host is to get."""
        variable = self.settings.named("csvlk")
        given = self.found.variables.get(variable, {})
        return {host: key_facts(given.get(host), variable) for host in self.hosts}

    def _first(self, due: Rollout, looked: Sequence[Result]) -> dict[str, list[str]]:
        """The hosts that come first, each with the domains in which it publishes then."""
        hosts = hosts_of(self.topology, self.hosts)
        alone = {name: [line["domain"] for line in hosts[name]["publish_list"]] for name in due.first if name in hosts}
        if self.settings.hosts_have_rights:
            return alone
        return {**{name: [] for name in alone}, **first_publishers(self.topology, self.hosts, looked)}

    def _seen(self) -> ClientsSeen:
        clients = self.fleet.groups[CLIENTS]
        domains = {name: site["domain"] for name, site in self.topology["sites"].items()} if self.listed else {}
        batch = frozenset(self.fleet.batch)
        computers = read_computers(str(self.found.once("survey")["file"]), clients, [name for name in clients if name in batch])
        return see(
            computers,
            clients,
            ClientWishes(self.settings, domains, self.found),
            self.settings.named("lookup_domain") if self.listed else "",
        )

    def _checks(self) -> Iterable[tuple[str, Result]]:
        """Read-only tasks, with what they looked at."""
        for result in self.found.loop("group_checks"):
            yield f"group {result['item']['group']}", result
        for name in ("acl_checks", "written_checks"):
            for result in self.found.loop(name):
                yield f"record {result['item']['record']}", result
        for host, result in self.found.all_of("firewall_check").items():
            if "error" in result:
                yield f"firewall of {host}", result

    def _publications(self) -> Iterable[Result]:
        for host in self.hosts:
            yield from self.found.of("host", host).get("publications") or ()

    @staticmethod
    def _lacking(lines: Sequence[str]) -> dict[str, Any]:
        stop = (
            "The KMS hosts are set up, but clients don't find them yet. Have these lines entered in DNS, and run the play again:"
            f" {' | '.join(lines)}"
        )
        return {"lines": visible_lines(lines), "stop": stop if lines else ""}
