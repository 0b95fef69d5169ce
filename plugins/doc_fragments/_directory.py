# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the modules that talk to Active Directory.

Associated with C(plugin_utils/_directory/settings.py).
"""

from __future__ import annotations


class ModuleDocFragment:
    """Documentation fragment C(_directory)."""

    DOCUMENTATION = r"""
options:
  domain_server:
    description:
      - The full DNS name of a domain controller, such as V(dc1.contoso.com). Kerberos needs the name; an address is refused.
      - Several can be named. The first one that answers is used, so that a controller which is down stops nothing.
      - Everything is read from and written to this one controller, so that replication plays no part in it.
      - Left out, the variable C(volume_activation_domain_server) or the environment variable E(VOLUME_ACTIVATION_DOMAIN_SERVER) stands in.
    type: list
    elements: str
    required: true
  domain_username:
    description:
      - The account, as C(user@REALM) or C(DOMAIN\user). A user principal name whose suffix is no realm does as well; the controller's
        domain is then asked for it. It needs O(domain_password).
      - With the latter, C(DOMAIN) has to be the first part of the DNS name of the controller's domain, or the whole of it. Any other is
        refused before the logon, because the name and password would be tried on an account of the controller's domain. Where the
        NetBIOS name of your domain is another one, write C(user@REALM).
      - Without it, the ticket that C(kinit) or the job template has put into the ticket cache is used.
      - Left out, the variable C(volume_activation_domain_username) or the environment variable E(VOLUME_ACTIVATION_DOMAIN_USERNAME) stands in.
    type: str
  domain_password:
    description:
      - Its password. The ticket that is got with it stays in memory and is used for this session only.
      - Without it, O(domain_keytab) is used, or the ticket of O(domain_username) in the ticket cache.
      - Left out, the variable C(volume_activation_domain_password) or the environment variable E(VOLUME_ACTIVATION_DOMAIN_PASSWORD) stands in.
    type: str
  domain_keytab:
    description:
      - A keytab file on the control node with the keys of O(domain_username), instead of the password.
      - Left out, the variable C(volume_activation_domain_keytab) or the environment variable E(VOLUME_ACTIVATION_DOMAIN_KEYTAB) stands in.
    type: str
    version_added: 0.2.0
  domain_ccache:
    description:
      - The ticket cache to use, such as V(FILE:/run/krb5cc_awx), instead of the one that the process has by E(KRB5CCNAME) or by default.
      - With O(domain_username) it has to be the cache of that account.
      - Left out, the variable C(volume_activation_domain_ccache) or the environment variable E(VOLUME_ACTIVATION_DOMAIN_CCACHE) stands in.
    type: str
    version_added: 0.2.0
  tls_mode:
    description:
      - V(none) uses port 389, where Kerberos signs and encrypts the session, as domain controllers demand since Windows Server 2025.
      - V(ldaps) uses TLS on port 636, with the Kerberos logon bound to the certificate (channel binding). Samba allows that only with
        the setting C(ldap server require strong auth = allow_sasl_over_tls).
      - Left out, the variable C(volume_activation_tls_mode) or the environment variable E(VOLUME_ACTIVATION_TLS_MODE) stands in.
    type: str
    choices: [none, ldaps]
    default: none
  ca_cert:
    description:
      - A PEM file, or a directory of them, with the certificates that may have issued the controller's. Used with O(tls_mode=ldaps).
      - Without it, the certificates that the control node trusts.
      - Left out, the variable C(volume_activation_ca_cert) or the environment variable E(VOLUME_ACTIVATION_CA_CERT) stands in.
    type: path
  cert_validation:
    description:
      - V(always) accepts a certificate of a trusted issuer for the name O(domain_server).
      - V(ignore_hostname) accepts one of a trusted issuer for any name.
      - V(ignore) accepts every certificate.
      - Left out, the variable C(volume_activation_cert_validation) or the environment variable E(VOLUME_ACTIVATION_CERT_VALIDATION) stands in.
    type: str
    choices: [always, ignore_hostname, ignore]
    default: always
  connection_timeout:
    description:
      - Seconds to wait for the connection, and for each answer of the controller.
      - Left out, the variable C(volume_activation_connection_timeout) or the environment variable E(VOLUME_ACTIVATION_CONNECTION_TIMEOUT) stands in.
    type: int
    default: 10
  dns_servers:
    description:
      - DNS servers that know the domain, by address or name, with C(:port) where it is not 53. They are asked for the address of O(domain_server).
      - Without it, the control node's own resolver is asked.
      - Left out, the variable C(volume_activation_dns_servers) or the environment variable E(VOLUME_ACTIVATION_DNS_SERVERS) stands in.
    type: list
    elements: str
requirements:
  - python-ldap >= 3.4, on the control node
  - pyspnego[kerberos] >= 0.9, on the control node
  - dnspython >= 2.7, on the control node, where O(dns_servers) is given
notes:
  - The realm needs no entry in C(krb5.conf) of the control node. What is written there about it comes first; otherwise
    O(domain_server) is also the KDC.
"""

    REPLICATION = r"""
options:
  wait_for_replication:
    description:
      - Seconds to wait at most until every other domain controller that holds the partition shows what was written. V(0) does not wait.
      - A KMS host, its KDC and its DNS server can each be another domain controller, and each has to know the group, its members and the
        rights before the host can publish.
      - Each of them is read with the same account. The error names those that are behind when time is up, and those that could not be asked;
        what was written stays written, and another run waits again.
      - In check mode nothing is waited for.
      - Left out, the variable C(volume_activation_wait_for_replication) or the environment variable
        E(VOLUME_ACTIVATION_WAIT_FOR_REPLICATION) stands in.
    type: int
    default: 0
    version_added: 0.2.0
"""
