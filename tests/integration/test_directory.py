# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups and rights on records against a real directory; what is written is witnessed by dig, samba-tool and ldbsearch."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ansible_collections.winops.volume_activation.plugins.plugin_utils._errors as collection
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory import connection
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.groups import WantedGroup, ensure_group
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.record_acl import GrantOutcome, WantedGrant, ensure_grant
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.security_descriptor import (
    DACL_PROTECTED,
    SecurityDescriptor,
)
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.session import Session, open_session
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.settings import Settings
from ansible_collections.winops.volume_activation.plugins.plugin_utils._errors import ActivationError
from ansible_collections.winops.volume_activation.plugins.plugin_utils._plan import Step, StepFailed
from lab import names, processes
from lab.domain.controller import Domain, missing_programs
from lab.layout import Layout
from lab.publication import Publisher, PublishError, identity_of
from lab.witness import KMS_RECORD_DN, Witness

pytestmark = pytest.mark.skipif(os.geteuid() != 0 or bool(missing_programs()), reason="the domain needs root and Samba")

ADDRESS = "127.0.0.32"  # beside a lab that may be up on 127.0.0.10
KMS_1, KMS_2 = names.kms_hosts()
MEMBERS = (KMS_1.account, KMS_2.account)
GRANT = "RPWPLCLORCSDSW"
NODE = f"dnsNode {names.KMS_RECORD}.{names.ZONE}"
GROUP_DN = f"CN={names.KMS_GROUP},CN=Users,{names.BASE_DN}"
DELEGATE, DELEGATE_PASSWORD = "acl-delegate", "Lab.Acl-Delegate.2026"
COLLECTIONS = str(Path(collection.__file__).parents[5])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    domain = Domain(Layout.at(tmp_path_factory.mktemp("lab")), ADDRESS)
    domain.provision(names.machines(2, 1))
    # What Windows allows of itself: Kerberos inside TLS without a layer of its own.
    text = domain.smb_conf.read_text(encoding="utf-8")
    domain.smb_conf.write_text(text.replace("[global]", "[global]\n\tldap server require strong auth = allow_sasl_over_tls", 1))
    tool(domain, "user", "create", DELEGATE, DELEGATE_PASSWORD)
    for part in ("private", "state"):
        shutil.copytree(domain.layout.domain / part, domain.layout.fresh_domain / part, symlinks=True, dirs_exist_ok=True)
    try:
        domain.start()
        domain.wait_ready()
        yield domain
    finally:
        domain.stop()
        processes.end(processes.members(domain.layout.root))
        domain.layout.remove_short()


@pytest.fixture
def domain(running: Domain, monkeypatch: pytest.MonkeyPatch) -> Domain:
    monkeypatch.setenv("KRB5_CONFIG", str(running.layout.krb5_conf))
    running.reset()
    return running


@pytest.fixture
def witness(domain: Domain) -> Witness:
    return Witness(domain)


@pytest.fixture
def session(domain: Domain) -> Iterator[Session]:
    with open_session(settings()) as opened:
        yield opened


@pytest.fixture
def published(witness: Witness) -> Witness:
    """With the record of KMS_1, and the group."""
    publish(KMS_1)
    witness.add_group(members=MEMBERS)
    return witness


def settings(user: str = f"{names.OPERATOR}@{names.REALM}", password: str = names.OPERATOR_PASSWORD, **more: object) -> Settings:
    return Settings(names.DC_FQDN, user, password, **{"dns_servers": (ADDRESS,), "timeout": 5, **more})


def tool(domain: Domain, *argv: str) -> str:
    """Run samba-tool on the database files."""
    argv = ("samba-tool", *argv, f"--configfile={domain.smb_conf}", "-H", str(domain.layout.samba / "private" / "sam.ldb"))
    return subprocess.run(argv, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout


def publish(machine: names.Machine) -> None:
    Publisher(ADDRESS)(identity_of(machine), names.ZONE, machine.fqdn, 1688, 0, 0)


def wanted(principal: str = names.KMS_GROUP, rights: tuple[str, ...] = ("delete", "read", "write"), **more: str) -> WantedGrant:
    return WantedGrant(names.ZONE, names.KMS_RECORD, principal, rights, **more)


def shown(steps: list[Step]) -> list[tuple[str, str, object, object]]:
    return [(step.object, step.attribute, step.before, step.after) for step in steps]


def granting(session: Session, check_mode: bool = False, **more: str) -> GrantOutcome:
    return ensure_grant(session, wanted(**more), check_mode)


@pytest.mark.parametrize(
    ("user", "more"),
    [
        (f"{names.OPERATOR}@{names.REALM}", {}),
        (f"{names.OPERATOR}@{names.ZONE}", {}),
        (f"{names.NETBIOS_DOMAIN}\\{names.OPERATOR}", {}),
        (f"{names.OPERATOR}@{names.REALM}", {"tls_mode": "ldaps", "ca_cert": "ca.pem"}),
        (f"{names.OPERATOR}@{names.REALM}", {"tls_mode": "ldaps", "cert_validation": "ignore"}),
    ],
)
def test_a_password_is_enough(running: Domain, monkeypatch: pytest.MonkeyPatch, user: str, more: dict[str, str]) -> None:
    """Neither krb5.conf nor the resolver of this machine know the domain, and there is no ticket cache."""
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    if "ca_cert" in more:
        more = {**more, "ca_cert": str(running.layout.tls / more["ca_cert"])}
    with open_session(settings(user, **more)) as session:
        found = session.read(KMS_1.dn, ["sAMAccountName"])
        assert found is not None
        assert found.text("sAMAccountName") == KMS_1.account
        assert session.requests == 5
    assert os.environ["KRB5_CONFIG"] == "/nonexistent"
    assert os.environ["KRB5CCNAME"] == "FILE:/nonexistent"


def test_two_accounts_in_one_process(running: Domain) -> None:
    with open_session(settings()) as operator, open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as delegate:
        rights = []
        for session in (operator, delegate, operator):
            found = session.read(names.ZONE_DN, ["sDRightsEffective"])
            assert found is not None
            rights.append(int(found.text("sDRightsEffective")))
    assert rights == [15, 0, 15]


def test_an_existing_ticket_is_used(running: Domain, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KRB5_CONFIG", str(running.layout.krb5_conf))
    monkeypatch.setenv("KRB5CCNAME", f"FILE:{tmp_path}/cache")
    subprocess.run(["kinit", f"{names.OPERATOR}@{names.REALM}"], input=names.OPERATOR_PASSWORD, text=True, check=True, capture_output=True)
    for user in ("", f"{names.OPERATOR}@{names.REALM}"):
        with open_session(settings(user, "")) as session:
            assert session.read(names.BASE_DN, ["dc"]) is not None
    with pytest.raises(ActivationError, match="no ticket for acl-delegate"), open_session(settings(f"{DELEGATE}@{names.REALM}", "")):
        pass


@pytest.mark.parametrize(
    ("changed", "name", "sentence"),
    [
        ({"password": "wrong"}, "KDC_ERR_PREAUTH_FAILED", "the password of activation-admin is wrong"),
        ({"user": f"nobody@{names.REALM}"}, "KDC_ERR_C_PRINCIPAL_UNKNOWN", "has no account nobody"),
        ({"user": "activation-admin@NOWHERE.TEST"}, "KRB5_REALM_UNKNOWN", "no KDC of the realm NOWHERE.TEST"),
        ({"user": "", "password": ""}, "KRB5_FCC_NOFILE", "there is no ticket cache"),
        ({"tls_mode": "ldaps"}, "", "is not accepted"),
        ({"dns_servers": ("127.0.0.99",), "timeout": 1}, "", "did not answer within 1 s"),
        ({"dns_servers": ("dc9.invalid",)}, "", "DNS server dc9.invalid has no address"),
        ({"dns_servers": ()}, "", "not known to this node's resolver"),
    ],
)
def test_why_there_is_no_session(
    running: Domain, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], name: str, sentence: str
) -> None:
    monkeypatch.setenv("KRB5_CONFIG", "/nonexistent")
    monkeypatch.setenv("KRB5CCNAME", "FILE:/nonexistent")
    with pytest.raises(ActivationError, match=re.escape(sentence)) as failed, open_session(settings(**changed)):
        pass
    assert failed.value.name == name
    assert names.OPERATOR_PASSWORD not in str(failed.value)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        (("user", "setexpiry", DELEGATE, "--days=0"), "KDC_ERR_CLIENT_REVOKED"),
        (("user", "disable", DELEGATE), "KDC_ERR_CLIENT_REVOKED"),
        (("user", "setpassword", DELEGATE, f"--newpassword={DELEGATE_PASSWORD}", "--must-change-at-next-login"), "KDC_ERR_KEY_EXPIRED"),
    ],
)
def test_an_account_that_may_not_log_on(domain: Domain, arguments: tuple[str, ...], name: str) -> None:
    tool(domain, *arguments)
    with pytest.raises(ActivationError) as failed, open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)):
        pass
    # Samba calls an expired account expired, Windows revoked.
    assert failed.value.name in (name, "KDC_ERR_NAME_EXP")


def test_a_listener_that_says_nothing(running: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.33", 389)):
        monkeypatch.setattr(connection, "_addresses", lambda _settings: ["127.0.0.33"])
        with pytest.raises(ActivationError, match="does not answer as an LDAP server") as failed, open_session(settings(timeout=1)):
            pass
    # The host of the inventory has no part in this and must not leave the play.
    assert not failed.value.unreachable


RELAY = f"""
import socket, sys, threading
def carry(source, sink):
    while data := source.recv(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        sink.sendall(data)
    sink.shutdown(socket.SHUT_WR)
listener = socket.create_server(("127.0.0.33", 389))
print("listening", flush=True)
client, server = listener.accept()[0], socket.create_connection(("{ADDRESS}", 389))
threading.Thread(target=carry, args=(server, client)).start()
carry(client, server)
"""


def test_the_session_is_sealed(domain: Domain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay sees the anonymous read of rootDSE and then nothing that it could read.

    It is a process of its own: python-ldap lets no other thread run during the bind.
    """
    monkeypatch.setattr(connection, "_addresses", lambda _settings: ["127.0.0.33"])
    with subprocess.Popen([sys.executable, "-c", RELAY], stdout=subprocess.PIPE) as relay:
        if relay.stdout is None or relay.stdout.readline() != b"listening\n":
            pytest.fail("no relay")
        with open_session(settings()) as session:
            found = session.search(names.BASE_DN, f"(sAMAccountName={KMS_2.account})", ["dNSHostName"])
            assert found[0].text("dNSHostName") == KMS_2.fqdn
        traffic = relay.stdout.read()
    assert b"defaultNamingContext" in traffic
    assert b"dNSHostName" not in traffic
    assert KMS_2.fqdn.encode() not in traffic


def test_a_group_is_made_and_filled_once(session: Session, witness: Witness) -> None:
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
def test_the_own_domain_in_front_of_the_group_is_stripped(session: Session, witness: Witness, given: str) -> None:
    group = WantedGroup(given.format(names.KMS_GROUP))
    done = ensure_group(session, group, check_mode=False)
    assert shown(done.steps) == [(f"group {names.KMS_GROUP}", "exists", False, True)]
    assert done.result["dn"] == GROUP_DN
    assert witness.group_members() == []
    assert ensure_group(session, group, check_mode=False).steps == []


@pytest.mark.parametrize("first", ["127.0.0.99", "dc9.invalid"])
def test_the_next_name_server_is_asked(domain: Domain, first: str) -> None:
    with open_session(settings(dns_servers=(first, ADDRESS), timeout=3)) as session:
        assert session.read(names.BASE_DN, ["dc"]) is not None


def test_a_member_that_was_removed_is_the_only_change(session: Session, published: Witness, domain: Domain) -> None:
    tool(domain, "group", "removemembers", names.KMS_GROUP, KMS_2.account)
    done = ensure_group(session, WantedGroup(names.KMS_GROUP, members=MEMBERS), check_mode=False)
    assert shown(done.steps) == [(f"group {names.KMS_GROUP}", f"member {KMS_2.account}", "absent", "present")]
    assert published.group_members() == sorted(MEMBERS)


def test_members_by_every_kind_of_name(session: Session, witness: Witness, domain: Domain) -> None:
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
def test_groups_that_cannot_be(session: Session, witness: Witness, check_mode: bool, group: WantedGroup, sentence: str) -> None:
    with pytest.raises((ActivationError, StepFailed)) as failed:
        ensure_group(session, group, check_mode)
    cause = failed.value.__cause__ if isinstance(failed.value, StepFailed) else failed.value
    assert sentence in str(cause)
    assert witness.search(f"(sAMAccountName={names.KMS_GROUP})") == []


def test_the_container_may_come_from_an_earlier_step(session: Session) -> None:
    group = WantedGroup(names.KMS_GROUP, path="OU=Later", members=MEMBERS, after="the unit")
    assert {step.after_step for step in ensure_group(session, group, check_mode=True).steps} == {"the unit"}


@pytest.mark.parametrize("check_mode", [True, False])
def test_who_may_not_change_groups_is_told_which_right(domain: Domain, witness: Witness, check_mode: bool) -> None:
    with open_session(settings(f"{DELEGATE}@{names.REALM}", DELEGATE_PASSWORD)) as session:
        for right in (f"CREATE_CHILD (group) on CN=Users,{names.BASE_DN}", f"WRITE_PROPERTY (member) on {GROUP_DN}"):
            with pytest.raises((ActivationError, StepFailed)) as failed:
                ensure_group(session, WantedGroup(names.KMS_GROUP, members=MEMBERS), check_mode)
            cause = failed.value.__cause__ if isinstance(failed.value, StepFailed) else failed.value
            assert isinstance(cause, ActivationError)
            assert right in str(cause)
            assert cause.name == "insufficientAccessRights"
            if "CREATE_CHILD" in right:
                witness.add_group()
    assert witness.group_members() == []


def test_the_second_host_may_publish_once_its_group_may_write(session: Session, published: Witness) -> None:
    with pytest.raises(PublishError):
        publish(KMS_2)
    before, owner = published.aces(), published.record_owner()
    planned = granting(session, check_mode=True)
    assert published.aces() == before
    assert (planned.result["granted"], planned.result["missing"]) == ([], ["delete", "read", "write"])
    requests = session.requests
    done = granting(session)
    assert session.requests - requests == 5
    assert shown(done.steps) == shown(planned.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", [], ["delete", "read", "write"])]
    after = published.aces()
    ace = f"(A;;{GRANT};;;{published.sid(names.KMS_GROUP)})"
    assert [entry for entry in after if entry != ace] == before
    explicit = [entry for entry in after if "ID" not in entry.split(";")[1]]
    assert explicit[-1] == ace
    assert after[: len(explicit)] == explicit
    assert published.record_owner() == owner == KMS_1.account
    assert done.result == {
        "dn": KMS_RECORD_DN,
        "partition": f"DC=DomainDnsZones,{names.BASE_DN}",
        "owner": f"CONTOSO\\{KMS_1.account}",
        "tombstoned": False,
        "principal": f"CONTOSO\\{names.KMS_GROUP}",
        "granted": ["delete", "read", "write"],
        "missing": [],
        "may_write": True,
    }
    assert done.warnings == []
    assert ace in done.diff[0]["after"].splitlines()
    assert ace not in done.diff[0]["before"]
    requests = session.requests
    assert granting(session).steps == []
    assert session.requests - requests == 3
    publish(KMS_2)
    assert [value.target for value in published.srv()] == [KMS_1.fqdn, KMS_2.fqdn]


def test_one_right_that_was_removed_is_mended_as_that(session: Session, published: Witness) -> None:
    granting(session)
    before = published.aces()
    ensure_grant(session, wanted(rights=("write",), state="absent"), check_mode=False)
    assert f"(A;;RPLCLORCSD;;;{published.sid(names.KMS_GROUP)})" in published.aces()
    done = granting(session)
    assert shown(done.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", ["delete", "read"], ["delete", "read", "write"])]
    assert published.aces() == before


def test_taking_the_rights_away_restores_what_was(session: Session, published: Witness) -> None:
    before = published.sddl()
    granting(session)
    done = granting(session, state="absent")
    assert shown(done.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", ["delete", "read", "write"], [])]
    assert published.sddl() == before
    assert granting(session, state="absent").steps == []


def test_exact_takes_what_is_more(session: Session, published: Witness) -> None:
    before, sid = published.aces(), published.sid(names.KMS_GROUP)
    published.add_ace(f"(A;;GA;;;{sid})")
    done = granting(session, state="exact")
    assert shown(done.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", ["full_control"], ["delete", "read", "write"])]
    assert sorted(published.aces()) == sorted([*before, f"(A;;{GRANT};;;{sid})"])
    assert granting(session, state="exact").steps == []


def test_a_record_that_comes_later(session: Session, witness: Witness) -> None:
    for missing in ("no name _vlmcs._tcp", f"no {names.KMS_GROUP} in contoso.com"):
        with pytest.raises(ActivationError, match=missing):
            granting(session, check_mode=True)
        with pytest.raises(ActivationError, match=missing):
            granting(session, after="publication")
        planned = granting(session, check_mode=True, after="publication")
        assert shown(planned.steps) == [(NODE, f"DACL CONTOSO\\{names.KMS_GROUP}", [], ["delete", "read", "write"])]
        assert planned.steps[0].after_step == "publication"
        assert planned.result["missing"] == ["delete", "read", "write"]
        assert planned.result["may_write"] is True
        if "_vlmcs" in missing:
            publish(KMS_1)
    assert granting(session, state="absent").steps == []


def test_a_record_that_was_deleted_keeps_its_rights(session: Session, published: Witness, domain: Domain) -> None:
    lines = f"server {ADDRESS}\nzone {names.ZONE}\nupdate delete {names.KMS_RECORD}.{names.ZONE} SRV\nsend\n"
    with_ticket(domain, KMS_1, ["nsupdate", "-g"], lines)
    assert published.srv() == []
    done = granting(session)
    assert done.result["tombstoned"] is True
    assert "tombstoned" in done.warnings[0]
    publish(KMS_2)
    assert [value.target for value in published.srv()] == [KMS_2.fqdn]


def with_ticket(domain: Domain, machine: names.Machine, argv: list[str], lines: str) -> None:
    env = {**os.environ, "KRB5CCNAME": f"FILE:{domain.layout.root}/{machine.netbios}.cache"}
    kinit = ["kinit", f"{machine.account}@{names.REALM}"]
    subprocess.run(kinit, input=machine.password, text=True, env=env, check=True, capture_output=True)
    # The answer's signature does not verify with this Samba, although the update is done; the witness says so.
    subprocess.run(argv, input=lines, text=True, env=env, check=False, capture_output=True)


def test_zones_in_every_place(session: Session, witness: Witness, domain: Domain) -> None:
    legacy = f"DC=old.test,CN=MicrosoftDNS,CN=System,{names.BASE_DN}"
    forest = f"DC=forest.test,CN=MicrosoftDNS,DC=ForestDnsZones,{names.BASE_DN}"
    for zone in (forest, legacy):
        session.add(zone, {"objectClass": [b"dnsZone"]}, "")
        session.add(f"DC=_vlmcs._tcp,{zone}", {"objectClass": [b"dnsNode"]}, "")
    witness.add_group()
    for zone, dn in (("forest.test.", forest), ("old.test", legacy)):
        asked = WantedGrant.of(zone, f"_vlmcs._tcp.{zone}", names.KMS_GROUP, ["write"], "present", "")
        done = ensure_grant(session, asked, check_mode=False)
        assert done.result["dn"] == f"DC=_vlmcs._tcp,{dn}"
        assert any(witness.sid(names.KMS_GROUP) in ace for ace in witness.aces(f"DC=_vlmcs._tcp,{dn}"))
    with pytest.raises(ActivationError) as failed:
        ensure_grant(session, WantedGrant("no.test", "_vlmcs._tcp", names.KMS_GROUP, ("write",)), check_mode=True)
    for partition in ("DC=DomainDnsZones,", "DC=ForestDnsZones,", "CN=System,"):
        assert f"DC=no.test,CN=MicrosoftDNS,{partition}{names.BASE_DN}" in str(failed.value)


def test_write_dac_is_enough(session: Session, published: Witness, domain: Domain) -> None:
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
        monkeypatch.setattr(Session, "read", without("sdrightseffective", Session.read))
        with pytest.raises(StepFailed) as failed:
            granting(session)
    assert f"The account lacks WRITE_DAC on {KMS_RECORD_DN}." in str(failed.value.__cause__)


def without(attribute: str, read):
    def reading(self, dn, attributes, sd_flags=0):
        return read(self, dn, [name for name in attributes if name.lower() != attribute], sd_flags)

    return reading


def test_a_protected_dacl_stays_protected(session: Session, published: Witness) -> None:
    node = session.read(KMS_RECORD_DN, ["nTSecurityDescriptor"], 4)
    assert node is not None
    descriptor = SecurityDescriptor.from_bytes(node.first("nTSecurityDescriptor"))
    assert descriptor.dacl is not None
    protected = SecurityDescriptor(descriptor.control | DACL_PROTECTED, dacl=descriptor.dacl)
    session.replace_values(KMS_RECORD_DN, {"nTSecurityDescriptor": [protected.to_bytes()]}, "", sd_flags=4)
    before = published.sddl()
    assert re.search(r"D:P", before)
    granting(session)
    assert re.search(r"D:P", published.sddl())
    granting(session, state="absent")
    assert published.sddl() == before


def test_denials_are_told(session: Session, published: Witness, domain: Domain) -> None:
    for trustee in (published.sid(names.KMS_GROUP), "WD", published.sid(names.WINRM_USER)):
        published.add_ace(f"(D;;WP;;;{trustee})")
    warnings = granting(session).warnings
    assert len(warnings) == 2
    assert any(f"denies CONTOSO\\{names.KMS_GROUP} write_property" in warning for warning in warnings)
    assert any("S-1-1-0, which includes" in warning for warning in warnings)


def test_another_writer_is_noticed(session: Session, published: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    sid, others = published.sid(names.KMS_GROUP), published.sid(names.WINRM_USER)
    original = Session.replace_values
    turns: list[str] = []

    def racing(self, dn, attributes, right, sd_flags=0):
        turns.append(dn)
        if len(turns) == 1:
            published.add_ace(f"(A;;RP;;;{others})")
        original(self, dn, attributes, right, sd_flags)

    monkeypatch.setattr(Session, "replace_values", racing)
    done = granting(session)
    assert f"(A;;{GRANT};;;{sid})" in published.aces()
    assert ["Somebody else changed" in warning for warning in done.warnings] == [True]


def test_a_grant_that_was_overwritten_is_made_again(session: Session, published: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other writer's own change is still there afterwards, and it is given up when that never ends."""
    sid, others = published.sid(names.KMS_GROUP), published.sid(names.WINRM_USER)
    write = Session.replace_values

    def descriptor() -> dict[str, list[bytes]]:
        node = session.read(KMS_RECORD_DN, ["nTSecurityDescriptor"], 4)
        return {"nTSecurityDescriptor": [node.first("nTSecurityDescriptor") if node else b""]}

    first = descriptor()
    published.add_ace(f"(A;;RP;;;{others})")
    other_writers = descriptor()
    write(session, KMS_RECORD_DN, first, "", sd_flags=4)
    turns: list[SecurityDescriptor] = []
    lost = 3

    def overwritten(self, dn, attributes, right, sd_flags=0):
        turns.append(SecurityDescriptor.from_bytes(attributes["nTSecurityDescriptor"][0]))
        write(self, dn, attributes, right, sd_flags)
        if len(turns) < lost:
            write(self, dn, other_writers, right, sd_flags)

    monkeypatch.setattr(Session, "replace_values", overwritten)
    granting(session)
    assert len(turns) == 3
    assert {f"(A;;{GRANT};;;{sid})", f"(A;;RP;;;{others})"} <= set(published.aces())
    assert [(sent.owner, sent.group, sent.sacl) for sent in turns] == [(None, None, None)] * 3
    granting(session, state="absent")
    lost = 99
    turns.clear()
    with pytest.raises(StepFailed) as failed:
        granting(session)
    assert "written 3 times" in str(failed.value.__cause__)


def run_module(domain: Domain, module: str, check_mode: bool = False, **options: object) -> dict[str, object]:
    """Run a module as Ansible does, at the highest verbosity; fails if a password shows anywhere."""
    given = {
        "domain_server": names.DC_FQDN,
        "domain_username": f"{names.OPERATOR}@{names.REALM}",
        "domain_password": names.OPERATOR_PASSWORD,
        "dns_servers": [ADDRESS],
        **options,
    }
    argv = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-vvvv", "--diff", "-m", f"winops.volume_activation.{module}"]
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
        "ANSIBLE_HOME": f"{domain.layout.root}/ansible",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [*argv, "-a", json.dumps(given), *(["--check"] if check_mode else [])], capture_output=True, text=True, env=env, check=False
    )
    output = done.stdout + done.stderr
    assert names.OPERATOR_PASSWORD not in output
    found = re.search(r"localhost \| [A-Z!]+.*? => (\{.*?\n\})", done.stdout, re.DOTALL)
    assert found is not None, output
    return json.loads(found[1])


def test_the_modules_in_ansible(domain: Domain, published: Witness) -> None:
    options = {"zone": names.ZONE, "principal": names.KMS_GROUP}
    group = run_module(domain, "ad_group", name=names.KMS_GROUP, members=list(MEMBERS))
    assert group["changed"] is False
    planned = run_module(domain, "dns_record_acl", check_mode=True, **options)
    assert planned["changed"] is True
    done = run_module(domain, "dns_record_acl", **options)
    assert planned["steps"] == done["steps"]
    assert done["missing"] == []
    assert run_module(domain, "dns_record_acl", **options)["changed"] is False
    refused = run_module(domain, "dns_record_acl", **options, domain_username=f"nobody@{names.REALM}")
    assert refused["changed"] is False
    assert refused["error"]["name"] == "KDC_ERR_C_PRINCIPAL_UNKNOWN"
