# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes out of recorded messages what nobody else may see, and on request who they are about.

Messages are changed as text, so that everything else in them stays as Windows wrote it: only texts and attribute values
are touched, never names of elements, and no value that is a URI of the protocol.
"""

from __future__ import annotations

import ipaddress
import re
import typing as t
from collections.abc import Callable, Iterable
from xml.sax.saxutils import escape, quoteattr

from .._core.masking import MASK, Secrets, without_named_keys

# Whatever is not a tag for certain is treated as text, so that nothing escapes by odd syntax.
_TAG = re.compile(r"(<[/?]?[A-Za-z_][^<>]*>)")
_ATTRIBUTE = re.compile(r"""(\s(?!xmlns)[\w:.-]+\s*=\s*)("[^"]*"|'[^']*')""")
_PROTOCOL = ("http://schemas.", "http://www.w3.org/", "uuid:")

_HOST_ELEMENTS = "CSName|DNSHostName|__SERVER|SystemName|PSComputerName|MachineName|KeyManagementServiceMachine|DiscoveredKeyManagementServiceMachineName"
_DOMAIN_ELEMENTS = "Domain|KeyManagementServiceLookupDomain|DnsDomainPublishList"
_NAMED_HOST = re.compile(rf"<(?:[\w.-]+:)?(?:{_HOST_ELEMENTS})(?:\s[^<>]*)?>([^<>]+)<|\sMachine=[\"']([^\"']+)[\"']")
_NAMED_DOMAIN = re.compile(rf"<(?:[\w.-]+:)?(?:{_DOMAIN_ELEMENTS})(?:\s[^<>]*)?>([^<>]+)<")
_NOBODY = frozenset({"", ".", "localhost", "workgroup", "null", MASK.lower()})

_IPV4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")
# That there is a colon is looked up ahead: two runs of the same characters beside one another could be parted at every place.
_IPV6 = re.compile(r"(?<![\w:.])(?=[0-9A-Fa-f]*:)[0-9A-Fa-f:.]*[0-9A-Fa-f:](?![\w:])")
_SID = re.compile(r"S-1-5-21-\d+-\d+-\d+")
_CMID = re.compile(r"(<(?:[\w.-]+:)?ClientMachineID(?:\s[^<>]*)?>)[^<>]+(?=<)")
# The longest that DNS has, and room for what XML makes of it; a longer text names nobody.
_LONGEST_NAME = 512
_WORD = re.compile(r"[\w-]+|[^\w-]")
_NO_CMID = r"\g<1>00000000-0000-0000-0000-000000000000"


class Masker:
    """Masks secrets; product keys of the usual shape are masked whether they are named or not.

    Args:
        secrets: Texts that must not appear, in whatever case.
        aliases: What else is replaced, see C(Aliases).
    """

    def __init__(self, secrets: Iterable[str] = (), aliases: Aliases | None = None) -> None:
        self._secrets = Secrets(secrets)
        self._aliases = aliases

    def message(self, text: str) -> str:
        """A SOAP message without them."""
        # They cannot be part of the protocol, so they go wherever they are.
        text = without_named_keys(text)
        if self._aliases:
            text = _CMID.sub(_NO_CMID, text)
        parts = _TAG.split(text)
        # The split alternates: text, tag, text, tag and so on.
        parts[::2] = [self.text(part) for part in parts[::2]]
        parts[1::2] = [_ATTRIBUTE.sub(lambda found: found[1] + self._quoted(found[2]), part) for part in parts[1::2]]
        return "".join(parts)

    def text(self, text: str) -> str:
        """One value, or a sentence, without them."""
        if text.strip().startswith(_PROTOCOL):
            return text
        text = str(self._secrets.mask(text))
        return self._aliases.replace(text) if self._aliases else text

    def tree(self, value: t.Any) -> t.Any:
        """Data as JSON has it, with every string masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.tree(entry) for key, entry in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.tree(entry) for entry in value]
        return value

    def _quoted(self, quoted: str) -> str:
        return quoted[0] + self.text(quoted[1:-1]) + quoted[-1]


class Aliases:
    """Other names for hosts, domains, users and addresses: the same one for the same name wherever it stands.

    Names are C(host1), C(domain1.example), C(DOMAIN1) and C(user1); addresses are those reserved for documentation
    (RFC 5737, RFC 3849). The domain part of SIDs and the client machine ID go as well.

    Args:
        messages: The messages, in which Windows names hosts and domains itself.
        hosts: Further names of hosts, with or without a domain.
        users: Accounts, as C(DOMAIN\\user), C(user@REALM) or alone.
    """

    def __init__(self, messages: Iterable[str], hosts: Iterable[str] = (), users: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        self._addresses: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        for host in hosts:
            self._add_host(host)
        for user in users:
            self._add_user(user)
        for message in messages:
            for found in _NAMED_HOST.finditer(message):
                self._add_host(found[1] or found[2])
            for found in _NAMED_DOMAIN.finditer(message):
                self._add_domain(found[1])
        self._words = _Words(self._names)

    def replace(self, text: str) -> str:
        """The text with other names."""
        text = self._words.replace(text)
        text = _SID.sub("S-1-5-21-1-1-1", text)
        text = _IPV4.sub(lambda found: self._address(found[0], ipaddress.IPv4Address, "192.0.2.{}"), text)
        return _IPV6.sub(lambda found: self._address(found[0], ipaddress.IPv6Address, "2001:db8::{:x}"), text)

    def _add_host(self, host: str) -> None:
        host = host.strip().strip("[]").rstrip(".$")
        if _is_address(host):
            return
        label, _dot, domain = host.partition(".")
        self._add(label, "host{}")
        self._add_domain(domain)

    def _add_domain(self, domain: str) -> None:
        domain = domain.strip().strip(".")
        if domain.lower() in _NOBODY or _is_address(domain):
            return
        if "." in domain:
            self._add(domain, "domain{}.example")
            # The NetBIOS name is the first part unless somebody chose otherwise.
            self._add(domain.partition(".")[0], "DOMAIN{}")
        else:
            self._add(domain, "DOMAIN{}")

    def _add_user(self, user: str) -> None:
        name, at, realm = user.partition("@")
        domain, backslash, account = user.partition("\\")
        if backslash:
            name, realm = account, domain
        elif not at:
            realm = ""
        self._add(name, "user{}")
        self._add_domain(realm)

    def _add(self, name: str, alias: str) -> None:
        for form in _spellings(name.strip().lower()):
            if form not in _NOBODY and form not in self._names and len(form) <= _LONGEST_NAME:
                self._counts[alias] = self._counts.get(alias, 0) + 1
                self._names[form] = alias.format(self._counts[alias])

    def _address(self, text: str, kind: Callable[[str], ipaddress.IPv4Address | ipaddress.IPv6Address], alias: str) -> str:
        try:
            address = kind(text)
        except ValueError:
            return text
        if address.is_unspecified or str(address) in ("127.0.0.1", "::1"):
            return text
        if str(address) not in self._addresses:
            self._counts[alias] = self._counts.get(alias, 0) + 1
            self._addresses[str(address)] = alias.format(self._counts[alias])
        return self._addresses[str(address)]


class _Words:
    """Names, each of one word or more, that are replaced where they stand as whole words, the longest first, in any case.

    A tree by words and no regular expression: that one would try each of the names at each place, and a host decides about both.
    """

    def __init__(self, names: t.Mapping[str, str]) -> None:
        self._tree: dict[str, t.Any] = {}
        for name, alias in names.items():
            branch = self._tree
            for word in _WORD.findall(name):
                branch = branch.setdefault(word, {})
            # No word is empty, so that what a name is replaced by has a place of its own.
            branch[""] = alias

    def replace(self, text: str) -> str:
        """The text with other names."""
        if not self._tree:
            return text
        words, parts, place = _WORD.findall(text), [], 0
        while place < len(words):
            end, alias = self._longest(words, place)
            parts.append(alias or words[place])
            place = end
        return "".join(parts)

    def _longest(self, words: t.Sequence[str], start: int) -> tuple[int, str]:
        """Where the longest name that begins at a word ends, and what replaces it; the next word and nothing where there is none."""
        found, branch = (start + 1, ""), self._tree
        if start and not _is_word(words[start]) and _is_word(words[start - 1]):
            return found
        for place in range(start, len(words)):
            branch = branch.get(words[place].lower(), {})
            if not branch:
                break
            ends = _is_word(words[place]) or place + 1 == len(words) or not _is_word(words[place + 1])
            if "" in branch and ends:
                found = place + 1, branch[""]
        return found


def _is_word(text: str) -> bool:
    return text[0] == "-" or text[0] == "_" or text[0].isalnum()


def _spellings(text: str) -> set[str]:
    """The text as it stands, and as XML has to write it."""
    return {text, escape(text), quoteattr(text)[1:-1], escape(text, {'"': "&quot;", "'": "&apos;"})}


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True
