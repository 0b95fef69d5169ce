# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a KMS client should be, and what it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..._wsman.cim import Value
from ..._wsman.fault import WsmanFault
from ..._wsman.session import Session
from ..platform.versions import NEWEST
from ..spp.client_product import THE_SYSTEM
from ..spp.client_settings import SETTINGS, Wanted
from ..spp.licensing import SERVICE_COLUMNS, read_service, version_of

_LOOKS = frozenset({"lookup_domain", "host_caching"})


@dataclass(frozen=True, slots=True)
class KmsClientWish:
    """What a KMS client should be. What is C(None) or C(False) is left as it is.

    Attributes:
        product_key: A client setup key (GVLK); without one the host's own edition decides.
        discover: Find the KMS host by DNS, so that a fixed one is cleared.
        activate: Make one activation attempt where the client is not licensed.
        after_step: The earlier step that check mode takes as made.
        kms_host: The fixed KMS host, checked.
        kms_port: Its port; C(None) for 1688.
        settings: Further settings by their name in C(client_settings.SETTINGS).
        dns_suffixes: The DNS suffix search list, checked; an empty one removes what is set.
        alternate_url: The address for users whose activation failed; an empty one removes what is set.
        product: What C(checked_product) gave.
        overwrite: Replace a key of another kind.
        allow_unverified_key: Use a published key that only third parties have.
    """

    product_key: str | None = None
    discover: bool = False
    activate: bool = False
    after_step: str = ""
    kms_host: str | None = None
    kms_port: int | None = None
    settings: Mapping[str, Wanted] = field(default_factory=dict)
    dns_suffixes: Sequence[str] | None = None
    alternate_url: str | None = None
    product: str = THE_SYSTEM
    overwrite: bool = True
    allow_unverified_key: bool = False

    @property
    def looks(self) -> bool:
        """Whether it says anything about where the client looks, so that the result tells how it does."""
        return bool(self.settings.keys() & _LOOKS) or self.dns_suffixes is not None


def read_client_service(session: Session, wish: KmsClientWish) -> dict[str, Value]:
    """The licensing service as far as the wish needs it.

    Columns that old versions lack are asked of the newest Windows first, so that only old ones are asked more than once: which version
    it is only the answer tells.
    """
    if not wish.looks:
        return read_service(session)
    columns = (*SERVICE_COLUMNS, *(SETTINGS[name].column for name in sorted(_LOOKS)))
    try:
        return read_service(session, columns, NEWEST)
    except WsmanFault:
        # Which fault an unknown column gives depends on the Windows; if it was something else, it comes again here.
        version = version_of(read_service(session, ("Version",)))
    return read_service(session, columns, version)
