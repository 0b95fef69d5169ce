# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every world by its name: the playbook, and how it begins where that differs."""

from __future__ import annotations

from .image import ReferenceImage
from .kms import MultiSite, Pair, ReplaceHost, SingleSite, SingleSiteServing
from .mak import KmsToMak, MakIndependent, MakToKms
from .proxy import Acquire, Apply, Collect, Reapply
from .world import World

WORLDS: dict[str, type[World]] = {
    "kms_single_site": SingleSite,
    "kms_single_site_serving": SingleSiteServing,
    "kms_single_site_pair": Pair,
    "kms_multi_site": MultiSite,
    "kms_replace_host": ReplaceHost,
    "kms_to_mak": KmsToMak,
    "mak_independent": MakIndependent,
    "mak_proxy_acquire": Acquire,
    "mak_proxy_apply": Apply,
    "mak_proxy_collect": Collect,
    "mak_proxy_reapply": Reapply,
    "mak_to_kms": MakToKms,
    "reference_image": ReferenceImage,
}
