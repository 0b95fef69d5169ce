# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One LDAP session with a domain controller per task.

On port 389 the session is sealed by Kerberos; on 636 TLS protects it and Kerberos only proves who is there, because a
controller refuses a second protection inside TLS (MS-ADTS 5.1.1.1.2).
"""

from __future__ import annotations

import contextlib
import typing as t
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from .._core.errors import ActivationError
from .._core.text import some
from .._kerberos import failures
from .._kerberos.logon import Logon
from .._kerberos.tickets import tickets
from . import tls_bind
from .connection import Connected, Unanswered, connect
from .entry import ROOT_ATTRIBUTES, DirectoryEntry, RootDse
from .refusals import LOGON_IN_TLS, refused
from .settings import DirectorySettings

try:
    import ldap
    import ldap.controls
    import ldap.dn
    import ldap.sasl
except ImportError as error:
    LDAP_ERROR: ImportError | None = error
else:
    LDAP_ERROR = None

try:
    from gssapi.raw.misc import GSSError
except ImportError:

    class GSSError(Exception):  # type: ignore[no-redef]
        """Never raised where gssapi is not installed."""


_SD_FLAGS_OID = "1.2.840.113556.1.4.801"
_PERMISSIVE_MODIFY_OID = "1.2.840.113556.1.4.1413"
SD_OWNER_GROUP_DACL, SD_OWNER, SD_DACL = 7, 1, 4
"""Values for C(sd_flags): without them a controller takes 15 and hides the whole attribute from who may not read the SACL."""

_MINIMUM_SSF = 128
_ROOT_TIMEOUT = 3.0
"""Seconds for what is only good to know."""

Attributes = Mapping[str, Sequence[bytes]]
Change = tuple[t.Literal["add", "delete", "replace"], str, Sequence[bytes]]
"""An operation, an attribute, and values of it."""

_OPERATIONS = {"add": 0, "delete": 1, "replace": 2}
"""RFC 4511 4.6."""


class DirectorySession:
    """A bound LDAP connection.

    Attributes:
        server: The controller's name.
        root: What it says of itself.
        requests: LDAP operations so far, each leg of the bind included.
    """

    def __init__(self, connection: t.Any, server: str, root: RootDse) -> None:
        self._connection = connection
        self.server = server
        self.root = root
        self.requests = 0

    def read(self, dn: str, attributes: Sequence[str], sd_flags: int = 0) -> DirectoryEntry | None:
        """One object; C(None) where it does not exist or the account may not see it.

        Raises:
            ActivationError: The controller refused, with its reason.
        """
        found = self._search(dn, ldap.SCOPE_BASE, "(objectClass=*)", attributes, sd_flags)
        return found[0] if found else None

    def search(self, base: str, text: str, attributes: Sequence[str], one_level: bool = False) -> list[DirectoryEntry]:
        """All objects under C(base) that match; none where C(base) does not exist.

        Raises:
            ActivationError: The controller refused, with its reason.
        """
        return self._search(base, ldap.SCOPE_ONELEVEL if one_level else ldap.SCOPE_SUBTREE, text, attributes, 0)

    def add(self, dn: str, attributes: Attributes, right: str) -> None:
        """Create an object.

        Args:
            dn: Where.
            attributes: What it holds.
            right: The right that this takes, for the message.

        Raises:
            ActivationError: The controller refused, with its reason.
        """
        entries = [(name, list(values)) for name, values in attributes.items()]
        self._change(lambda: self._connection.add_ext_s(dn, entries), f"Creating {dn}", right)

    def modify(self, dn: str, changes: Sequence[Change], right: str, *, sd_flags: int = 0, permissive: bool = False) -> None:
        """Make several changes of one object, all or none, in their order.

        Args:
            dn: The object.
            changes: What to do with which values of which attribute. A value to delete has to be there.
            right: The right that this takes, for the message.
            sd_flags: Which parts of a security descriptor are meant.
            permissive: A value to add may be there already, and one to delete be gone.

        Raises:
            ActivationError: The controller refused, with its reason. C(noSuchAttribute) or C(attributeOrValueExists) is
                the name of the error where a value was not as expected.
        """
        entries = [(_OPERATIONS[operation], name, list(values)) for operation, name, values in changes]
        controls = _sd_control(sd_flags) or []
        if permissive:
            controls.append(ldap.controls.RequestControl(_PERMISSIVE_MODIFY_OID, True, None))
        self._change(lambda: self._connection.modify_ext_s(dn, entries, serverctrls=controls), f"Changing {dn}", right)

    def delete(self, dn: str, right: str) -> None:
        """Delete an object that has nothing below it."""
        self._change(lambda: self._connection.delete_s(dn), f"Deleting {dn}", right)

    def move(self, dn: str, container: str, right: Callable[[], str]) -> None:
        """Move an object into another container of its domain. This takes several rights; C(right) finds the one that is missing."""
        name = ldap.dn.explode_dn(dn)[0]
        self._change(lambda: self._connection.rename_s(dn, name, container), f"Moving {dn}", right)

    def _change(self, operation: Callable[[], object], doing: str, right: str | Callable[[], str]) -> None:
        self.requests += 1
        try:
            operation()
        except ldap.LDAPError as failure:
            is_right = isinstance(failure, ldap.INSUFFICIENT_ACCESS)
            found = right if isinstance(right, str) else right() if is_right else ""
            raise refused(failure, doing, self.server, found) from None

    def _search(self, base: str, scope: int, text: str, attributes: Sequence[str], sd_flags: int) -> list[DirectoryEntry]:
        self.requests += 1
        try:
            found = self._connection.search_ext_s(base, scope, text, list(attributes), serverctrls=_sd_control(sd_flags))
        except ldap.NO_SUCH_OBJECT:
            return []
        except ldap.LDAPError as failure:
            raise refused(failure, f"Reading {base or 'rootDSE'}", self.server, f"the right to read {base}") from None
        return [DirectoryEntry.of(dn, values) for dn, values in found if dn is not None]


@contextlib.contextmanager
def open_session(settings: DirectorySettings) -> Iterator[DirectorySession]:
    """A session with the first of the controllers that answers; it is closed whatever happens.

    Raises:
        ActivationError: No connection, no ticket or no bind, with the reason.
    """
    if LDAP_ERROR is not None:
        raise ActivationError(
            "Active Directory needs the Python package python-ldap on the control node: pip install python-ldap.", source="ldap"
        ) from LDAP_ERROR
    with contextlib.ExitStack() as stack:
        yield _first(settings, stack)


def _first(settings: DirectorySettings, stack: contextlib.ExitStack) -> DirectorySession:
    """A session with the first of the controllers that answers, closed by the stack. A logon is tried at that one alone."""
    silent: list[Unanswered] = []
    for there in settings.each():
        with contextlib.ExitStack() as attempt:
            try:
                connection, way = attempt.enter_context(_connection(there))
                root = _root_dse(connection, there)
            except Unanswered as failure:
                silent.append(failure)
                continue
            session = _bound(connection, there, way, root)
            stack.enter_context(attempt.pop_all())
            return session
    if len(silent) == 1:
        raise silent[0]
    raise Unanswered(
        f"None of the domain controllers {some((settings.server, *settings.others))} answers. The first one: {silent[0].message}",
        source=silent[0].source,
    )


@contextlib.contextmanager
def _connection(settings: DirectorySettings) -> Iterator[tuple[t.Any, Connected]]:
    """A connection that nobody has logged on over, and the way that it takes; closed whatever happens."""
    way = connect(settings)
    connection = ldap.initialize(f"ldap://{settings.server}", fileno=way.socket.detach())
    try:
        connection.set_option(ldap.OPT_PROTOCOL_VERSION, 3)
        connection.set_option(ldap.OPT_REFERRALS, 0)
        connection.set_option(ldap.OPT_NETWORK_TIMEOUT, float(settings.timeout))
        connection.set_option(ldap.OPT_TIMEOUT, float(settings.timeout))
        # Without it libldap asks the resolver for the name behind the peer's address and takes that for the SASL host.
        connection.set_option(ldap.OPT_X_SASL_NOCANON, 1)
        yield connection, way
    finally:
        with contextlib.suppress(ldap.LDAPError):
            connection.unbind_ext_s()


def root_of(settings: DirectorySettings) -> RootDse | None:
    """What a controller says of itself without a logon; C(None) where it can't be asked over LDAP from here."""
    if LDAP_ERROR is not None:
        return None
    with contextlib.suppress(ActivationError), _connection(replace(settings, timeout=min(settings.timeout, _ROOT_TIMEOUT))) as (made, way):
        return replace(_root_dse(made, settings), address=way.address)
    return None


def _bound(connection: t.Any, settings: DirectorySettings, way: Connected, root: RootDse) -> DirectorySession:
    logon = Logon(settings.account, root.domain.upper(), way.address, root.skew, hosts=(settings.server,))
    with tickets(logon):
        try:
            if way.binding:
                tls_bind.bind(connection, settings.server, way.binding)
            else:
                _sealed_bind(connection, settings.server)
        except (ldap.LOCAL_ERROR, ldap.AUTH_UNKNOWN) as failure:
            raise _bind_failure(failure, logon, settings.server) from None
        except ldap.LDAPError as failure:
            raise refused(failure, LOGON_IN_TLS if way.binding else "The logon", settings.server) from None
        except GSSError as failure:
            raise failures.in_gssapi(failure, logon, settings.server) from None
    session = DirectorySession(connection, settings.server, root)
    # The read of rootDSE, and the legs of the bind: ticket, offer of layers, choice of a layer (RFC 4752 3.1).
    session.requests = 4
    return session


def _sealed_bind(connection: t.Any, server: str) -> None:
    # The whole set, so that a SASL_SECPROPS in the user's ldap.conf cannot take the sealing away.
    connection.set_option(ldap.OPT_X_SASL_SECPROPS, "noanonymous,minssf=1,maxssf=65535")
    connection.sasl_interactive_bind_s("", ldap.sasl.gssapi())
    strength = connection.get_option(ldap.OPT_X_SASL_SSF)
    if strength < _MINIMUM_SSF:
        raise ActivationError(
            f"The session with {server} would be protected by {strength} bits only; {_MINIMUM_SSF} are wanted. "
            "Let the account and the controller use AES, or use O(tls_mode) ldaps.",
            source="ldap",
        )


def _bind_failure(failure: Exception, logon: Logon, server: str) -> ActivationError:
    details = failure.args[0] if failure.args and isinstance(failure.args[0], dict) else {}
    text = str(details.get("info") or details.get("desc") or failure)
    return failures.in_sasl(text, logon, server)


def _root_dse(connection: t.Any, settings: DirectorySettings) -> RootDse:
    try:
        found = connection.search_ext_s("", ldap.SCOPE_BASE, "(objectClass=*)", ROOT_ATTRIBUTES)
    except ldap.LDAPError as failure:
        raise Unanswered(
            f"{settings.server} accepts the connection but does not answer as an LDAP server ({type(failure).__name__}). "
            "Check that O(domain_server) is a domain controller.",
            source="ldap",
        ) from None
    entry = DirectoryEntry.of("", found[0][1]) if found else DirectoryEntry("", {})
    if not entry.text("defaultNamingContext"):
        raise ActivationError(f"{settings.server} is no Active Directory domain controller: it names no domain.", source="ldap")
    return RootDse.of(entry)


def _sd_control(flags: int) -> list[t.Any] | None:
    """LDAP_SERVER_SD_FLAGS_OID (MS-ADTS 3.1.1.3.4.1.11): SEQUENCE { INTEGER }, flags being less than 128."""
    if not flags:
        return None
    return [ldap.controls.RequestControl(_SD_FLAGS_OID, True, bytes((0x30, 3, 2, 1, flags)))]
