# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step in Active Directory with exactly the rights that the page names for it, and without each one of them.

The rights are given as the commands of the page give them; the domain gives nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import error_catalogue
import least_rights
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.asked import Asked
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.codes.meaning import sentence
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import record_rights, static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.activation_objects import ActivationObjects
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_rights import WantedRights
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import open_session
from lab import names
from lab.publication import PublishError

from ..conftest import NEEDS_DOMAIN
from ..directory.helpers import ADDRESS, GROUP_DN, KMS_1, KMS_2, publish, settings, wanted
from ..dns.helpers import GSS
from ..dns.helpers import ensure as update_dns
from .delegation import ACTIVATION_OBJECT, OU, OU_GROUP_DN, RECORD_DN, USER, USER_PASSWORD, Delegation

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

STATIC = (10, 50, 1688, KMS_2.fqdn)
Said = list[str]
"""Warnings."""


def group(wish: WantedGroup, check_mode: bool) -> Said:
    with open_session(settings(USER, USER_PASSWORD)) as session:
        return ensure_group(session, wish, check_mode).warnings


def rights(check_mode: bool, principal: str = KMS_2.account, *, create: bool = False, disown_hosts: bool = False) -> Said:
    with open_session(settings(USER, USER_PASSWORD)) as session:
        wish = WantedRights(wanted(principal), (principal,), create=create, disown_hosts=disown_hosts)
        return record_rights.ensure(session, wish, check_mode).warnings


def static(check_mode: bool) -> Said:
    with open_session(settings(USER, USER_PASSWORD)) as session:
        done = static_srv.ensure(session, names.ZONE, names.KMS_RECORD, [STATIC], "present", None, check_mode)
        return [done.lacks]


def update(check_mode: bool) -> Said:
    account = {"domain_username": USER, "domain_password": USER_PASSWORD, "dns_servers": [ADDRESS]}
    return update_dns({**GSS, **account, "record": names.KMS_RECORD}, " ".join(map(str, STATIC)), check_mode=check_mode).warnings


def activation_object(check_mode: bool) -> Said:
    with open_session(settings(USER, USER_PASSWORD)) as session:
        plan = ActivationObjects(session).plan_removal("Contoso 2022")
        assert plan.steps
        if not check_mode:
            plan.run()
        return []


def publish_itself(check_mode: bool) -> Said:
    """What the KMS host KMS_2 does; its refusal is what the product makes of the code in its event log."""
    if not check_mode:
        try:
            publish(KMS_2)
        except PublishError as refused:
            raise ActivationError(sentence(refused.code, Asked.PUBLISHING)) from refused
    return []


def record_is_written(place: Delegation) -> bool:
    return any(KMS_2.label.encode() in value for value in place.values(RECORD_DN, "dnsRecord"))


Step = tuple[Callable[[Delegation], None], Callable[[bool], Said], Callable[[Delegation], bool]]
STEPS: dict[str, Step] = {
    "find_accounts": (
        lambda place: place.harden(accounts_hidden=True),
        lambda check_mode: group(WantedGroup(names.KMS_GROUP, members=(KMS_1.account,)), check_mode),
        lambda place: True,
    ),
    "read_rights": (
        lambda place: place.harden(),
        lambda _check_mode: rights(True, KMS_1.account),
        lambda place: True,
    ),
    "make_group": (
        lambda place: (place.harden(), place.remove_group())[0],
        lambda check_mode: group(WantedGroup(names.KMS_GROUP, path=OU), check_mode),
        lambda place: place.exists(OU_GROUP_DN),
    ),
    "describe_group": (
        lambda place: (place.harden(), place.move_group())[0],
        lambda check_mode: group(WantedGroup(names.KMS_GROUP, description="KMS hosts"), check_mode),
        lambda place: place.values(OU_GROUP_DN, "description") == [b"KMS hosts"],
    ),
    "fill_group": (
        lambda place: (place.harden(), place.move_group())[0],
        lambda check_mode: group(WantedGroup(names.KMS_GROUP, members=(KMS_2.account,)), check_mode),
        lambda place: place.values(OU_GROUP_DN, "member") == [KMS_2.dn.encode()],
    ),
    "move_group": (
        lambda place: place.harden(),
        lambda check_mode: group(WantedGroup(names.KMS_GROUP, path=OU), check_mode),
        lambda place: place.exists(OU_GROUP_DN) and not place.exists(GROUP_DN),
    ),
    "make_record": (
        lambda place: (place.harden(), place.remove_record())[0],
        lambda check_mode: rights(check_mode, create=True),
        lambda place: place.exists(RECORD_DN),
    ),
    "grant_rights": (
        lambda place: place.harden(),
        rights,
        lambda place: True,
    ),
    "take_record": (
        lambda place: place.harden(),
        lambda check_mode: rights(check_mode, KMS_1.account, disown_hosts=True),
        lambda place: True,
    ),
    "write_new_static": (
        lambda place: (place.harden(), place.remove_record())[0],
        static,
        record_is_written,
    ),
    "write_static": (
        lambda place: place.harden(),
        static,
        record_is_written,
    ),
    "update_new": (
        lambda place: (place.harden(), place.remove_record())[0],
        update,
        record_is_written,
    ),
    "update": (
        lambda place: place.harden(),
        update,
        record_is_written,
    ),
    "publish": (
        lambda place: place.harden(),
        publish_itself,
        record_is_written,
    ),
    "remove_activation_object": (
        lambda place: place.harden(),
        activation_object,
        lambda place: not place.exists(ACTIVATION_OBJECT),
    ),
}
FOUND = least_rights.paired("directory", STEPS)


CASES = {
    "a zone that may not be listed": ("read_rights", "read_zone"),
    "a record that may not be read": ("read_rights", "read_record"),
    "a group that may not move there": ("move_group", "create_group"),
    "a group that may not move away": ("move_group", "delete_group"),
    "a group that may not be named": ("move_group", "rename_group"),
}
WRITTEN = error_catalogue.paired("Rights in the directory", CASES)


def refusal(work: Callable[[], Said]) -> tuple[ActivationError | None, Said]:
    """What comes of it: the error, or the warnings."""
    try:
        return None, work()
    except StepFailed as failure:
        return cast(ActivationError, failure.__cause__), []
    except ActivationError as failure:
        return failure, []


def prepared(delegation: Delegation, name: str, without: str = "") -> Callable[[bool], Said]:
    """The step, to be done with its rights, or with all but one."""
    before, act, _is_done = STEPS[name]
    before(delegation)
    delegation.give(each for each in FOUND[name]["rights"] if each != without)
    return act


@pytest.mark.parametrize("name", FOUND)
def test_exactly_these_rights_suffice(delegation: Delegation, name: str) -> None:
    act = prepared(delegation, name)
    for check_mode in (True, False):
        warnings = act(check_mode)
        assert not any("lacks" in warning for warning in warnings), warnings
    assert STEPS[name][2](delegation)


@pytest.mark.parametrize(("name", "right"), least_rights.missing("directory"))
def test_a_right_that_is_missing_is_named(delegation: Delegation, name: str, right: str) -> None:
    act = prepared(delegation, name, right)
    for check_mode in (True, False):
        if check_mode and least_rights.is_unseen(right):
            continue
        error, warnings = refusal(lambda: act(check_mode))  # noqa: B023
        said = error.message if error else " ".join(warnings)
        assert least_rights.says(right) in said, f"check mode {check_mode}: {said}"


@pytest.mark.parametrize("case", WRITTEN)
def test_what_is_said_of_a_missing_right(delegation: Delegation, case: str) -> None:
    act = prepared(delegation, *CASES[case])
    error, _warnings = refusal(lambda: act(False))
    assert error is not None
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN[case], error)
