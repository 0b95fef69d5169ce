# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a Windows host gets its SRV record into the real DNS: GSS-TSIG as its own machine account.

A host's tickets are kept: the groups of the account are inside them as they were when they were issued
(docs/facts/samba-and-bind.md#tickets), so a new membership has no effect until the host purges them or restarts.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import struct
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import dns.exception
import dns.message
import dns.name
import dns.query
import dns.rdataclass
import dns.rdataset
import dns.rdatatype
import dns.rdtypes.ANY.TKEY
import dns.tsig
import dns.update
import gssapi
import krb5
from gssapi.raw.misc import GSSError

from . import names

DNS_ERROR_RCODE_BADSIG = 0x80072338
"""What event 12293 reports when a secure update is refused (docs/facts/publication.md#refused-updates)."""
DNS_ERROR_RCODE_SERVER_FAILURE = 0x8007232A
"""No DNS server took the update."""
SEC_E_NO_AUTHENTICATING_AUTHORITY = 0x80090311
"""No domain controller gave a ticket."""

SRV_TTL = 3600
"""Seconds. No source gives the value that Windows uses (docs/facts/publication.md#record)."""

_TIMEOUT = 5.0
_TKEY_MODE_GSS = 3


class PublishError(Exception):
    """A record was not published; ``code`` is the HRESULT that the host logs with event 12293."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"0x{code:08X} {text}")
        self.code = code
        self.text = text


class TicketError(Exception):
    """The KDC gave no ticket."""


class Ticket:
    """A ticket granting ticket, and whatever is derived from it, with the groups of the moment it was issued.

    It lives in a credential cache in memory, which is destroyed with the object.
    """

    def __init__(self, account: str, cache: krb5.CCache, cache_name: str) -> None:
        self.account = account
        self.obtained = time.time()
        self._cache = cache
        self.cache_name = cache_name

    @classmethod
    def obtain(cls, account: str, password: str, realm: names.Realm = names.CONTOSO) -> Ticket:
        """Ask the KDC of ``KRB5_CONFIG``. Raises TicketError.

        The ticket for each DNS server is got at once: a member registers its own address when it starts. Windows copies the
        groups from the ticket granting ticket, Samba looks them up anew for each service ticket, so only one from that
        time makes an old ticket really old (docs/facts/samba-and-bind.md#tickets).
        """
        try:
            context = krb5.init_context()
            principal = krb5.parse_name_flags(context, realm.principal(account).encode())
            options = krb5.get_init_creds_opt_alloc(context)
            credential = krb5.get_init_creds_password(context, principal, options, password=password.encode())
            name = f"MEMORY:lab-{secrets.token_hex(8)}"
            cache = krb5.cc_resolve(context, name.encode())
            krb5.cc_initialize(context, cache, principal)
            krb5.cc_store_cred(context, cache, credential)
        except krb5.Krb5Error as error:
            raise TicketError(f"no ticket for {account}: {error}") from error
        ticket = cls(account, cache, name)
        for controller in names.controllers(names.MAX_CONTROLLERS, realm=realm):
            with contextlib.suppress(GSSError):
                ticket.context_for(controller.fqdn).step()
        return ticket

    def credentials(self) -> gssapi.Credentials:
        """The ticket as GSSAPI initiator credentials."""
        return gssapi.Credentials(usage="initiate", store={"ccache": self.cache_name})

    def context_for(self, server: str) -> gssapi.SecurityContext:
        """A context with the DNS service of a server, at its beginning."""
        return gssapi.SecurityContext(
            name=gssapi.Name(f"DNS@{server}", gssapi.NameType.hostbased_service),
            creds=self.credentials(),
            mech=gssapi.MechType.kerberos,
            flags=gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.integrity,
            usage="initiate",
        )


class Identity:
    """A machine account and the ticket that the machine holds at present."""

    def __init__(self, account: str, password: str, realm: names.Realm = names.CONTOSO) -> None:
        self.account = account
        self._password = password
        self._realm = realm
        self._ticket: Ticket | None = None
        self._lock = threading.Lock()

    def ticket(self) -> Ticket:
        """The kept ticket; a new one only if there is none. Raises TicketError."""
        with self._lock:
            if self._ticket is None:
                self._ticket = Ticket.obtain(self.account, self._password, self._realm)
            return self._ticket

    def purge(self) -> None:
        """Forget the ticket, as ``klist purge`` and a restart of Windows do."""
        with self._lock:
            self._ticket = None


def identity_of(machine: names.Machine) -> Identity:
    """The machine account of a lab machine that is in a domain, without a ticket yet."""
    return Identity(machine.account, machine.password, machine.realm)


def _exchange(query: bytes, server: str) -> bytes:
    """One question and answer over TCP, as bytes: dnspython would insist on the answer's signature."""
    with socket.create_connection((server, 53), timeout=_TIMEOUT) as connection:
        connection.sendall(struct.pack(">H", len(query)) + query)
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack(">H", stream.read(2))
            answer: bytes = stream.read(length)
    if len(answer) != length or length < 12:
        raise OSError("the DNS server cut its answer")
    return answer


@dataclass(frozen=True)
class Publisher:
    """Writes SRV values into the zone of a DNS server, by address, whose SPN is ``DNS/<server_name>``.

    Where that one does not answer, ``other`` is tried.
    """

    server: str = names.DC_ADDRESS
    server_name: str = names.DC_FQDN
    other: Publisher | None = None

    @classmethod
    def of(cls, controllers: Sequence[names.Controller]) -> Publisher:
        """A publisher that tries these in their order."""
        first, *others = controllers
        return cls(first.address, first.fqdn, cls.of(others) if others else None)

    def __call__(self, identity: Identity, zone: str, target: str, port: int, priority: int, weight: int) -> None:
        """Add the value to ``_vlmcs._tcp`` of a zone and read it back. Raises PublishError.

        Other values stay, also older ones of the same host (docs/facts/publication.md#old-values).
        """
        try:
            ticket = identity.ticket()
        except TicketError as error:
            raise PublishError(SEC_E_NO_AUTHENTICATING_AUTHORITY, str(error)) from error
        owner = dns.name.from_text(f"{names.KMS_RECORD}.{zone}.")
        text = f"{priority} {weight} {port} {target.rstrip('.')}."
        value = dns.rdataset.from_text(dns.rdataclass.IN, dns.rdatatype.SRV, SRV_TTL, text)
        try:
            rcode = self._update(ticket, zone, owner, value)
            present = value[0] in self._read(owner)
        except GSSError as error:
            raise PublishError(DNS_ERROR_RCODE_BADSIG, f"{identity.account} cannot authenticate to the DNS server: {error}") from error
        except (OSError, dns.exception.DNSException) as error:
            if self.other is not None:
                self.other(identity, zone, target, port, priority, weight)
                return
            raise PublishError(DNS_ERROR_RCODE_SERVER_FAILURE, f"the DNS server {self.server} does not answer: {error}") from error
        # The answer's signature proves nothing with Samba 4.17 (docs/facts/samba-and-bind.md#gss-tsig): the value has to be there as well.
        if rcode != 0 or not present:
            raise PublishError(DNS_ERROR_RCODE_BADSIG, f"{identity.account} may not update {owner} (rcode {rcode})")

    def _update(self, ticket: Ticket, zone: str, owner: dns.name.Name, value: dns.rdataset.Rdataset) -> int:
        key = self._negotiate(ticket)
        update = dns.update.UpdateMessage(f"{zone}.")
        update.use_tsig(key)
        update.add(owner, value)
        return _exchange(update.to_wire(), self.server)[3] & 0x0F

    def _negotiate(self, ticket: Ticket) -> dns.tsig.Key:
        """A TSIG key from a GSSAPI context (RFC 3645)."""
        # One label that no other name of the message shares: dnspython compresses the key's name and Samba then cuts
        # the message at the wrong place (docs/facts/samba-and-bind.md#gss-tsig).
        key_name = dns.name.from_text(f"{secrets.token_hex(12)}.")
        context = ticket.context_for(self.server_name)
        token = context.step()
        while not context.complete:
            token = context.step(self._send_token(key_name, token or b""))
        return dns.tsig.Key(key_name, cast(Any, context), dns.tsig.GSS_TSIG)

    def _send_token(self, key_name: dns.name.Name, token: bytes) -> bytes:
        now = int(time.time())
        tkey = dns.rdtypes.ANY.TKEY.TKEY(
            dns.rdataclass.ANY, dns.rdatatype.TKEY, dns.tsig.GSS_TSIG, now, now + 3600, _TKEY_MODE_GSS, 0, token
        )
        query = dns.message.make_query(key_name, dns.rdatatype.TKEY, dns.rdataclass.ANY)
        query.additional.append(dns.rrset.from_rdata(key_name, 0, tkey))
        answer = dns.message.from_wire(_exchange(query.to_wire(), self.server), keyring=False)
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.TKEY:
                return bytes(rrset[0].key)
        raise dns.exception.DNSException(f"no TKEY in the answer (rcode {answer.rcode()})")

    def _read(self, owner: dns.name.Name) -> dns.rdataset.Rdataset:
        query = dns.message.make_query(owner, dns.rdatatype.SRV)
        answer = dns.query.tcp(query, self.server, timeout=_TIMEOUT)
        for rrset in answer.answer:
            if rrset.name == owner and rrset.rdtype == dns.rdatatype.SRV:
                return rrset
        return dns.rdataset.Rdataset(dns.rdataclass.IN, dns.rdatatype.SRV)
