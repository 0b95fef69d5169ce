# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Independent witnesses: what dig, samba-tool and ldbsearch say about the domain.

They share no code with the collection nor with the lab's own publisher. Everything goes over the network as
``activation-admin`` would see it, or, where it says so, out of the database files.
"""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

from . import names
from .domain.controller import Domain

KMS_RECORD_DN = f"DC={names.KMS_RECORD},{names.ZONE_DN}"
"""The node of the KMS hosts' record."""


class WitnessError(Exception):
    """A witness program failed; the text is what it printed."""


@dataclass(frozen=True)
class Srv:
    """An SRV value as dig prints it, the target without its last dot."""

    priority: int
    weight: int
    port: int
    target: str


class Witness:
    """What can be asked about a running domain, of one of its controllers, as its administrator or as somebody else."""

    def __init__(
        self,
        domain: Domain,
        controller: str = names.DC_NAME,
        user: str = names.ADMINISTRATOR,
        password: str = "",
    ) -> None:
        self._controller = domain.controller(controller)
        self._realm = domain.realm
        self._logon = f"--username={self._realm.netbios}\\{user}%{password or self._realm.password(user)}"

    def _run(self, *argv: str) -> str:
        env = {**os.environ, "KRB5_CONFIG": str(self._controller.layout.krb5_conf), "LC_ALL": "C"}
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, check=False)
        if done.returncode != 0:
            raise WitnessError(f"{' '.join(argv[:3])}: {done.stdout}{done.stderr}")
        return done.stdout

    def _samba_tool(self, *argv: str) -> str:
        # samba-tool's lookups of dc1's name would leave for the machine's own DNS: the address makes it use NTLM instead.
        return self._run(
            "samba-tool",
            *argv,
            f"--configfile={self._controller.smb_conf}",
            self._logon,
        )

    @property
    def _url(self) -> str:
        return f"ldap://{self._controller.address}"

    def dig(self, name: str, rtype: str, server: str | None = None) -> list[str]:
        """The values of an RRset, sorted, as dig prints them; another DNS server may be asked, by address."""
        output = self._run("dig", "+short", "+tcp", "+time=2", "+tries=1", f"@{server or self._controller.address}", name, rtype)
        return sorted(line for line in output.splitlines() if line and not line.startswith(";"))

    def srv(self, zone: str = "") -> list[Srv]:
        """The KMS hosts' values in a zone, the domain's own unless told otherwise, by target."""
        values = []
        for line in self.dig(f"{names.KMS_RECORD}.{zone or self._realm.domain}", "SRV"):
            priority, weight, port, target = line.split()
            values.append(Srv(int(priority), int(weight), int(port), target.removesuffix(".")))
        return sorted(values, key=lambda value: (value.target, value.priority, value.weight, value.port))

    def record_dn(self, zone: str = "") -> str:
        """The node of the KMS hosts' record in a zone, the domain's own unless told otherwise."""
        return self._realm.record_dn(zone)

    def sddl(self, dn: str = "") -> str:
        """The security descriptor of an object as SDDL, without its SACL; of the domain's own KMS record unless told otherwise."""
        dn = dn or self.record_dn()
        output = self._samba_tool("dsacl", "get", f"--objectdn={dn}", f"--URL={self._url}")
        found = re.search(r"^(O:.*?)(?:S:.*)?$", output.replace("\n ", ""), re.MULTILINE)
        if found is None:
            raise WitnessError(f"samba-tool dsacl get printed no SDDL for {dn}: {output}")
        return found.group(1)

    def rights(self, zone: str = "") -> dict[str, str]:
        """What the DACL of the record in a zone allows: SDDL letters by sAMAccountName, or by SID or alias where no account has it.

        What is inherited or denied is left out.
        """
        found = {}
        for ace in self.aces(self.record_dn(zone)):
            kind, flags, letters, _object, _inherited, trustee = ace.strip("()").split(";")
            if kind == "A" and "ID" not in flags:
                found[self._account(trustee)] = letters
        return found

    def aces(self, dn: str = "") -> list[str]:
        """The DACL's ACEs in their order, as SDDL."""
        return re.findall(r"\([^()]*\)", self.sddl(dn).partition("D:")[2])

    def add_ace(self, sddl: str, dn: str = "") -> None:
        """Put an ACE at the front of the DACL, as ``samba-tool dsacl set`` does."""
        dn = dn or self.record_dn()
        self._samba_tool("dsacl", "set", f"--objectdn={dn}", f"--sddl={sddl}", f"--URL={self._url}")

    def group_members(self, group: str = names.KMS_GROUP) -> list[str]:
        """sAMAccountNames of the members, sorted. Raises WitnessError if there is no such group."""
        return sorted(self._samba_tool("group", "listmembers", group, f"--URL={self._url}").split())

    def add_group(self, group: str = names.KMS_GROUP, members: tuple[str, ...] = ()) -> None:
        """Make a global security group, and add members by sAMAccountName."""
        self._samba_tool("group", "add", group, f"--URL={self._url}")
        if members:
            self._samba_tool("group", "addmembers", group, ",".join(members), f"--URL={self._url}")

    def search(self, expression: str, *attributes: str, base: str = "") -> list[dict[str, list[str]]]:
        """ldbsearch over the database files, past every ACL: each object's attributes as text; ``dn`` is one of them."""
        database = str(self._controller.database)
        output = self._run(
            "ldbsearch",
            f"--configfile={self._controller.smb_conf}",
            "-H",
            database,
            "--show-binary",
            "-b",
            base or self._realm.base_dn,
            expression,
            *attributes,
        )
        objects: list[dict[str, list[str]]] = []
        # An empty line is no end of an object: each value that is shown as a structure has one behind it.
        for block in re.split(r"^# record \d+$", output.replace("\n ", ""), flags=re.MULTILINE):
            found: dict[str, list[str]] = {}
            for line in block.splitlines():
                name, colon, value = line.partition(": ")
                if colon and not name.startswith("#"):
                    found.setdefault(name, []).append(value)
            if "dn" in found:
                objects.append(found)
        return objects

    def sid(self, account: str) -> str:
        """The SID of an account by sAMAccountName. Raises WitnessError if there is none."""
        found = self.search(f"(sAMAccountName={account})", "objectSid")
        if not found:
            raise WitnessError(f"no account {account}")
        return found[0]["objectSid"][0]

    def record_owner(self, dn: str = "") -> str:
        """sAMAccountName of the owner of an object, or its SID (or SDDL alias) when no account has it."""
        match = re.match(r"O:(S-[0-9-]+|[A-Z]{2})", self.sddl(dn))
        if match is None:
            raise WitnessError(f"no owner in the security descriptor of {dn or self.record_dn()}")
        return self._account(match.group(1))

    def _account(self, trustee: str) -> str:
        """sAMAccountName of a SID; what is no account's SID stays as it is."""
        found = self.search(f"(objectSid={trustee})", "sAMAccountName") if trustee.startswith("S-") else []
        return found[0]["sAMAccountName"][0] if found else trustee
