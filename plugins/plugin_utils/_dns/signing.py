# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How messages to a DNS server are signed: by a Kerberos logon (GSS-TSIG, RFC 3645), by a shared key (TSIG, RFC 8945), or not."""

from __future__ import annotations

import binascii
import secrets
import time
import typing as t
from collections.abc import Callable
from dataclasses import dataclass, field

from .._core.errors import ActivationError
from .._kerberos import failures
from .._kerberos.logon import KerberosAccount, Logon
from .._kerberos.tickets import tickets
from .channel import DnsChannel

try:
    import dns.exception
    import dns.message
    import dns.name
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.ANY.TKEY
    import dns.rrset
    import dns.tsig
except ImportError:
    # C(srv.require_dnspython) says so to the user.
    pass

try:
    import gssapi
    from gssapi.raw.misc import GSSError
except ImportError as error:
    GSSAPI_ERROR: ImportError | None = error

    class GSSError(Exception):  # type: ignore[no-redef]
        """Never raised where gssapi is not installed."""
else:
    GSSAPI_ERROR = None

_GSS_MODE = 3
"""TKEY mode C(GSS-API negotiation) (RFC 2930 2.5)."""
_KEY_LIFETIME = 3600
_MOST_LEGS = 5


class Signer(t.Protocol):
    """What signs messages."""

    @property
    def shown(self) -> str:
        """How, for steps and messages."""

    @property
    def sender(self) -> str:
        """Who is known to the server by it, for messages."""

    @property
    def signs_questions(self) -> bool:
        """Whether questions are signed as well as updates."""

    def key(self, channel: DnsChannel, /) -> dns.tsig.Key | None:
        """The key to sign with, C(None) for none; what it takes to get it is done once."""


class Unsigned:
    """No signature at all."""

    shown = "unsigned"
    sender = "this computer"
    signs_questions = False

    def key(self, _channel: DnsChannel, /) -> dns.tsig.Key | None:
        """See C(Signer)."""
        return None


@dataclass(slots=True)
class SharedKey:
    """A key that the server knows as well.

    Its questions are signed too: a server can show different zones to different keys (views).

    Attributes:
        name: The key's name on the server.
        secret: In Base64, as the server's configuration has it.
        algorithm: Such as C(hmac-sha256).
    """

    name: str
    secret: str = field(repr=False)
    algorithm: str
    signs_questions: bool = field(default=True, init=False)

    @property
    def shown(self) -> str:
        """See C(Signer)."""
        return f"TSIG {self.name}"

    @property
    def sender(self) -> str:
        """See C(Signer)."""
        return f"the key {self.name}"

    def key(self, _channel: DnsChannel, /) -> dns.tsig.Key | None:
        """See C(Signer).

        Raises:
            ActivationError: It can't be a key.
        """
        try:
            return dns.tsig.Key(dns.name.from_text(self.name), binascii.a2b_base64(self.secret, strict_mode=True), self.algorithm)
        except ValueError:
            raise ActivationError(
                "O(key_secret) is not Base64, as the key has it in the server's configuration.", source="options"
            ) from None
        except dns.exception.DNSException:
            raise ActivationError(f"'{self.name}' can't be the name of a key. Check O(key_name).", source="options") from None


@dataclass(slots=True)
class KerberosKey:
    """A key that is negotiated with the server by a Kerberos logon, once for all messages.

    Attributes:
        account: Who logs on.
        host: The server's full name; its service is C(DNS/host).
        logon: Makes the logon, for which a domain controller is asked. Where nothing is to be signed, nobody is.
    """

    account: KerberosAccount
    host: str
    logon: Callable[[], Logon] = field(repr=False)
    shown: str = field(default="GSS-TSIG", init=False)
    signs_questions: bool = field(default=False, init=False)
    _key: dns.tsig.Key | None = field(default=None, init=False, repr=False)

    @property
    def sender(self) -> str:
        """See C(Signer)."""
        return f"the account {self.account.username}" if self.account.username else "the account of the ticket cache"

    def key(self, channel: DnsChannel, /) -> dns.tsig.Key | None:
        """See C(Signer).

        Raises:
            ActivationError: Kerberos or the server refuses.
        """
        if self._key is None:
            if GSSAPI_ERROR is not None:
                raise ActivationError(
                    "Secure updates need the Python package gssapi on the control node: pip install 'pyspnego[kerberos]'.",
                    source="kerberos",
                ) from GSSAPI_ERROR
            logon = self.logon()
            with tickets(logon):
                try:
                    self._key = self._negotiated(channel)
                except GSSError as failure:
                    raise failures.in_gssapi(failure, logon, self.host) from None
        return self._key

    def _negotiated(self, channel: DnsChannel) -> dns.tsig.Key:
        # A single label that shares no suffix with the message: Samba cuts a signed message at the wrong place where the
        # owner of its TSIG record is compressed, and dnspython compresses it.
        name = dns.name.from_text(f"{secrets.token_hex(16)}.")
        # Windows takes a bare Kerberos token as well as one inside SPNEGO, and so does Samba; SPNEGO would hide Kerberos's reasons.
        context = gssapi.SecurityContext(
            name=gssapi.Name(f"DNS@{self.host}", gssapi.NameType.hostbased_service),
            mech=gssapi.MechType.kerberos,
            flags=gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.integrity | gssapi.RequirementFlag.replay_detection,
            usage="initiate",
        )
        token = context.step()
        for _leg in range(_MOST_LEGS):
            answer = self._send(channel, name, token or b"")
            token = None if context.complete else context.step(answer)
            if context.complete and not token:
                return dns.tsig.Key(name, t.cast(t.Any, context), dns.tsig.GSS_TSIG)
        raise self._refused("the negotiation does not come to an end")

    def _send(self, channel: DnsChannel, name: dns.name.Name, token: bytes) -> bytes:
        """One leg: our token in a TKEY record, the server's out of its answer."""
        now = int(time.time())
        tkey = dns.rdtypes.ANY.TKEY.TKEY(
            dns.rdataclass.ANY, dns.rdatatype.TKEY, dns.tsig.GSS_TSIG, now, now + _KEY_LIFETIME, _GSS_MODE, 0, token
        )
        query = dns.message.make_query(name, dns.rdatatype.TKEY, dns.rdataclass.ANY)
        query.additional.append(dns.rrset.from_rdata(name, 0, tkey))
        try:
            # The last answer is signed with the key that is being made; the mutual authentication inside the token vouches for it.
            answer = dns.message.from_wire(channel.exchange(query.to_wire()), keyring=False)
        except dns.exception.DNSException as failure:
            raise self._refused(str(failure).rstrip(".")) from None
        found = [rdata for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TKEY for rdata in rrset]
        if answer.rcode() != dns.rcode.NOERROR or not found or found[0].error:
            code = answer.rcode() if not found or not found[0].error else found[0].error
            raise self._refused(dns.rcode.to_text(dns.rcode.Rcode.make(code), tsig=bool(found and found[0].error)))
        return bytes(found[0].key)

    def _refused(self, reason: str) -> ActivationError:
        return ActivationError(
            f"The DNS server {self.host} did not take the Kerberos logon for secure updates: {reason}. Check that it is a DNS server of "
            f"Active Directory under its own full name (service DNS/{self.host}), and its clock.",
            name=reason.upper() if reason.isalpha() else "",
            source="dns",
        )
