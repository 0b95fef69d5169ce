# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's domain: real answers, real refusals, and nothing left behind."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import names, processes
from lab.domain.controller import Domain, DomainError
from lab.domain.editor import Editor, NothingToChange
from lab.layout import Layout
from lab.publication import Identity, Publisher, PublishError, identity_of
from lab.witness import Srv, Witness

from .conftest import NEEDS_DOMAIN, domain_up

pytestmark = [pytest.mark.tier("soak"), NEEDS_DOMAIN]

ADDRESS = "127.0.0.31"  # beside a lab that may be up on 127.0.0.10
RIGHTS = "RPWPLCLORCSDDT"
KMS_1, KMS_2 = names.kms_hosts()
SRV_1 = Srv(0, 0, 1688, KMS_1.fqdn)
SRV_2 = Srv(0, 0, 1688, KMS_2.fqdn)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Domain]:
    # A long path, so that the sockets need the short way.
    root = tmp_path_factory.mktemp("a-folder-with-a-name-that-is-too-long-for-the-sockets-in-it") / "build" / "lab"
    domain = Domain(Layout.at(root), ADDRESS)
    domain.provision(names.machines(2, 1))
    with domain_up(domain):
        yield domain


def publish(machine: names.Machine, identity: Identity, **value: int) -> None:
    srv = {"port": 1688, "priority": 0, "weight": 0, **value}
    Publisher(ADDRESS)(identity, names.ZONE, machine.fqdn, srv["port"], srv["priority"], srv["weight"])


def test_the_zone_knows_every_machine_and_no_address_of_this_one(witness: Witness) -> None:
    for machine in names.machines(2, 1):
        assert witness.dig(machine.fqdn, "A") == [machine.address]
    assert witness.dig(names.DC_FQDN, "A") == [ADDRESS]
    assert witness.dig(names.DC_FQDN, "AAAA") == []
    assert witness.srv() == []


def test_second_host_is_refused_until_the_group_may_write_and_its_ticket_is_new(witness: Witness) -> None:
    first, second = identity_of(KMS_1), identity_of(KMS_2)
    publish(KMS_1, first)
    assert witness.record_owner() == KMS_1.account
    with pytest.raises(PublishError) as refused:
        publish(KMS_2, second)
    assert refused.value.code == 0x80072338
    assert witness.srv() == [SRV_1]

    before = witness.aces()
    witness.add_group(members=(KMS_1.account, KMS_2.account))
    ace = f"(A;;{RIGHTS};;;{witness.sid(names.KMS_GROUP)})"
    witness.add_ace(ace)
    assert witness.aces() == [ace, *before]
    with pytest.raises(PublishError):
        publish(KMS_2, second)
    assert witness.srv() == [SRV_1]

    second.purge()
    publish(KMS_2, second)
    assert witness.srv() == [SRV_1, SRV_2]
    assert witness.record_owner() == KMS_1.account


def test_a_new_ticket_alone_does_not_help(witness: Witness) -> None:
    publish(KMS_1, identity_of(KMS_1))
    witness.add_group(members=(KMS_2.account,))
    with pytest.raises(PublishError):
        publish(KMS_2, identity_of(KMS_2))
    assert witness.srv() == [SRV_1]


def test_a_host_may_publish_again_and_its_old_value_stays(witness: Witness) -> None:
    identity = identity_of(KMS_1)
    publish(KMS_1, identity)
    publish(KMS_1, identity)
    assert witness.srv() == [SRV_1]
    publish(KMS_1, identity, priority=10, weight=75)
    assert witness.srv() == [SRV_1, Srv(10, 75, 1688, KMS_1.fqdn)]


def test_wrong_machine_password_gives_no_ticket(witness: Witness) -> None:
    with pytest.raises(PublishError) as failed:
        publish(KMS_1, Identity(KMS_1.account, "wrong"))
    assert failed.value.code == 0x80090311
    assert witness.srv() == []


def test_unsigned_updates_are_refused(domain: Domain, witness: Witness) -> None:
    lines = f"server {ADDRESS}\nzone {names.ZONE}\nupdate add new.{names.ZONE} 60 A 127.9.9.9\nsend\n"
    done = subprocess.run(["nsupdate"], input=lines, text=True, capture_output=True, check=False)
    assert "REFUSED" in done.stdout + done.stderr
    assert witness.dig(f"new.{names.ZONE}", "A") == []


def test_the_operator_is_a_domain_administrator(witness: Witness) -> None:
    assert names.OPERATOR in witness.group_members("Domain Admins")


def test_kerberos_finds_the_web_service_of_a_host_and_the_keytab_opens_it(domain: Domain) -> None:
    cache = domain.layout.root / "ccache"
    env = {**os.environ, "KRB5_CONFIG": str(domain.layout.krb5_conf), "KRB5CCNAME": f"FILE:{cache}"}
    principal = f"{names.WINRM_USER}@{names.REALM}"
    subprocess.run(["kinit", principal], input=names.WINRM_PASSWORD + "\n", text=True, env=env, check=True, capture_output=True)
    for service in ("HTTP", "WSMAN", "host"):
        argv = ["kvno", "-k", str(domain.layout.keytab), f"{service}/pc-001.{names.ZONE}"]
        done = subprocess.run(argv, text=True, env=env, check=False, capture_output=True)
        assert "keytab entry valid" in done.stdout, done.stderr


def test_reset_undoes_everything(domain: Domain, witness: Witness) -> None:
    publish(KMS_1, identity_of(KMS_1))
    witness.add_group(members=(KMS_1.account,))
    domain.reset()
    assert witness.srv() == []
    assert witness.search(f"(sAMAccountName={names.KMS_GROUP})") == []
    publish(KMS_2, identity_of(KMS_2))
    assert witness.record_owner() == KMS_2.account


def test_drift_in_the_directory_is_what_the_witnesses_see(domain: Domain, witness: Witness) -> None:
    editor = Editor(domain)
    with pytest.raises(NothingToChange):
        editor.remove_srv(KMS_1.fqdn)
    publish(KMS_1, identity_of(KMS_1))
    before = witness.aces()
    witness.add_group(members=(KMS_1.account, KMS_2.account))
    sid = witness.sid(names.KMS_GROUP)
    witness.add_ace(f"(A;;{RIGHTS};;;{sid})")
    publish(KMS_2, identity_of(KMS_2))

    editor.remove_right("delete")
    assert witness.aces() == [f"(A;;RPWPLCLORCDT;;;{sid})", *before]
    editor.remove_ace()
    assert witness.aces() == before
    with pytest.raises(NothingToChange):
        editor.remove_ace()
    editor.remove_member(KMS_2.dn)
    assert witness.group_members() == [KMS_1.account]
    editor.remove_srv(KMS_2.fqdn)
    assert witness.srv() == [SRV_1]


def test_the_taken_address_is_named(domain: Domain) -> None:
    with pytest.raises(DomainError, match=f"port 53 of {ADDRESS}"):
        domain.start()


def test_a_stale_pid_file_is_nobody(domain: Domain, tmp_path: Path) -> None:
    stale = tmp_path / "pid"
    stale.write_text(f"{os.getpid()} 1\n")
    assert processes.alive(stale) is None
    assert processes.stop(stale) is False
    assert not stale.exists()


def test_samba_is_found_without_its_pid_file(domain: Domain) -> None:
    pid = processes.alive(domain.layout.domain_pid)
    assert pid in processes.members(domain.layout.root)
    assert all(str(pid) != entry for entry in map(str, processes.members(Path("/nonexistent"))))
