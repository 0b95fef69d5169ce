# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Kerberos bind inside TLS: SASL GSSAPI without a layer of its own, bound to the TLS channel.

The tokens are made here and not by libsasl: python-ldap holds the interpreter's lock through an interactive bind, so that
the thread that carries the bytes through TLS would never run, and it cannot hand channel bindings to libsasl.
"""

from __future__ import annotations

import contextlib
import hashlib
import ssl
import typing as t
import warnings

from .._core.errors import ActivationError

try:
    import gssapi
except ImportError as error:
    GSSAPI_ERROR: ImportError | None = error
else:
    GSSAPI_ERROR = None

try:
    from cryptography import x509
except ImportError:
    x509 = None  # type: ignore[assignment]

_NO_LAYER = bytes((1, 0, 0, 0))
"""The client's choice (RFC 4752 3.1): no security layer, and so no buffer size."""


def channel_binding(tls: ssl.SSLSocket) -> bytes:
    """The application data C(tls-server-end-point) of a connection (RFC 5929 4.1)."""
    certificate = tls.getpeercert(binary_form=True) or b""
    algorithm = "sha256"
    with warnings.catch_warnings(), contextlib.suppress(ValueError, AttributeError):
        # Certificates that a controller made for itself are not always tidy; whether to trust them was decided before.
        warnings.simplefilter("ignore")
        named = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
        # MD5 and SHA-1 are replaced by SHA-256; an algorithm without a hash of its own is not defined.
        if named is not None and named.name not in ("md5", "sha1"):
            algorithm = named.name
    return b"tls-server-end-point:" + hashlib.new(algorithm, certificate).digest()


def bind(connection: t.Any, server: str, binding: bytes) -> None:
    """Bind with the tickets of the environment, and check that the controller could read ours.

    Args:
        connection: A connection of python-ldap.
        server: The controller's name, as its service principal has it.
        binding: Application data of the channel bindings.

    Raises:
        ActivationError: gssapi is missing or the controller speaks out of turn.
        gssapi.exceptions.GSSError: Kerberos refuses.
        ldap.LDAPError: The controller refuses.
    """
    if GSSAPI_ERROR is not None:
        raise ActivationError(
            "LDAPS needs the Python package gssapi on the control node: pip install 'pyspnego[kerberos]'.", source="kerberos"
        ) from GSSAPI_ERROR
    # No integrity is asked for: a controller refuses it inside TLS.
    flags = gssapi.RequirementFlag.mutual_authentication | gssapi.RequirementFlag.out_of_sequence_detection
    context = gssapi.SecurityContext(
        name=gssapi.Name(f"ldap@{server}", gssapi.NameType.hostbased_service),
        mech=gssapi.MechType.kerberos,
        flags=flags,
        usage="initiate",
        channel_bindings=gssapi.raw.ChannelBindings(application_data=binding),
    )
    answer: bytes | None = None
    while not context.complete:
        # The last step gives no token, and its empty leg asks for the offer of layers.
        answer = _leg(connection, context.step(answer) or b"")
    offer = context.unwrap(answer or b"").message
    if len(offer) != 4 or not offer[0] & 1:
        raise ActivationError(f"{server} demands signing or sealing inside TLS. Use O(tls_mode) none.", source="ldap")
    connection.sasl_bind_s("", "GSSAPI", context.wrap(_NO_LAYER, False).message)


def _leg(connection: t.Any, token: bytes) -> bytes:
    """One exchange of the bind that is not the last; python-ldap answers a number where the server sent no token."""
    answer = connection.sasl_bind_s("", "GSSAPI", token)
    return answer if isinstance(answer, bytes) else b""
