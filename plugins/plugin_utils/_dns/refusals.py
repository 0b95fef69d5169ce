# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DNS server's refusal of an update or of a question means, in one sentence.

Codes: RFC 2136 2.2, RFC 8945 5.3. Which server means what by them was seen on BIND 9.18 and Samba 4.17, and is documented for Windows.
"""

from __future__ import annotations

from .._core.codes.code import plain

try:
    import dns.message
    import dns.rcode
except ImportError:
    # C(srv.require_dnspython) says so to the user.
    pass

from .._core.errors import ActivationError
from .signing import Signer
from .srv import REMEDIES, Server

_KEY_TROUBLES = {
    "BADKEY": "it knows no such key, or not with this algorithm. Check O(key_name), O(key_algorithm), and the server's configuration.",
    "BADSIG": "the secret is not that of the server's key. Check O(key_secret).",
    "BADTIME": "the clocks differ by more than the five minutes that a signature allows. Set the clock of this node.",
    "BADTRUNC": "it wants a longer signature. Check O(key_algorithm).",
}
"""What C(NOTAUTH) means by the error inside the signature."""

_NO_RIGHT = (
    "the account lacks Write on the record, which belongs to whoever made it, or the right to create one in the zone. "
    "Grant it, as with dns_record_acl, or name another account."
)

_GENERAL = {
    "FORMERR": "it does not understand dynamic updates. Check that it is an authoritative DNS server.",
    "NOTIMP": "it takes no dynamic updates, as a secondary of the zone or a resolver does. Name the zone's primary server.",
    "NOTAUTH": "it is not the primary server of the zone. Name that one.",
    "NOTZONE": "the name does not lie in the zone. Check zone and record.",
}


def refused(
    answer: dns.message.Message, server: Server, signer: Signer, zone: str, what: str, doubtful: bool = False, question: bool = False
) -> ActivationError:
    """The error for an answer with a response code that is none of the expected ones.

    Args:
        answer: The answer.
        server: Who gave it.
        signer: How the message was signed.
        zone: The zone.
        what: What was asked, such as C(the update of _vlmcs._tcp.contoso.com).
        doubtful: Whether a new target has an underscore in its name.
        question: Whether it was a question, which needs no right to write.
    """
    code, name = int(answer.rcode()), dns.rcode.to_text(answer.rcode())
    if name == "NOTAUTH" and answer.tsig_error:
        code = int(answer.tsig_error)
        name = dns.rcode.to_text(dns.rcode.Rcode.make(code), tsig=True)
        meaning = _KEY_TROUBLES.get(name, "the signature was not accepted. Check the key.")
        return ActivationError(f"{server} refused {signer.shown} for {what} ({name}): {meaning}", code=plain(code), name=name, source="dns")
    meaning = f"{REMEDIES.get(name, 'look into the log of that server')}." if question else _meaning(name, signer, zone)
    if name == "REFUSED" and doubtful:
        meaning = f"BIND refuses names of hosts with an underscore (check-names). If it is not that, {meaning}"
    return ActivationError(f"{server} refused {what} ({name}): {meaning}", code=plain(code), name=name, source="dns")


def _meaning(name: str, signer: Signer, zone: str) -> str:
    if name == "REFUSED" and signer.shown == "unsigned":
        return (
            f"it takes no unsigned updates of {zone} from this computer. Log on (O(domain_username) and O(domain_password)), give a key "
            "(O(key_name)), or have the DNS team enter the values."
        )
    if name == "REFUSED" and signer.shown == "GSS-TSIG":
        return (
            f"{_NO_RIGHT} Or dynamic updates of {zone} are switched off there; then let the zone take secure ones, or use a static record."
        )
    if name == "REFUSED":
        return f"{signer.sender} may not do that. Allow it in the zone's update-policy or allow-update."
    if name == "SERVFAIL" and signer.shown == "GSS-TSIG":
        # Samba's own DNS server says SERVFAIL where Windows and BIND say REFUSED.
        return f"on Samba this says that {_NO_RIGHT} Elsewhere look into the server's log."
    if name == "SERVFAIL":
        return (
            "it could not write the zone. Look into the server's log; BIND needs a writable folder for the zone's journal, and takes "
            "no more values of one name than max-records-per-type allows, 100 by default."
        )
    return _GENERAL.get(name, "look into the server's log.")
