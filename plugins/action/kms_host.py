# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of winops.volume_activation.kms_host."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ..plugin_utils._actions.base import Outcome
from ..plugin_utils._actions.windows import WindowsAction
from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._dns.published import PublishedRecords
from ..plugin_utils._kms_endpoint.probe import MOST_TARGETS, EndpointState, KmsEndpoint, probe, probe_all, unresolved
from ..plugin_utils._licensing import given_keys
from ..plugin_utils._licensing.kms import checked_settings
from ..plugin_utils._licensing.offline_ids import grouped
from ..plugin_utils._licensing.product_keys import normalise
from ..plugin_utils._licensing.publish_list import ListWish, checked_lines
from ..plugin_utils._licensing.setup_keys import by_key
from ..plugin_utils._srv.value import SrvValue, plain_name
from ..plugin_utils._windows.kms_host.listening import Probe
from ..plugin_utils._windows.kms_host.publication import Publication, PublishedHost, WantedValue
from ..plugin_utils._windows.kms_host.publish_list import planned
from ..plugin_utils._windows.kms_host.removal import KmsHostRemoval, Look, RecordSeen, Removal
from ..plugin_utils._windows.kms_host.setup import KmsHostSetup
from ..plugin_utils._windows.kms_host.state import SETTINGS, KmsHostWish
from ..plugin_utils._windows.kms_host.work import HostWork
from ..plugin_utils._windows.spp.license_info import short_product
from ..plugin_utils._windows.spp.offline_activation import Confirmation
from ..plugin_utils._wsman.session import Session


class ActionModule(WindowsAction):
    """Key, settings, firewall, activation, and the host's own values in DNS."""

    SECRETS = frozenset({"product_key", "confirmation_id"})
    VARIABLES: t.ClassVar = {"dns_servers": "volume_activation_dns_servers"}

    def execute_on_host(self, session: Session, options: dict[str, t.Any], check_mode: bool) -> Outcome:
        """See the base class."""
        _check_state(options)
        wish, publication, records = _wish(options), *_publication(options)
        if wish.absent:
            removal = Removal(_look_at(records), options["uninstall_key"], options["last_host"])
            gone = KmsHostRemoval(session, wish, removal, check_mode, probe=_probe_of(session))
            gone.change()
            return _outcome(gone, {"other_hosts": gone.other_hosts} if gone.plan else {})
        published = PublishedHost(session, publication) if publication.wanted else None
        host = KmsHostSetup(session, wish, check_mode, always_read=published is not None, probe=_probe_of(session))
        host.change(published.plan if published else None)
        result: dict[str, t.Any] = {"port": host.port} if host.state.service else {}
        if ids := host.offline_ids:
            result |= {"installation_id": ids.installation_id, "extended_pid": ids.extended_pid}
            result["installation_id_groups"] = grouped(ids.installation_id)
        if wish.publish_list is not None:
            now = planned(wish.publish_list, host.state.publish_list)
            result["publish_list"] = {"lines": list(now.lines), "foreign": list(now.foreign)}
        if published:
            result["publications"] = published.shown
        if options["publish_domain"]:
            named = f"_vlmcs._tcp.{plain_name(options['publish_domain'])}"
            result["publication"] = next(entry for entry in result["publications"] if entry["record"] == named)
        return _outcome(host, result)


def _outcome(work: HostWork, result: dict[str, t.Any]) -> Outcome:
    result["restarted"] = work.restarted
    if work.state.service:
        result["product"] = short_product(work.state.product)
    return Outcome(work.plan.steps, result, warnings=work.warnings)


def _check_state(options: dict[str, t.Any]) -> None:
    """Refuse what contradicts the state.

    Raises:
        ActivationError: Something does.
    """
    if options["state"] == "present":
        given = [name for name in ("uninstall_key", "last_host") if options[name]]
        if given:
            raise ActivationError(f"{' and '.join(given)} can be given with state: absent only.", source="options")
        _check_activation(options)
        return
    given = [name for name in ("replace_key", "activate", "confirmation_id", "installation_id") if options[name]]
    given += [name for name in ("publish_list", *SETTINGS) if options[name] is not None]
    if given:
        raise ActivationError(
            f"state: absent brings back what Windows has by itself, so it takes no {' or '.join(given)}.", source="options"
        )
    if options["uninstall_key"] and options["product_key"]:
        raise ActivationError("Give O(product_key), which replaces the KMS host key, or O(uninstall_key), but not both.", source="options")
    if not (options["publish_domain"] or options["publish_domains"] or options["last_host"]):
        raise ActivationError(
            "state: absent needs O(publish_domain) or O(publish_domains), to see that another host is left to the clients of each, or O(last_host):"
            " true where none has to be.",
            source="options",
        )


def _check_activation(options: dict[str, t.Any]) -> None:
    """Refuse two ways to activate at once, and an installation ID that nothing is compared with.

    Raises:
        ActivationError: Something is given that contradicts something else.
    """
    if options["confirmation_id"] and options["activate"]:
        raise ActivationError("Give activate, which asks Microsoft from the host, or O(confirmation_id), but not both.", source="options")
    if options["installation_id"] and not options["confirmation_id"]:
        raise ActivationError("O(installation_id) requires O(confirmation_id).", source="options")


def _wish(options: dict[str, t.Any]) -> KmsHostWish:
    """What the host should be.

    Raises:
        ActivationError: Something in it can't be.
    """
    key = options["product_key"]
    settings = {name: options[name] for name in SETTINGS if options[name] is not None}
    checked_settings(settings)
    lines = [] if options["state"] == "absent" else options["publish_list"]
    gone = frozenset(map(plain_name, options["publish_list_absent"]))
    # An empty list that left all lines would say nothing.
    exact = not lines or options["publish_list_mode"] == "exact"
    return KmsHostWish(
        product_key=_key(key, options["state"] == "absent") if key else None,
        replace_key=options["replace_key"],
        settings=settings,
        activate=options["activate"],
        confirmation=_confirmation(options),
        publish_list=None if lines is None else _list_wish(lines, exact, gone),
        firewall=options["firewall"],
        netsh=options["firewall_method"] == "netsh",
        after_step=options["after"] or "",
        absent=options["state"] == "absent",
    )


def _list_wish(given: list[dict[str, t.Any]], exact: bool, absent: frozenset[str]) -> ListWish:
    lines = checked_lines(given, "publish_list")
    if both := [line.domain for line in lines if line.domain in absent]:
        raise ActivationError(f"O(publish_list) and O(publish_list_absent) both name {', '.join(both)}.", source="options")
    return ListWish(lines, exact, absent)


def _key(text: str, absent: bool) -> str:
    """The key, unless it is known to be of another kind than the host has to get."""
    if not absent:
        instead = "A host that gets it serves no clients any more; state: absent makes a client of it."
        return given_keys.checked(text, "product_key", given_keys.HOST_KEY, instead)
    key = normalise(text)
    known = by_key(key)
    if known and known.for_office:
        raise ActivationError(
            f"O(product_key) is the client setup key that Microsoft publishes for {known.name}, which replaces no key of Windows. Give the"
            " client setup key or MAK of this Windows, or leave O(product_key) out.",
            source="options",
        )
    return key


def _confirmation(options: dict[str, t.Any]) -> Confirmation | None:
    if not options["confirmation_id"]:
        return None
    return Confirmation.of(options["confirmation_id"], options["installation_id"], options["exact_installation_id"])


def _publication(options: dict[str, t.Any]) -> tuple[Publication, PublishedRecords]:
    """Where the host has to appear, and what reads it; the short form is one more record, unless that is described in full.

    Raises:
        ActivationError: Something in it can't be.
    """
    given = list(options["publish_domains"] or [])
    checked_lines(given, "publish_domains")
    short = options["publish_domain"]
    if short and plain_name(short) not in {plain_name(entry["domain"]) for entry in given}:
        given.insert(0, {"domain": short, "priority": None, "weight": None, "own_numbers": False, "dns_servers": None})
    wanted = tuple(WantedValue(plain_name(entry["domain"]), entry["priority"], entry["weight"], entry["own_numbers"]) for entry in given)
    # Servers that are named for one record hold its zone; those of the task may be anything that answers.
    servers = {
        plain_name(entry["domain"]): (entry["dns_servers"] or options["dns_servers"] or [], bool(entry["dns_servers"])) for entry in given
    }
    records = PublishedRecords(servers)
    publication = Publication(
        wanted=wanted,
        port=options["publish_port"],
        ticket=options["ticket"],
        timeout=options["publish_timeout"],
        reboot_timeout=options["reboot_timeout"],
        values_of=records.values_of,
    )
    return publication, records


def _look_at(records: PublishedRecords) -> Look:
    """Reads the records, and tries the hosts that they name besides the one that is to go."""

    def look(fqdn: str) -> list[RecordSeen]:
        found = records.everything()
        others = [(domain, value) for domain, values in found.items() for value in values if value.target not in (plain_name(fqdn), ".")]
        resolved = {
            domain: records.addresses_of(domain, [value.target for other, value in others if other == domain][:MOST_TARGETS])
            for domain in found
        }
        known = {(domain, value): resolved[domain].get(value.target, ()) for domain, value in others}
        targets = sorted({(value.target, address, value.port) for (_domain, value), addresses in known.items() for address in addresses})
        seen = dict(zip(targets, probe_all(targets), strict=True))
        rows = []
        for domain, values in found.items():
            own = tuple(value for value in values if value.target == plain_name(fqdn))
            tried = {
                value: [seen[value.target, address, value.port] for address in known[domain, value]]
                for value in values
                if (domain, value) in known
            }
            rows.append(_row(f"_vlmcs._tcp.{domain}", own, tried))
        return rows

    return look


def _row(record: str, own: tuple[SrvValue, ...], tried: dict[SrvValue, list[KmsEndpoint]]) -> RecordSeen:
    answering = dict.fromkeys(
        f"{value.target}:{value.port}"
        for value, endpoints in tried.items()
        if any(one.state is EndpointState.ANSWERING for one in endpoints)
    )
    silent = [
        endpoints[0].detail if endpoints else unresolved(value.target, value.port, "the DNS servers of the record").detail
        for value, endpoints in tried.items()
        if f"{value.target}:{value.port}" not in answering
    ]
    return RecordSeen(record, own, tuple(answering), tuple(dict.fromkeys(silent)))


def _probe_of(session: Session) -> Probe:
    """Looks at the host's ports under the address at which its WinRM answers."""
    address = urlsplit(session.carrier.endpoint).hostname or session.host
    return lambda port: str(probe(session.host, address, port).state)
