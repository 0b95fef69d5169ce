# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lookup plugin winops.volume_activation.kms_hosts."""

from __future__ import annotations

DOCUMENTATION = r"""
name: kms_hosts
short_description: KMS hosts that clients of a domain find
version_added: 0.2.0
author: winops contributors (@winops)
description:
  - Reads the SRV record C(_vlmcs._tcp) of DNS domains and returns the KMS hosts in the order in which a client tries them (RFC 2782).
  - A domain without such a record gives no host, and is no error.
requirements:
  - dnspython >= 2.7, on the control node
options:
  _terms:
    description:
      - DNS domains, such as V(contoso.com). The hosts of the first one come first.
      - Without one, the variable C(volume_activation_domain) stands in.
    type: list
    elements: str
    required: false
  dns_servers:
    description:
      - DNS servers to ask, by address or name, with C(:port) where it is not 53. A host counts that at least one of them names.
      - A server that does not answer is passed over with a warning; it is an error when none answers.
      - Without any, those of the control node.
    type: list
    elements: str
    vars:
      - name: volume_activation_dns_servers
  order:
    description:
      - V(client) is one order in which a client might try them. By rising priority; among hosts of the same priority it is drawn anew each time,
        and those with more weight come first more often.
      - V(priority) is the same every time. By rising priority, then falling weight, then name.
    type: str
    choices: [client, priority]
    default: client
  addresses:
    description:
      - Whether to find out the hosts' addresses where the DNS servers did not tell them along with the record.
    type: bool
    default: true
  timeout:
    description:
      - Seconds to wait for each answer.
    type: float
    default: 5
seealso:
  - plugin: winops.volume_activation.kms_endpoint_info
    plugin_type: module
  - plugin: winops.volume_activation.dns_srv
    plugin_type: module
"""

EXAMPLES = r"""
- name: Show where the clients of a domain turn to
  ansible.builtin.debug:
    msg: "{{ item.target }}:{{ item.port }} (priority {{ item.priority }}, weight {{ item.weight }})"
  loop: "{{ query('winops.volume_activation.kms_hosts', 'contoso.com', order='priority') }}"

- name: Point the clients of a workgroup to the host that comes first
  winops.volume_activation.kms_client:
    kms_host: "{{ query('winops.volume_activation.kms_hosts', 'contoso.com', dns_servers=['dc1.contoso.com'])[0].target }}"
"""

RETURN = r"""
_raw:
  description: The hosts, each once for every value of the record.
  type: list
  elements: dict
  contains:
    domain:
      description: The domain that the host was found in.
      type: str
    target:
      description: The host, in lower case and without the final dot.
      type: str
    port:
      description: Its TCP port.
      type: int
    priority:
      description: Its priority; lower ones are tried first.
      type: int
    weight:
      description: Its weight among those of the same priority.
      type: int
    ttl:
      description: Time to live in seconds; the longest one where servers differ.
      type: int
    addresses:
      description: Its addresses, sorted; empty where it has none.
      type: list
      elements: str
"""

import secrets
import typing as t
from collections.abc import Sequence

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._core.given import names_of
from ..plugin_utils._core.text import LONGEST_LINE, visible
from ..plugin_utils._dns import compare
from ..plugin_utils._dns.addresses import read_all_addresses
from ..plugin_utils._dns.srv import SrvAnswer, read_srv_from_all, servers_of, service_name, system_servers
from ..plugin_utils._srv.order import NO_SERVICE, groups, selection_order
from ..plugin_utils._srv.value import SrvValue, plain_name


class LookupModule(LookupBase):
    """KMS hosts of domains, in the order of clients."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[dict[str, t.Any]]:
        """See the documentation."""
        self.set_options(var_options=variables, direct=kwargs)  # type: ignore[no-untyped-call]
        given = list(terms) or [(variables or {}).get("volume_activation_domain") or ""]
        try:
            domains = [_domain(term) for term in given]
            return [host for domain in domains for host in self._hosts(domain)]
        except ActivationError as failure:
            raise AnsibleError(visible(failure.message, LONGEST_LINE)) from None

    def _hosts(self, domain: str) -> list[dict[str, t.Any]]:
        options: dict[str, t.Any] = self.get_options()  # type: ignore[no-untyped-call]
        timeout = options["timeout"]
        if timeout <= 0:
            raise ActivationError("timeout has to be more than 0 seconds.", source="options")
        # What was a text Ansible has cut at its commas.
        named = names_of(",".join(options["dns_servers"] or ()), "dns_servers")
        servers = servers_of(named) or system_servers()
        answers = read_srv_from_all(servers, service_name(domain), timeout=timeout)
        found = compare.compare(servers, answers)
        answering = [answer.server for answer in answers if isinstance(answer, SrvAnswer)]
        if not answering:
            raise next(iter(found.failed.values()))
        for failure in found.failed.values():
            self._display.warning(visible(failure.message, LONGEST_LINE))
        addresses = dict(found.addresses)
        if options["addresses"]:
            unknown = list(
                dict.fromkeys(value.target for value in found.values if value.target not in addresses and value.target != NO_SERVICE)
            )
            addresses |= read_all_addresses(answering, unknown, timeout=timeout)
            if late := [target for target in unknown if target not in addresses]:
                self._display.warning(
                    f"{service_name(domain)} names so many hosts that {len(late)} of them could not be asked for in time, and have no addresses here."
                )
        return [
            {
                "domain": domain,
                "target": value.target,
                "port": value.port,
                "priority": value.priority,
                "weight": value.weight,
                "ttl": found.values[value],
                "addresses": list(addresses.get(value.target, ())),
            }
            for value in _ordered(list(found.values), options["order"])
        ]


def _domain(term: t.Any) -> str:
    if not isinstance(term, str) or not term.strip():
        raise ActivationError("kms_hosts needs a DNS domain as its term, or in the variable volume_activation_domain.", source="options")
    # Without the tags that ansible-core puts on what comes from a playbook.
    return plain_name("".join(term))


def _ordered(values: Sequence[SrvValue], order: str) -> list[SrvValue]:
    if order == "client":
        return selection_order(values, lambda top: secrets.randbelow(top + 1))
    return [
        value for group in groups(values) for value in sorted((one for one, _share in group.shares), key=lambda one: (-one.weight, one))
    ]
