# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups in a real directory; what is written is witnessed by samba-tool and ldbsearch."""

from __future__ import annotations

import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import DirectorySession, open_session
from lab import names
from lab.domain.controller import Domain
from lab.witness import Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import DELEGATE, DELEGATE_PASSWORD, GROUP_DN, KMS_1, KMS_2, MEMBERS, settings, shown, tool

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]


def test_a_group_is_made_and_filled_once(session: DirectorySession, witness: Witness) -> None:
    group = WantedGroup(names.KMS_GROUP, description="KMS hosts", members=(KMS_1.account, f"CONTOSO\\{KMS_2.account}"))
    planned = ensure_group(session, group, check_mode=True)
    assert witness.search(f"(sAMAccountName={names.KMS_GROUP})") == []
    assert [entry["present"] for entry in planned.result["members"]] == [False, False]
    made = ensure_group(session, group, check_mode=False)
    assert shown(made.steps) == shown(planned.steps)
    assert shown(made.steps) == [
        (f"group {names.KMS_GROUP}", "exists", False, True),
        (f"group {names.KMS_GROUP}", "description", "", "KMS hosts"),
        (f"group {names.KMS_GROUP}", f"member {KMS_1.account}", "absent", "present"),
        (f"group {names.KMS_GROUP}", f"member {KMS_2.account}", "absent", "present"),
    ]
    assert witness.group_members() == sorted(MEMBERS)
    found = witness.search(f"(sAMAccountName={names.KMS_GROUP})", "groupType", "description")[0]
    assert (found["dn"], found["groupType"], found["description"]) == ([GROUP_DN], ["-2147483646"], ["KMS hosts"])
    assert made.result["dn"] == planned.result["dn"] == GROUP_DN
    assert made.result["sid"] == witness.sid(names.KMS_GROUP)
    before = session.requests
    assert ensure_group(session, group, check_mode=False).steps == []
    assert session.requests - before == 2


@pytest.mark.parametrize("given", ["contoso\\{}", "Contoso.com\\{}", "{}@CONTOSO.COM"])
def test_the_own_domain_in_front_of_the_group_is_stripped(session: DirectorySession, witness: Witness, given: str) -> None:
    group = WantedGroup(given.format(names.KMS_GROUP))
    done = ensure_group(session, group, check_mode=False)
    assert shown(done.steps) == [(f"group {names.KMS_GROUP}", "exists", False, True)]
    assert done.result["dn"] == GROUP_DN
    assert witness.group_members() == []
    assert ensure_group(session, group, check_mode=False).steps == []


def test_a_member_that_was_removed_is_the_only_change(session: DirectorySession, published: Witness, domain: Domain) -> None:
    tool(domain, "group", "removemembers", names.KMS_GROUP, KMS_2.account)
    done = ensure_group(session, WantedGroup(names.KMS_GROUP, members=MEMBERS), check_mode=False)
    assert shown(done.steps) == [(f"group {names.KMS_GROUP}", f"member {KMS_2.account}", "absent", "present")]
    assert published.group_members() == sorted(MEMBERS)


def test_members_by_every_kind_of_name(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    accounts = {
        KMS_1.account: witness.sid(KMS_1.account),
        KMS_2.account: KMS_2.dn.lower(),
        names.OPERATOR: f"{names.OPERATOR}@{names.ZONE}",
        names.WINRM_USER: f"contoso.com\\{names.WINRM_USER.upper()}",
    }
    done = ensure_group(session, WantedGroup("Several", scope="universal", members=tuple(accounts.values())), check_mode=False)
    assert [step.attribute for step in done.steps[1:]] == [f"member {account}" for account in accounts]
    assert witness.group_members("Several") == sorted(accounts)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("group", "sentence"),
    [
        (WantedGroup(names.KMS_GROUP, members=("KMS_9$",)), "no account KMS_9$"),
        (WantedGroup(names.KMS_GROUP, members=("KMS_1",)), "computer account KMS_1$: its name ends with a dollar sign"),
        (WantedGroup(names.KMS_GROUP, members=("FABRIKAM\\KMS_1$",)), "takes members of its own domain only"),
        (WantedGroup(names.KMS_GROUP, members=("CN=x,DC=fabrikam,DC=com",)), "takes members of its own domain only"),
        (
            WantedGroup(names.KMS_GROUP, members=("S-1-5-21-9-9-9-1104",)),
            "If it is of another domain: a global group takes members of its own",
        ),
        (
            WantedGroup(names.KMS_GROUP, members=("kms_1$@fabrikam.com",)),
            "If it is of another domain: a global group takes members of its own",
        ),
        (WantedGroup(names.KMS_GROUP, path="OU=Nowhere"), f"container OU=Nowhere,{names.BASE_DN}"),
        (WantedGroup("Domain Admins", scope="universal"), "has the scope global"),
        (WantedGroup(names.OPERATOR), "is a user"),
        (WantedGroup("a/b"), "cannot be a group's name"),
        (WantedGroup("CONTOSO\\a/b"), "cannot be a group's name"),
        (WantedGroup(f"FABRIKAM\\{names.KMS_GROUP}"), "is of another domain than contoso.com"),
        (WantedGroup(f"{names.KMS_GROUP}@fabrikam.com"), "is of another domain than contoso.com"),
        (WantedGroup("S-1-5-21-1-2-3-1110"), "has to be the group's name"),
    ],
)
def test_groups_that_cannot_be(pristine: Domain, check_mode: bool, group: WantedGroup, sentence: str) -> None:
    with pytest.raises((ActivationError, StepFailed)) as failed, open_session(settings()) as session:
        ensure_group(session, group, check_mode)
    cause = failed.value.__cause__ if isinstance(failed.value, StepFailed) else failed.value
    assert sentence in str(cause)
    assert Witness(pristine).search(f"(sAMAccountName={names.KMS_GROUP})") == []


def test_the_container_may_come_from_an_earlier_step(session: DirectorySession) -> None:
    group = WantedGroup(names.KMS_GROUP, path="OU=Later", members=MEMBERS, after="the unit")
    assert {step.after_step for step in ensure_group(session, group, check_mode=True).steps} == {"the unit"}


def test_who_may_not_change_groups_is_told_which_right(domain: Domain, witness: Witness) -> None:
    """In check mode, for which reading is enough, as a warning beside the steps."""
    group = WantedGroup(names.KMS_GROUP, members=MEMBERS)
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as session:
        for right in (f"CREATE_CHILD (group) on CN=Users,{names.BASE_DN}", f"WRITE_PROPERTY (member) on {GROUP_DN}"):
            planned = ensure_group(session, group, check_mode=True)
            assert planned.steps
            assert not planned.result["may_write"]
            assert [right in warning for warning in planned.warnings] == [True]
            with pytest.raises(StepFailed) as failed:
                ensure_group(session, group, check_mode=False)
            cause = failed.value.__cause__
            assert isinstance(cause, ActivationError)
            assert right in str(cause)
            assert cause.name == "insufficientAccessRights"
            if "CREATE_CHILD" in right:
                witness.add_group()
    assert witness.group_members() == []


def test_an_account_that_has_gone_is_taken_out_and_nobody_else(session: DirectorySession, witness: Witness) -> None:
    ensure_group(session, WantedGroup(names.KMS_GROUP, members=(*MEMBERS, names.WINRM_USER)), check_mode=False)
    group = WantedGroup(names.KMS_GROUP, members=(KMS_2.account,), absent=(KMS_1.account, "NEVER-THERE$"))
    assert mended(session, group) == [(f"member {KMS_1.account}", "present", "absent")]
    assert witness.group_members() == sorted([KMS_2.account, names.WINRM_USER])
    assert ensure_group(session, group, check_mode=False).steps == []
    with pytest.raises(ActivationError, match=r"both name kms_2\$"):
        ensure_group(session, WantedGroup(names.KMS_GROUP, members=(KMS_2.account,), absent=(KMS_2.account.lower(),)), check_mode=True)


def test_each_option_that_drifted_is_the_only_change(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    """The place, the description and the members, each changed behind its back."""
    session.add(f"OU=IT,{names.BASE_DN}", {"objectClass": [b"organizationalUnit"]}, "")
    group = WantedGroup(names.KMS_GROUP, path="OU=IT", description="KMS hosts", members=MEMBERS, exact=True)
    made = ensure_group(session, group, check_mode=False)
    dn = f"CN={names.KMS_GROUP},OU=IT,{names.BASE_DN}"
    assert made.result["dn"] == dn
    good = witness.search(f"(sAMAccountName={names.KMS_GROUP})", "description", "member", "groupType")
    drifts: dict[tuple[str, ...], tuple[str, object, object]] = {
        ("group", "move", names.KMS_GROUP, "CN=Users"): ("path", f"CN=Users,{names.BASE_DN}", f"OU=IT,{names.BASE_DN}"),
        ("group", "removemembers", names.KMS_GROUP, KMS_1.account): (f"member {KMS_1.account}", "absent", "present"),
        ("group", "addmembers", names.KMS_GROUP, names.WINRM_USER): (f"member {names.WINRM_USER}", "present", "absent"),
    }
    for argv, drift in drifts.items():
        tool(domain, *argv)
        assert mended(session, group) == [drift]
        assert ensure_group(session, group, check_mode=False).steps == []
    session.modify(dn, [("replace", "description", [b"else"])], "")
    assert mended(session, group) == [("description", "else", "KMS hosts")]
    assert witness.search(f"(sAMAccountName={names.KMS_GROUP})", "description", "member", "groupType") == good


def mended(session: DirectorySession, group: WantedGroup) -> list[tuple[str, object, object]]:
    planned = ensure_group(session, group, check_mode=True)
    done = ensure_group(session, group, check_mode=False)
    assert shown(planned.steps) == shown(done.steps)
    return [(step.attribute, step.before, step.after) for step in done.steps]


def test_a_group_stays_where_it_is_unless_a_path_is_given(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    tool(domain, "group", "add", names.KMS_GROUP, "--groupou=CN=Computers")
    assert ensure_group(session, WantedGroup(names.KMS_GROUP), check_mode=False).steps == []
    with pytest.raises(StepFailed) as failed:
        ensure_group(session, WantedGroup(names.KMS_GROUP, path="OU=Nowhere"), check_mode=False)
    assert f"container OU=Nowhere,{names.BASE_DN}" in str(failed.value.__cause__)
    with pytest.raises(ActivationError, match="container OU=Nowhere"):
        ensure_group(session, WantedGroup(names.KMS_GROUP, path="OU=Nowhere"), check_mode=True)


def test_a_member_through_another_group_counts(session: DirectorySession, witness: Witness, domain: Domain) -> None:
    """But not one through a distribution group, of which nothing comes into a ticket; and not where members are exact."""
    for argv in (
        ("group", "add", names.KMS_GROUP),
        ("group", "add", "Inner"),
        ("group", "add", "Mailing", "--group-type=Distribution"),
        ("group", "addmembers", names.KMS_GROUP, "Inner,Mailing"),
        ("group", "addmembers", "Inner", KMS_1.account),
        ("group", "addmembers", "Mailing", KMS_2.account),
    ):
        tool(domain, *argv)
    group = WantedGroup(names.KMS_GROUP, members=MEMBERS)
    done = ensure_group(session, group, check_mode=False)
    assert [step.attribute for step in done.steps] == [f"member {KMS_2.account}"]
    assert [(member["present"], member["through"]) for member in done.result["members"]] == [(True, "Inner"), (True, "")]
    assert ensure_group(session, group, check_mode=False).steps == []
    exact = ensure_group(session, WantedGroup(names.KMS_GROUP, members=MEMBERS, exact=True), check_mode=False)
    assert [(step.attribute, step.after) for step in exact.steps] == [
        (f"member {KMS_1.account}", "present"),
        ("member Inner", "absent"),
        ("member Mailing", "absent"),
    ]
    assert witness.group_members() == sorted(MEMBERS)
