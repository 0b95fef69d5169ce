# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for thousands of addresses: one key, and a certificate for each 250 of them."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from . import canned

_BLOCK = 250


class Contexts:
    """TLS contexts of the hosts.

    Args:
        folder: Where the authority's certificate is written, as C(ca.pem), and the others.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._authority_name = _name("Authority of the scale test")
        self._contexts: dict[int, ssl.SSLContext] = {}
        authority = self._sign(self._authority_name, x509.BasicConstraints(ca=True, path_length=0))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))

    def of(self, number: int) -> ssl.SSLContext:
        """The context of a host."""
        block = number // _BLOCK
        if block not in self._contexts:
            addresses = [ipaddress.ip_address(canned.address(block * _BLOCK + place)) for place in range(_BLOCK)]
            alternatives = x509.SubjectAlternativeName([x509.IPAddress(found) for found in addresses])
            certificate = self._sign(_name(f"Block {block}"), alternatives)
            path = self._folder / f"block-{block}.pem"
            key = self._key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            path.touch(mode=0o600)
            path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + key)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(path)
            self._contexts[block] = context
        return self._contexts[block]

    def _sign(self, subject: x509.Name, extension: x509.ExtensionType) -> x509.Certificate:
        today = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._authority_name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - datetime.timedelta(days=1))
            .not_valid_after(today + datetime.timedelta(days=2))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            # Python 3.13 asks for these three. All certificates have the same key.
            .add_extension(_key_usage(isinstance(extension, x509.BasicConstraints)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(authority: bool) -> x509.KeyUsage:
    others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, **dict.fromkeys(others, False))
