# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A certificate authority for the lab, the certificate of its HTTPS listeners, and one for a user who logs on with it."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_DAYS = 365
# The name by which WinRM's certificate mapping (winrm/config/service/certmapping, Subject) knows a user: the principal name
# in an otherName of the subject's alternative names (MS-WCCE 2.2.2.7.7.4 and its OID).
PRINCIPAL_NAME = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_UTF8_STRING = 0x0C


@dataclass(frozen=True)
class CertificateFiles:
    """PEM files: the authority's certificate for clients, certificate and key of the server and of the user."""

    authority: Path
    certificate: Path
    key: Path
    user_certificate: Path
    user_key: Path

    @classmethod
    def within(cls, folder: Path) -> CertificateFiles:
        """The files of a folder, whether they are there or not."""
        return cls(folder / "ca.pem", folder / "server.pem", folder / "server.key", folder / "user.pem", folder / "user.key")


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: str, issuer: str, public_key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
    )


def create(
    folder: Path, names: Iterable[str], addresses: Iterable[str], authority_name: str = "Lab CA", user: str = "user@localhost"
) -> CertificateFiles:
    """Make an authority, one certificate for all DNS names and IPv4 addresses given, and one for a user by principal name.

    The authority's key is not kept. Files that are there are overwritten. Raises OSError.
    """
    names, addresses = list(names), list(addresses)
    folder.mkdir(parents=True, exist_ok=True)
    authority = _Authority.make(authority_name)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in addresses]
    files = CertificateFiles.within(folder)
    files.authority.write_bytes(authority.certificate.public_bytes(serialization.Encoding.PEM))
    authority.issue((names + addresses)[0], alternatives, ExtendedKeyUsageOID.SERVER_AUTH, files.certificate, files.key)
    principal = user.encode("utf-8")
    other_name = x509.OtherName(PRINCIPAL_NAME, bytes([_UTF8_STRING, len(principal)]) + principal)
    authority.issue(user, [other_name], ExtendedKeyUsageOID.CLIENT_AUTH, files.user_certificate, files.user_key)
    return files


def principal_name(certificate: bytes) -> str:
    """The principal name in a user's certificate (DER); empty where it has none."""
    try:
        alternatives = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ""
    found = (name.value for name in alternatives.get_values_for_type(x509.OtherName) if name.type_id == PRINCIPAL_NAME)
    value = next(found, b"")
    return value[2:].decode("utf-8", "replace") if value[:1] == bytes([_UTF8_STRING]) else ""


@dataclass(frozen=True)
class _Authority:
    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def make(cls, name: str) -> _Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(name, key, certificate)

    def issue(
        self, subject: str, alternatives: list[x509.GeneralName], purpose: x509.ObjectIdentifier, certificate_file: Path, key_file: Path
    ) -> None:
        """Write a certificate and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        key_id = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key())
        certificate = (
            _builder(subject, self.name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file.touch(mode=0o600)
        key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def server_context(files: CertificateFiles) -> ssl.SSLContext:
    """The TLS settings of the HTTPS listener: a client may show a certificate, which then has to be the authority's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    context.load_verify_locations(files.authority)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
