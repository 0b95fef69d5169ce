# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rights on records where the account may not, a descriptor is special, or somebody else writes at the same time."""

from __future__ import annotations

import re

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import (
    DACL_PROTECTED,
    SecurityDescriptor,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.witness import KMS_RECORD_DN, Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import DELEGATE, DELEGATE_PASSWORD, GRANT, KMS_1, NODE, granting, settings, shown, wanted

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]


def test_write_dac_is_enough(session: DirectorySession, published: Witness, domain: Domain) -> None:
    before = published.aces()
    account = settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)
    with open_session(account) as delegated:
        planned = granting(delegated, check_mode=True)
        assert shown(planned.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", [], ["delete", "read", "write"])]
        assert (planned.result["may_write"], planned.result["owner"]) == (False, f"CONTOSO\\{KMS_1.account}")
        assert [f"lacks WRITE_DAC on {KMS_RECORD_DN}" in warning for warning in planned.warnings] == [True]
        with pytest.raises(ActivationError, match=f"lacks WRITE_DAC on {KMS_RECORD_DN}") as failed:
            granting(delegated)
        assert failed.value.name == "insufficientAccessRights"
    assert published.aces() == before
    ensure_grant(session, wanted(DELEGATE, ("write_dac",)), check_mode=False)
    with open_session(account) as delegated:
        assert granting(delegated).result["may_write"] is True
    with open_session(settings(f"{names.WINRM_USER}@{names.REALM}", names.WINRM_PASSWORD)) as reader:
        nothing_to_do = granting(reader)
        assert (nothing_to_do.steps, nothing_to_do.warnings, nothing_to_do.result["may_write"]) == ([], [], False)
    sid = published.sid(names.KMS_GROUP)
    assert f"(A;;{GRANT};;;{sid})" in published.aces()
    assert published.record_owner() == KMS_1.account


def test_a_refusal_by_the_controller_names_the_right(published: Witness, domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the controller does not tell beforehand what the account may do."""
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as session:
        monkeypatch.setattr(DirectorySession, "read", without("sdrightseffective", DirectorySession.read))
        with pytest.raises(StepFailed) as failed:
            granting(session)
    assert f"The account lacks WRITE_DAC on {KMS_RECORD_DN}." in str(failed.value.__cause__)


def without(attribute: str, read):
    def reading(self, dn, attributes, sd_flags=0):
        return read(self, dn, [name for name in attributes if name.lower() != attribute], sd_flags)

    return reading


def test_a_protected_dacl_stays_protected(session: DirectorySession, published: Witness) -> None:
    node = session.read(KMS_RECORD_DN, ["nTSecurityDescriptor"], 4)
    assert node is not None
    descriptor = SecurityDescriptor.from_bytes(node.first("nTSecurityDescriptor"))
    assert descriptor.dacl is not None
    protected = SecurityDescriptor(descriptor.control | DACL_PROTECTED, dacl=descriptor.dacl)
    session.modify(KMS_RECORD_DN, [("replace", "nTSecurityDescriptor", [protected.to_bytes()])], "", sd_flags=4)
    before = published.sddl()
    assert re.search(r"D:P", before)
    granting(session)
    assert re.search(r"D:P", published.sddl())
    granting(session, state="absent")
    assert published.sddl() == before


def test_denials_are_told(session: DirectorySession, published: Witness, domain: Domain) -> None:
    for trustee in (published.sid(names.KMS_GROUP), "WD", published.sid(names.WINRM_USER)):
        published.add_ace(f"(D;;WP;;;{trustee})")
    warnings = granting(session).warnings
    assert len(warnings) == 2
    assert any(f"denies CONTOSO\\{names.KMS_GROUP} write_property" in warning for warning in warnings)
    assert any("S-1-1-0, which includes" in warning for warning in warnings)


def test_another_writer_is_noticed(session: DirectorySession, published: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    sid, others = published.sid(names.KMS_GROUP), published.sid(names.WINRM_USER)
    original = DirectorySession.modify
    turns: list[str] = []

    def racing(self, dn, changes, right, *, sd_flags=0, permissive=False):
        if sd_flags:
            turns.append(dn)
            if len(turns) == 1:
                published.add_ace(f"(A;;RP;;;{others})")
        original(self, dn, changes, right, sd_flags=sd_flags, permissive=permissive)

    monkeypatch.setattr(DirectorySession, "modify", racing)
    done = granting(session)
    assert f"(A;;{GRANT};;;{sid})" in published.aces()
    assert ["Somebody else changed" in warning for warning in done.warnings] == [True]


def test_a_grant_that_was_overwritten_is_made_again(session: DirectorySession, published: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other writer's own change is still there afterwards, and it is given up when that never ends."""
    sid, others = published.sid(names.KMS_GROUP), published.sid(names.WINRM_USER)
    write = DirectorySession.modify

    def descriptor() -> tuple[str, str, list[bytes]]:
        node = session.read(KMS_RECORD_DN, ["nTSecurityDescriptor"], 4)
        return ("replace", "nTSecurityDescriptor", [node.first("nTSecurityDescriptor") if node else b""])

    first = descriptor()
    published.add_ace(f"(A;;RP;;;{others})")
    other_writers = descriptor()
    write(session, KMS_RECORD_DN, [first], "", sd_flags=4)
    turns: list[SecurityDescriptor] = []
    lost = 3

    def overwritten(self, dn, changes, right, *, sd_flags=0, permissive=False):
        write(self, dn, changes, right, sd_flags=sd_flags, permissive=permissive)
        if sd_flags:
            turns.append(SecurityDescriptor.from_bytes(changes[-1][2][0]))
            if len(turns) < lost:
                write(self, dn, [other_writers], right, sd_flags=sd_flags)

    monkeypatch.setattr(DirectorySession, "modify", overwritten)
    granting(session)
    assert len(turns) == 3
    assert {f"(A;;{GRANT};;;{sid})", f"(A;;RP;;;{others})"} <= set(published.aces())
    assert [(sent.owner, sent.group, sent.sacl) for sent in turns] == [(None, None, None)] * 3
    granting(session, state="absent")
    lost = 99
    turns.clear()
    with pytest.raises(StepFailed) as failed:
        granting(session)
    assert "was written 3 times and is still not as wanted" in str(failed.value.__cause__)
