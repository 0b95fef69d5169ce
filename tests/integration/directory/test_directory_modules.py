# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules for the directory as Ansible runs them; no password shows."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import ansible_collections.winops.volume_activation.plugins.plugin_utils._core.errors as collection
from lab import names
from lab.domain.controller import Domain
from lab.witness import Witness

from ..conftest import NEEDS_DOMAIN
from .helpers import ADDRESS, MEMBERS

pytestmark = [pytest.mark.tier("test"), NEEDS_DOMAIN]

COLLECTIONS = str(Path(collection.__file__).parents[6])


def run_module(domain: Domain, module: str, check_mode: bool = False, **options: object) -> dict[str, object]:
    """Run a module as Ansible does, at the highest verbosity; fails if a password shows anywhere."""
    given = {
        "domain_server": names.DC_FQDN,
        "domain_username": f"{names.OPERATOR}@{names.REALM}",
        "domain_password": names.OPERATOR_PASSWORD,
        "dns_servers": [ADDRESS],
        **options,
    }
    argv = [sys.executable, "-m", "ansible", "adhoc", "localhost", "-vvvv", "--diff", "-m", f"winops.volume_activation.{module}"]
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
        "ANSIBLE_HOME": f"{domain.layout.root}/ansible",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.minimal",
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [*argv, "-a", json.dumps(given), *(["--check"] if check_mode else [])], capture_output=True, text=True, env=env, check=False
    )
    output = done.stdout + done.stderr
    assert names.OPERATOR_PASSWORD not in output
    found = re.search(r"localhost \| [A-Z!]+.*? => (\{.*?\n\})", done.stdout, re.DOTALL)
    assert found is not None, output
    return json.loads(found[1])


def test_the_modules_in_ansible(domain: Domain, published: Witness) -> None:
    options = {"zone": names.ZONE, "principal": names.KMS_GROUP}
    group = run_module(domain, "ad_group", name=names.KMS_GROUP, members=list(MEMBERS))
    assert group["changed"] is False
    planned = run_module(domain, "dns_record_acl", check_mode=True, **options)
    assert planned["changed"] is True
    done = run_module(domain, "dns_record_acl", **options)
    assert planned["steps"] == done["steps"]
    assert done["missing"] == []
    assert run_module(domain, "dns_record_acl", **options)["changed"] is False
    refused = run_module(domain, "dns_record_acl", **options, domain_username=f"nobody@{names.REALM}")
    assert refused["changed"] is False
    assert refused["error"]["name"] == "KDC_ERR_C_PRINCIPAL_UNKNOWN"
