# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of the corpus anew: python -m fuzz.seeds. All come from the laboratory, from recordings of it and from samples of unit tests.

Inputs that once were findings are left as they are; their files are named found-….
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterable
from typing import Any

from unit.action.test_recordings_of_the_lab import FOLDER
from unit.computer_list.lists import cid, iid, isolated
from unit.directory import test_directory_records, test_machine_accounts, test_trusts
from unit.microsoft import test_batch_response as batch
from unit.plugin_utils import name_server
from unit.plugin_utils.rpc_port import acknowledgement, message
from unit.report import fleets
from unit.topology.declared_topologies import contoso
from unit.unattend import answer_files

from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.inspection import export_of
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.model import FullList
from ansible_collections.winops.volume_activation.plugins.plugin_utils._computer_list.writing import render
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.entry import DirectoryEntry
from ansible_collections.winops.volume_activation.plugins.plugin_utils._directory.sddl import from_sddl

from . import FOUND, corpus, host_seeds
from .controllers import DOMAIN
from .files import VaultCipher
from .names import message_of

NAME = "_vlmcs._tcp.contoso.com"


def descriptors() -> Iterable[bytes]:
    """Of a record as Samba has it, one with every kind of entry, and small ones."""
    texts = [
        "O:SYG:SYD:(A;;RP;;;WD)",
        (
            "O:DAG:DUD:PAI(A;;RPWPCRCCDCLCLORCWOWDSDDTSW;;;DA)(A;CI;RPLCLORC;;;AU)(OA;CIIO;RPWP;bf967a86-0de6-11d0-a285-00aa003049e2;;CO)"
            "(D;;WP;;;S-1-5-21-1111-2222-3333-1104)(A;ID;RPLCRC;;;S-1-5-21-1111-2222-3333-1104)S:AI(AU;SA;WDWO;;;WD)"
        ),
        "O:BAG:BAD:(OA;;CR;00000000-0000-0000-0000-000000000000;bf967a86-0de6-11d0-a285-00aa003049e2;PS)(0x09;CI;01050000)",
        "O:SYD:",
        "G:SY",
    ]
    return [from_sddl(text, DOMAIN).to_bytes() for text in texts]


def records() -> Iterable[bytes]:
    """As Samba's DNS server stored them, and a tombstone."""
    known = (test_directory_records.PUBLISHED, test_directory_records.ADDED, test_directory_records.SOA)
    return [*map(bytes.fromhex, known), bytes.fromhex("080000000500000001000000000000000000000000000000") + struct.pack("<Q", 1 << 56)]


def _plain(entry: DirectoryEntry) -> dict[str, Any]:
    return {"dn": entry.dn, **{name: [value.decode("latin-1") for value in values] for name, values in entry.attributes.items()}}


def objects() -> Iterable[bytes]:
    """A domain with trusts, a node and accounts."""
    links = [test_trusts.trust("fabrikam.example", 3, 8), test_trusts.trust("east.contoso.com", 2, 0)]
    versions = bytes(16) + b"".join(a.to_bytes(4, "little") + v.to_bytes(4, "little") + bytes(40) for a, v in [(0x20001, 9), (0x20119, 7)])
    node = {
        "nTSecurityDescriptor": [next(iter(descriptors())).decode("latin-1")],
        "sDRightsEffective": ["11"],
        "dNSTombstoned": ["FALSE"],
        "replPropertyMetaData": [versions.decode("latin-1")],
    }
    yield json.dumps(
        {
            "crossRef": [{"dnsRoot": ["contoso.com"], "systemFlags": ["3"], "nETBIOSName": ["CONTOSO"]}],
            "trustedDomain": [_plain(entry) for entry in links],
            "DC=_vlmcs._tcp": node,
            "DC=@": {"dnsRecord": [bytes.fromhex(test_directory_records.SOA).decode("latin-1")]},
            "(|(": [_plain(entry) for entry in test_machine_accounts.PARK[:3]],
            "CN=Activation Objects": [
                {"cn": ["ao"], "displayName": ["Windows"], "msSPP-CSVLKSkuId": ["0123456789abcdef"], "msSPP-CSVLKPid": ["x"]}
            ],
            "nTDSDSA": [{"serverReference": ["CN=DC1"], "dNSHostName": ["dc1.contoso.com"]}],
            "root": {"defaultNamingContext": ["DC=contoso,DC=com"], "currentTime": ["20261201040000.0Z"], "namingContexts": ["DC=x"]},
        },
        indent=1,
    ).encode()


def dns() -> Iterable[bytes]:
    """Answers with values, an alias, addresses, a name server, and a zone."""

    def record(name: str, kind: int, data: bytes) -> tuple[bytes, bytes, bytes]:
        return name_server.encode_name(name), struct.pack(">HHI", kind, 1, 600), data

    values = [record(NAME, name_server.SRV, name_server.srv(10, weight, 1688, f"kms-{weight}.contoso.com")) for weight in (25, 75)]
    mname, rname = name_server.encode_name("dc1.contoso.com"), name_server.encode_name("hostmaster.contoso.com")
    soa = record("contoso.com", name_server.SOA, mname + rname + struct.pack(">5I", 7, 900, 600, 86400, 3600))
    address = record("kms-25.contoso.com", name_server.A, name_server.address("10.0.0.1"))
    alias = record("www.contoso.com", name_server.CNAME, name_server.encode_name("kms-25.contoso.com"))

    def question(name: str, kind: int) -> bytes:
        return name_server.encode_name(name) + struct.pack(">HH", kind, 1)

    yield message_of(b"\x84\x00", question(NAME, name_server.SRV), [values, [], [address]])
    yield message_of(b"\x84\x03", question(NAME, name_server.SRV), [[], [soa], []])
    yield message_of(b"\x84\x00", question("www.contoso.com", name_server.A), [[alias, address], [], []])
    yield message_of(b"\x84\x00", question("contoso.com", name_server.SOA), [[soa], [], []])
    yield message_of(b"\x84\x00", question("contoso.com", name_server.NS), [[record("contoso.com", name_server.NS, mname)], [], []])
    yield message_of(b"\xa8\x05", question("contoso.com", name_server.SOA), [[], [], []])
    pointer = record("1.0.0.10.in-addr.arpa", 12, name_server.encode_name("kms-25.contoso.com"))
    yield message_of(b"\x84\x00", question("1.0.0.10.in-addr.arpa", 12), [[pointer], [], []])


def lists() -> Iterable[bytes]:
    """A full list and its export, one with an answer."""
    full = isolated(3)
    leaves = export_of(full)
    yield render(full)
    yield render(leaves)
    leaves.products[0].confirmation_id = cid(1)
    yield render(leaves)
    yield render(FullList())


def unattend() -> Iterable[bytes]:
    """In every encoding and layout of the unit tests."""
    found = [value for value in vars(answer_files).values() if isinstance(value, str) and "<unattend" in value]
    for text in found:
        plain = re.sub("⟦[^⟧]*⟧|[«»]", "", text)
        yield plain.encode("utf-16" if "utf-16" in plain[:60].lower() else "utf-8")


def topology() -> Iterable[bytes]:
    """That of the scenarios, and one with every key."""
    yield json.dumps({"sites": contoso()}, indent=1).encode()
    sites = contoso(credential="east", remote_publish="static", records="published", zone="contoso.com", dns_servers=["10.0.0.1:53"])
    sites["east"]["client_networks"] = ["10.1.0.0/16"]
    sites["east"]["kms_hosts"][0] |= {
        "port": 1689,
        "address": "10.0.0.1",
        "overrides": {"west": {"priority": 5, "weight": 1, "publish": True}},
    }
    yield json.dumps({"sites": sites, "defaults": {"local_priority": 10, "remote_publish": "dynamic", "csvlk_hosts": 6}}, indent=1).encode()


def of_microsoft() -> Iterable[bytes]:
    """The inside of answers, and a whole one."""
    confirmed = batch.CONFIRMED.replace(batch.IID, iid(1))
    yield confirmed.encode()
    yield batch.inner("ResponseType=2", f"PID={batch.PID}", "ActivationRemaining=47").encode()
    yield batch.inner("ErrorCode=0x7F").encode()
    yield batch.message(confirmed)


def rows() -> Iterable[bytes]:
    """Of a survey."""
    yield b"".join(json.dumps(row).encode() + b"\n" for row in fleets.fleet(12))


def history() -> Iterable[bytes]:
    """Counts of two KMS hosts."""
    yield b"".join(
        json.dumps({"at": f"2026-12-{day:02}T04:14:02Z", "host": host, "count": 50}).encode() + b"\n"
        for day in (1, 2)
        for host in ("kms-1", "kms-2")
    )


def _recording() -> Iterable[bytes]:
    document = json.loads((FOLDER / "modern_client.json").read_text(encoding="utf-8"))
    yield json.dumps({**document, "exchanges": document["exchanges"][:2]}, indent=1).encode()


SEEDS: dict[str, Callable[[], Iterable[bytes]]] = {
    "answers": host_seeds.answers,
    "faults": host_seeds.all_faults,
    "identify": host_seeds.identify,
    "scan": host_seeds.scan,
    "tasks": host_seeds.tasks,
    "bind": lambda: [acknowledgement(0, 0), acknowledgement(2, 1, order=">"), message(13, b"\4\0\0\0"), message(3, bytes(16))],
    "descriptors": descriptors,
    "records": records,
    "objects": objects,
    "dns": dns,
    "lists": lists,
    "vault": lambda: [VaultCipher("a password").encrypt(b"{}"), VaultCipher("a password", "lists").encrypt(render(isolated(1)))],
    "unattend": unattend,
    "topology": topology,
    "batch": of_microsoft,
    "survey": rows,
    "audit": lambda: [json.dumps(fleets.audit(), indent=1).encode()],
    "history": history,
    "recording": _recording,
}


def write() -> None:
    """Write them all."""
    for name, make in SEEDS.items():
        folder = corpus(name)
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith(FOUND):
                old.unlink()
        for number, data in enumerate(make(), 1):
            # What looks like text with other ends of lines is to stay as it is.
            kind = ".bin" if b"\r\n" in data and b"\0" not in data else ""
            (folder / f"{number:02}{kind}").write_bytes(data)


if __name__ == "__main__":
    write()
