# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a KMS host's record needs is planned from DNS, and what no ticket could bring about is refused first."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import Plan
from ansible_collections.winops.volume_activation.plugins.plugin_utils._windows.publication import Publication, PublishedHost

FQDN = "kms-2.contoso.com"


def session(*, member: bool = True) -> SimpleNamespace:
    """A host that only tells its name."""
    row = {"DNSHostName": "KMS-2", "Domain": "Contoso.com", "PartOfDomain": member}
    return SimpleNamespace(host="kms-2", query=lambda *_arguments: [row])


def planned(ports: list[int], *, port: int | None = 1688, host_port: int = 1688, publishes: bool = True, check_mode: bool = False) -> Plan:
    """The plan of a host that DNS names under these ports."""
    asked: list[str] = []
    publication = Publication("contoso.com", port, "wait", 0.1, 1, lambda fqdn: asked.append(fqdn) or ports)
    host = SimpleNamespace(plan=Plan(), port=host_port, publishes=publishes, check_mode=check_mode, activating=False)
    PublishedHost(session(), publication).plan(host)
    assert asked == [FQDN]
    return host.plan


def test_a_host_that_is_named_needs_nothing():
    assert planned([1688]).steps == []


@pytest.mark.parametrize(("ports", "before"), [([], None), ([1690], f"{FQDN}:1690")])
def test_a_host_that_is_absent_or_named_with_another_port_is_to_be_published(ports: list[int], before: str | None):
    (step,) = planned(ports).steps
    assert (step.object, step.attribute, step.before, step.after) == ("kms-2", "SRV _vlmcs._tcp.contoso.com", before, f"{FQDN}:1688")


@pytest.mark.parametrize(("setting", "words"), [({"publishes": False}, "switched off"), ({"host_port": 1690}, "listens on port 1690")])
def test_a_host_that_would_not_publish_is_refused_unless_an_earlier_step_may_change_that(setting: dict[str, int | bool], words: str):
    with pytest.raises(ActivationError, match=words):
        planned([], **setting)
    assert len(planned([], **setting, check_mode=True).steps) == 1


def test_a_workgroup_computer_cant_publish_itself():
    publication = Publication("contoso.com", None, "wait", 0.1, 1, lambda _fqdn: [])
    with pytest.raises(ActivationError, match="not a member of a domain"):
        PublishedHost(session(member=False), publication)
