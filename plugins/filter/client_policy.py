# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter about KMS clients that no WinRM reaches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible.module_utils.parsing.convert_bool import boolean

from ..plugin_utils._core.errors import ActivationError
from ..plugin_utils._topology.client_policy import PolicyWishes, policies


def client_policy(
    topology: Mapping[str, Any],
    host_caching: Any = False,
    alternate_url: str = "",
    discover: Any = True,
    lookup_domain: Any = False,
    suffixes: Any = True,
    allow_unverified_value: Any = False,
    architecture: str = "amd64",
    gpo: str = "KMS clients",
) -> dict[str, dict[str, Any]]:
    """See C(client_policy.yml)."""
    if not isinstance(topology, Mapping) or not {"sites", "orders"} <= topology.keys():
        raise AnsibleFilterError("client_policy takes the result of the filter winops.volume_activation.kms_topology.")
    try:
        wishes = PolicyWishes(
            host_caching=boolean(host_caching),
            alternate_url=str(alternate_url or ""),
            discover=boolean(discover),
            lookup_domain=boolean(lookup_domain),
            suffixes=boolean(suffixes),
            unverified=boolean(allow_unverified_value),
            architecture=str(architecture),
            gpo=str(gpo),
        )
        return policies(topology, wishes)
    except TypeError as failure:
        raise AnsibleFilterError(f"client_policy: {failure}") from None
    except ActivationError as failure:
        raise AnsibleFilterError(failure.message) from None


class FilterModule:
    """The filter of this file."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Name to function."""
        return {"client_policy": client_policy}
