# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read of groups, members and rights that cannot be as they are wanted: a directory of a few objects stands in."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import error_catalogue
import pytest

from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._core.plan import StepFailed
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import record_acl, static_srv
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.dn import normal_dn
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry, RootDse
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sid import Sid
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.turn import Turn

pytestmark = pytest.mark.tier("test")

BASE = "DC=contoso,DC=com"
USERS = f"CN=Users,{BASE}"
ZONE_DN = f"DC=contoso.com,CN=MicrosoftDNS,DC=DomainDnsZones,{BASE}"
NODE_DN = f"DC=_vlmcs._tcp,{ZONE_DN}"
SOME = from_sddl("O:DAG:DAD:(A;;RPWP;;;AU)", Sid.from_text("S-1-5-21-1-2-3")).to_bytes()
SECURITY_GLOBAL, DISTRIBUTION, UNIVERSAL = -2147483646, 2, -2147483640


def account(name: str, rid: int, **more: bytes) -> dict[str, list[bytes]]:
    sid = Sid.from_text(f"S-1-5-21-1-2-3-{rid}").to_bytes()
    return {"samaccountname": [name.encode()], "objectsid": [sid], **{key: [value] for key, value in more.items()}}


class Directory:
    """A session with a controller that holds these objects; what is written to it is lost."""

    server = "dc1.contoso.com"
    root = RootDse(BASE, BASE, f"CN=Configuration,{BASE}", (BASE,), 0.0)

    def __init__(self, objects: dict[str, dict[str, list[bytes]]]) -> None:
        self.entries = {normal_dn(dn): DirectoryEntry(dn, attributes) for dn, attributes in objects.items()}
        self.refusal: ActivationError | None = None

    def read(self, dn: str, _attributes: object, sd_flags: int = 0) -> DirectoryEntry | None:
        return self.entries.get(normal_dn(dn))

    def search(self, _base: str, text: str, _attributes: object, one_level: bool = False) -> list[DirectoryEntry]:
        if "crossRef" in text:
            return [DirectoryEntry("", {"netbiosname": [b"CONTOSO"]})]
        names = re.findall(r"sAMAccountName=([^)]*)\)", text)
        return [entry for entry in self.entries.values() if entry.text("sAMAccountName") in names]

    def add(self, *_arguments: object) -> None:
        if self.refusal:
            raise self.refusal

    def modify(self, *_arguments: object, sd_flags: int = 0, permissive: bool = False) -> None:
        pass


def directory(group_type: int | str | None = SECURITY_GLOBAL, **node: Sequence[bytes]) -> Directory:
    """One with a computer, the group unless its type is None, and the record where it is given attributes."""
    objects = {
        f"CN=kms-1,{USERS}": account("KMS_1$", 1103, objectclass=b"computer"),
        USERS: {"objectclass": [b"container"]},
        ZONE_DN: {},
        f"DC=@,{ZONE_DN}": {},
    }
    if group_type is not None:
        objects[f"CN=KMS_Hosts,{USERS}"] = account("KMS_Hosts", 1110, grouptype=str(group_type).encode(), objectclass=b"group")
    if node:
        objects[NODE_DN] = {"objectclass": [b"dnsNode"], **{name: list(values) for name, values in node.items()}}
    return Directory(objects)


def twice(session: Directory, partition: str = f"CN=System,{BASE}") -> Directory:
    """The same with a second copy of its zone."""
    dn = f"DC=contoso.com,CN=MicrosoftDNS,{partition}"
    session.entries[normal_dn(dn)] = DirectoryEntry(dn, {"objectclass": [b"dnsZone"]})
    return session


def grouping(session: Directory, **more: object) -> object:
    return ensure_group(session, WantedGroup(**{"name": "KMS_Hosts", **more}), check_mode=False)


def granting(session: Directory, principal: str = "KMS_Hosts", check_mode: bool = False) -> record_acl.GrantOutcome:
    wanted = record_acl.WantedGrant.of("contoso.com", "_vlmcs._tcp", principal, ["write"], "present", "")
    return record_acl.ensure_grant(session, wanted, check_mode)


def static(session: Directory, zone: str = "contoso.com", **value: object) -> object:
    whole = {"priority": 0, "weight": 0, "port": 1688, "target": "kms-1.contoso.com", **value}
    values = [tuple(whole[name] for name in ("priority", "weight", "port", "target"))]
    done = static_srv.ensure(session, zone, "_vlmcs._tcp", values, "present", None, check_mode=True)
    return done.lacks


def without_container(session: Directory) -> object:
    session.refusal = ActivationError("no", name="noSuchObject", source="ldap")
    return grouping(session, path="OU=KMS")


Act = Callable[[], object]
GROUPS: dict[str, Act] = {
    "a member of another domain": lambda: grouping(directory(), members=("FABRIKAM\\KMS_9$",)),
    "a member of another domain, in a universal group": lambda: grouping(
        directory(UNIVERSAL), scope="universal", members=("FABRIKAM\\KMS_9$",)
    ),
    "a member that there is not": lambda: grouping(directory(), members=("KMS_2$",)),
    "a computer without its dollar sign": lambda: grouping(directory(), members=("KMS_1",)),
    "a member by a SID that there is not": lambda: grouping(directory(), members=("S-1-5-21-9-9-9-1104",)),
    "a group of another domain": lambda: grouping(directory(), name="FABRIKAM\\KMS_Hosts"),
    "a SID in place of a group's name": lambda: grouping(directory(), name="S-1-5-21-1-2-3-1110"),
    "a name that no group can have": lambda: grouping(directory(), name="KMS/Hosts"),
    "a container that is not there": lambda: without_container(directory(None)),
    "a group of another scope": lambda: grouping(directory(UNIVERSAL)),
    "a distribution group": lambda: grouping(directory(DISTRIBUTION)),
    "a group whose type is no number": lambda: grouping(directory("global")),
    "a name that a computer has": lambda: grouping(directory(), name="KMS_1$"),
    "a group that somebody else takes the members out of": lambda: grouping(directory(), members=("KMS_1$",)),
}
RIGHTS: dict[str, Act] = {
    "a principal by its UPN that there is not": lambda: granting(directory(ntsecuritydescriptor=[SOME]), "nobody@contoso.com"),
    "a principal by its DN that there is not": lambda: granting(directory(ntsecuritydescriptor=[SOME]), f"CN=Nobody,{USERS}"),
    "a principal of another domain": lambda: granting(directory(ntsecuritydescriptor=[SOME]), "FABRIKAM\\KMS_Hosts"),
    "a record that everyone may write": lambda: granting(
        directory(ntsecuritydescriptor=[from_sddl("O:DAG:DA", Sid.from_text("S-1-5-21-1-2-3")).to_bytes()])
    ),
    "a descriptor that is changed under us each time": lambda: granting(directory(ntsecuritydescriptor=[SOME])),
    "a zone in two partitions": lambda: granting(twice(directory(ntsecuritydescriptor=[SOME]))),
    "a zone that cannot be one": lambda: static(directory(), zone="contoso..com"),
    "a target that is no name": lambda: static(directory(), target="kms 1.contoso.com"),
    "a target in other letters": lambda: static(directory(), target="kms-ä.contoso.com"),
    "a port that cannot be one": lambda: static(directory(), port=65536),
}
MAY_NOT = "an account that may not make the record"
LOST_TURNS, TOMBSTONED = "a descriptor that others write before us each time", "a record that was deleted, and whose rights stay"
WRITTEN_OF_GROUPS = error_catalogue.paired("Groups and their members", GROUPS)
WRITTEN_OF_RIGHTS = error_catalogue.paired("Rights and values of a record in the directory", [*RIGHTS, MAY_NOT, LOST_TURNS, TOMBSTONED])


def error_of(act: Act) -> ActivationError:
    with pytest.raises((ActivationError, StepFailed)) as failed:
        act()
    cause = failed.value.__cause__ if isinstance(failed.value, StepFailed) else failed.value
    assert isinstance(cause, ActivationError)
    return cause


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_that_cannot_be_as_it_is_wanted(name: str) -> None:
    error = error_of(GROUPS[name])
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN_OF_GROUPS[name], error)


@pytest.mark.parametrize("name", RIGHTS)
def test_rights_and_values_that_cannot_be_as_they_are_wanted(name: str) -> None:
    error = error_of(RIGHTS[name])
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN_OF_RIGHTS[name], error)


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("partition", [f"CN=System,{BASE}", f"DC=ForestDnsZones,{BASE}"])
def test_neither_copy_of_a_zone_is_changed(partition: str, check_mode: bool) -> None:
    session = twice(directory(ntsecuritydescriptor=[SOME], dnsrecord=[]), partition)
    written: list[object] = []
    session.modify = session.add = lambda *given, **_more: written.append(given)  # type: ignore[method-assign]
    for act in (lambda: granting(session, check_mode=check_mode), lambda: static(session)):
        assert error_of(act).name == "zoneInTwoPartitions"
    assert written == []


def test_a_partition_that_this_controller_does_not_hold_is_no_second_copy() -> None:
    session = directory(ntsecuritydescriptor=[SOME])

    def read(dn: str, attributes: object, sd_flags: int = 0) -> DirectoryEntry | None:
        if "DC=ForestDnsZones" in dn:
            raise ActivationError("dc1 refers to dc9", name="referral", source="ldap")
        return Directory.read(session, dn, attributes, sd_flags)

    session.read = read  # type: ignore[method-assign]
    assert granting(session, check_mode=True).result["partition"] == f"DC=DomainDnsZones,{BASE}"


def test_a_turn_that_is_lost_is_not_called_a_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Turn, "write", lambda *_arguments: False)
    error = error_of(lambda: granting(directory(ntsecuritydescriptor=[SOME])))
    assert error_catalogue.shown(error) == error_catalogue.expected(WRITTEN_OF_RIGHTS[LOST_TURNS], error)


def test_a_tombstoned_record_is_a_warning() -> None:
    done = granting(directory(ntsecuritydescriptor=[SOME], dnstombstoned=[b"TRUE"]), check_mode=True)
    (warning,) = done.warnings
    assert warning == error_catalogue.said(WRITTEN_OF_RIGHTS[TOMBSTONED])


def test_an_account_that_may_not_write_is_warned_in_check_mode() -> None:
    assert static(directory()) == error_catalogue.said(WRITTEN_OF_RIGHTS[MAY_NOT])
