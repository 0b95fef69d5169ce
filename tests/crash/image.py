# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reference computer that a KMS host activates and that is generalized."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from lab import names
from lab.inventory import CONNECTIONS

from .kms import KmsWorld

REFERENCE = "pc-001"


class ReferenceImage(KmsWorld):
    """One computer, and a KMS host that others have asked before."""

    playbook = "reference_image"
    lab_name = "modern"
    zones = (names.ZONE,)

    def labels(self) -> list[str]:
        """Both."""
        return [REFERENCE, names.kms_hosts()[0].label]

    def limit(self) -> Iterable[str]:
        """The inventory has no other."""
        return ()

    def prepare(self) -> None:
        """The KMS host."""
        self.serve(names.kms_hosts()[0].label, names.ZONE)

    def on_event(self, event: dict[str, Any]) -> None:
        """It has counted enough already."""

    def variables(self) -> dict[str, Any]:
        """A member of a domain leaves it."""
        return {"reference_image_allow_domain_member": True, "reference_image_alternate_url": "https://contoso.com/help"}

    def inventory(self) -> Path:
        """The reference computer alone, with an account of its own, which it keeps."""
        path = super().inventory()
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        local = {**CONNECTIONS["psrp_basic_tls"](self.lab.layout), "ansible_host": names.clients(1)[0].address}
        own = {**local, "ansible_port": self.lab.options.https_port, "ansible_password": names.LOCAL_ADMIN_PASSWORD}
        found["all"]["children"] = {"reference_computers": {"hosts": {f"{REFERENCE}.{names.ZONE}": own}}}
        path.write_text(yaml.safe_dump(found), encoding="utf-8")
        return path
