# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole files that Ansible Vault encrypts."""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret

from .._core.errors import ActivationError


class VaultCipher:
    """Encrypts as C(ansible-vault encrypt) does, so that its commands open the file too.

    Args:
        password: The vault password.
        vault_id: The label that is written into the file; empty for none.
    """

    def __init__(self, password: str, vault_id: str = "") -> None:
        self._secret = VaultSecret(password.encode())
        self._vault_id = vault_id
        self._vault = VaultLib([(vault_id or "default", self._secret)])

    def encrypt(self, data: bytes) -> bytes:
        """The content of the file."""
        return bytes(self._vault.encrypt(data, secret=self._secret, vault_id=self._vault_id or None))

    def decrypt(self, data: bytes, path: str) -> bytes:
        """What was encrypted.

        Raises:
            ActivationError: The password is another one, or the file is damaged. Vault can't tell one from the other.
        """
        try:
            return bytes(self._vault.decrypt(data))
        except (AnsibleError, ValueError) as failure:
            raise ActivationError(
                f"{path} can't be decrypted: the password is not the one that it was encrypted with, or the file is damaged.",
                source="file",
            ) from failure


def cipher_of(password: str | None, vault_id: str | None) -> VaultCipher | None:
    """What encrypts files, where a password is given."""
    return VaultCipher(password, vault_id or "") if password else None
