# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages to one zone of one server: what it holds, and changes of single values (RFC 2136)."""

from __future__ import annotations

import contextlib
import secrets
import typing as t
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

try:
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.opcode
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.rdtypes.IN.SRV
    import dns.rrset
    import dns.tsig
    import dns.update
except ImportError:
    # C(srv.require_dnspython) says so to the user.
    pass

from .._core.errors import ActivationError
from .._srv.value import SrvValue, plain_name
from .channel import DnsChannel
from .refusals import refused
from .rrset import Held, RrsetChange
from .signing import Signer


class OvertakenError(Exception):
    """The RRset is not what it was when it was read: somebody else has changed it in between."""


@dataclass(slots=True)
class Zone:
    """A zone as one server holds it.

    Attributes:
        channel: The way to the server.
        name: The zone.
        signer: What signs the messages.
        answer_verified: Whether the signature of the last answer to an update was right; C(None) without a signed update.
        held: Whether the server has shown already that it holds the zone.
    """

    channel: DnsChannel
    name: str
    signer: Signer
    answer_verified: bool | None = None
    held: bool = False

    def read(self, owner: str) -> dict[SrvValue, int]:
        """The SRV values that the server holds itself under a name of the zone, each with its own time to live.

        Raises:
            ActivationError: It holds no such zone, the name is an alias, or the question was refused.
        """
        answer = self._ask(owner, "SRV", one_rr_per_rrset=True)
        failed = answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
        # RFC 2308 3: what says that there is nothing says in which zone, and saves the question.
        self.held = self.held or (not failed and self._is_held_in(answer))
        if failed or not answer.flags & dns.flags.AA:
            self.check_authority()
        if failed:
            raise self._refused(answer, f"the question for {owner}", question=True)
        held: dict[SrvValue, int] = {}
        for rrset in answer.answer:
            # What an SRV record of another class holds is not known.
            if plain_name(rrset.name.to_text()) != owner or rrset.rdclass != dns.rdataclass.IN:
                continue
            if rrset.rdtype == dns.rdatatype.CNAME:
                target = plain_name(rrset[0].target.to_text())
                if target in self._of_any_name(owner, dns.rdatatype.CNAME):
                    continue
                raise ActivationError(
                    f"{owner} is an alias of {target} on {self.channel.server}; change that name instead.",
                    source="dns",
                )
            if rrset.rdtype == dns.rdatatype.SRV:
                held.update({SrvValue(rd.priority, rd.weight, rd.port, rd.target.to_text()): rrset.ttl for rd in rrset})
        return held

    def _of_any_name(self, owner: str, kind: dns.rdatatype.RdataType) -> set[str]:
        """The targets that names beside this one have which nobody can have made, by a wildcard of the zone (RFC 4592).

        The server makes such an answer up for every name that is not there, so that it says nothing of the name. A record that is made
        takes its place.
        """
        beside = f"{secrets.token_hex(16)}.{owner.partition('.')[2]}"
        answer = self._ask(beside, "SRV").answer
        of_kind = (rrset for rrset in answer if (rrset.rdtype, rrset.rdclass) == (kind, dns.rdataclass.IN))
        found = (rrset for rrset in of_kind if plain_name(rrset.name.to_text()) == beside)
        return {plain_name(rdata.target.to_text()) for rrset in found for rdata in rrset}

    def has_record(self, owner: str) -> bool:
        """Whether the SRV values that the server gives for a name are its own, and not those of a wildcard.

        Raises:
            ActivationError: The server takes no updates of the zone, which is how the two can be told apart: a wildcard fulfils no
                prerequisite of an update (RFC 2136 3.2).
        """
        if not self._of_any_name(owner, dns.rdatatype.SRV):
            return True
        update = dns.update.UpdateMessage(f"{self.name}.")
        update.present(dns.name.from_text(f"{owner}."), dns.rdatatype.SRV)
        wire, _key = self._signed(update)
        reply = self._parsed(self.channel.exchange(wire))
        if reply.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXRRSET):
            raise self._refused(reply, f"updates of {self.name}")
        return reply.rcode() == dns.rcode.NOERROR

    def check_authority(self) -> None:
        """Check that the server holds the zone, as that very zone.

        Raises:
            ActivationError: It does not; the text names the zone and the server that do, as far as this one knows.
        """
        if self.held:
            return
        answer = self._ask(self.name, "SOA")
        if self._is_held_in(answer):
            self.held = True
            return
        found = _authorities(answer)
        zone = plain_name(found[0].name.to_text()) if found else ""
        server = self.channel.server
        if found and answer.flags & dns.flags.AA:
            raise ActivationError(f"{server} holds no zone {self.name}; the name lies in its zone {zone}. Give that one.", source="dns")
        where = ""
        if found and zone == self.name:
            where = f" It is held by {plain_name(found[0][0].mname.to_text())}."
        elif found:
            where = f" Nearest to it is the zone {zone}, held by {plain_name(found[0][0].mname.to_text())}."
        said = "" if answer.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN) else f" ({dns.rcode.to_text(answer.rcode())})"
        raise ActivationError(
            f"{server} does not hold the zone {self.name}{said}.{where} Name a server that holds it, and the zone as it is set up there.",
            name=said.strip(" ()"),
            source="dns",
        )

    def _is_held_in(self, answer: dns.message.Message) -> bool:
        """Whether an answer is the server's own, and out of this very zone."""
        found = _authorities(answer)
        return bool(answer.flags & dns.flags.AA and found and plain_name(found[0].name.to_text()) == self.name)

    def name_servers(self) -> list[str]:
        """The names in the zone's NS records, sorted.

        Raises:
            ActivationError: The server does not hold the zone, or refused the question.
        """
        answer = self._ask(self.name, "NS")
        if answer.rcode() != dns.rcode.NOERROR or not answer.flags & dns.flags.AA:
            self.check_authority()
            raise self._refused(answer, f"the question for the name servers of {self.name}", question=True)
        return sorted({plain_name(rd.target.to_text()) for rrset in answer.answer if rrset.rdtype == dns.rdatatype.NS for rd in rrset})

    def change(self, owner: str, batch: Sequence[RrsetChange], unless_changed: Held | None) -> None:
        """Make changes of single values with one message, all of them or none.

        Args:
            owner: The name, in the zone.
            batch: What to change.
            unless_changed: What the RRset has to hold for that; C(None) where it does not matter.

        Raises:
            OvertakenError: It holds something else.
            NoAnswer: Whether it was done is not known.
            ActivationError: The server refused.
        """
        update = dns.update.UpdateMessage(f"{self.name}.")
        name = dns.name.from_text(f"{owner}.")
        if unless_changed is not None:
            # RFC 2136 2.4.2 and 2.4.3: the whole RRset as it was read, or none at all.
            for value in unless_changed:
                update.present(name, _rdata(value))
            if not unless_changed:
                update.absent(name, dns.rdatatype.SRV)
        for change in batch:
            if change.after is None:
                update.delete(name, _rdata(change.value))
            else:
                # A value that is there already is replaced, and so gets this time to live (RFC 2136 3.4.2.2).
                update.add(name, change.after, _rdata(change.value))
        wire, key = self._signed(update)
        answer = self.channel.exchange(wire, repeatable=False)
        reply = self._parsed(answer)
        self.answer_verified = self._is_verified(answer, update, key) if key is not None else None
        if reply.rcode() in (dns.rcode.NXRRSET, dns.rcode.YXRRSET):
            raise OvertakenError(owner)
        if reply.rcode() != dns.rcode.NOERROR:
            doubtful = any("_" in change.value.target for change in batch if change.after is not None)
            raise self._refused(reply, f"the update of {owner}", doubtful)

    def check_updates(self) -> None:
        """See whether the server takes updates of the zone at all, by one that changes nothing (RFC 2136 3.4.2 without records).

        A right that depends on the record shows only with a real one.

        Raises:
            ActivationError: It refuses them, or the signature.
        """
        wire, _key = self._signed(dns.update.UpdateMessage(f"{self.name}."))
        reply = self._parsed(self.channel.exchange(wire))
        if reply.rcode() != dns.rcode.NOERROR:
            raise self._refused(reply, f"updates of {self.name}")

    def _ask(self, name: str, kind: str, one_rr_per_rrset: bool = False) -> dns.message.Message:
        query = dns.message.make_query(dns.name.from_text(f"{name}."), kind)
        wire, key = self._signed(query, questions=True)
        answer = self._parsed(self.channel.exchange(wire), one_rr_per_rrset)
        if key is not None and answer.rcode() == dns.rcode.NOTAUTH and answer.had_tsig:
            raise self._refused(answer, f"the question for {name}", question=True)
        return answer

    def _signed(self, message: dns.message.Message, questions: bool = False) -> tuple[bytes, dns.tsig.Key | None]:
        key = None if questions and not self.signer.signs_questions else self.signer.key(self.channel)
        if key is not None:
            message.use_tsig(key, algorithm=key.algorithm)
        try:
            return message.to_wire(max_size=65535), key
        except dns.exception.TooBig:
            raise ActivationError(f"The update of the zone {self.name} is longer than a DNS message can be. Give fewer values.") from None
        except NotImplementedError as failure:
            raise ActivationError(f"The key can't be used: {failure}. Check O(key_algorithm).", source="options") from None

    def _parsed(self, answer: bytes, one_rr_per_rrset: bool = False) -> dns.message.Message:
        try:
            # The signature is checked on its own: an answer is needed for its reason even where the signature is not right.
            return dns.message.from_wire(answer, keyring=False, one_rr_per_rrset=one_rr_per_rrset)
        except dns.exception.DNSException as failure:
            reason = str(failure).rstrip(".") or type(failure).__name__
            raise ActivationError(f"{self.channel.server} gave an answer that is no DNS message: {reason}.", source="dns") from None

    @staticmethod
    def _is_verified(answer: bytes, asked: dns.message.Message, key: dns.tsig.Key) -> bool:
        with contextlib.suppress(dns.exception.DNSException):
            ring: t.Any = dns.tsig.GSSTSigAdapter({key.name: key}) if key.algorithm == dns.tsig.GSS_TSIG else {key.name: key}
            return dns.message.from_wire(answer, keyring=ring, request_mac=asked.mac).had_tsig
        return False

    def _refused(self, answer: dns.message.Message, what: str, doubtful: bool = False, question: bool = False) -> ActivationError:
        return refused(answer, self.channel.server, self.signer, self.name, what, doubtful, question)


def _authorities(answer: dns.message.Message) -> list[dns.rrset.RRset]:
    return [rrset for rrset in (*answer.answer, *answer.authority) if rrset.rdtype == dns.rdatatype.SOA]


def _rdata(value: SrvValue) -> dns.rdtypes.IN.SRV.SRV:
    target = dns.name.from_text(value.target if value.target == "." else f"{value.target}.")
    return dns.rdtypes.IN.SRV.SRV(dns.rdataclass.IN, dns.rdatatype.SRV, value.priority, value.weight, value.port, target)


def batches(planned: Sequence[RrsetChange], size: int) -> Iterable[Sequence[RrsetChange]]:
    """The changes in parts that fit into a message each."""
    return (planned[start : start + size] for start in range(0, len(planned), size))
