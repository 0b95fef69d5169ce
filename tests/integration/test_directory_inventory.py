# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented inventory of computers of a domain, by the collection microsoft.ad, against the lab's directory."""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab import names
from lab.play import lab_environment

from . import documented
from .conftest import Lab

pytestmark = pytest.mark.tier("soak")

PAGE = documented.TREE / "docs/docsite/rst/mak_targets.rst"


@pytest.fixture(scope="module")
def microsoft_ad(project: Path) -> Path:
    """Where C(make integration) has put the collection."""
    folder = project / "build/microsoft-ad"
    if not (folder / ".made-from").exists():
        pytest.skip("the collection microsoft.ad is not there: make setup-microsoft-ad")
    return folder


def documented_source() -> dict[str, Any]:
    """The inventory source on the page."""
    blocks = re.findall(r"\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", PAGE.read_text(encoding="utf-8"))
    sources = [yaml.safe_load(textwrap.dedent(block)) for block in blocks]
    (source,) = [source for source in sources if isinstance(source, dict) and source.get("plugin") == "microsoft.ad.ldap"]
    return source


def listed(lab: Lab, folder: Path, microsoft_ad: Path, source: dict[str, Any]) -> dict[str, Any]:
    path = folder / "pcs.microsoft.ad.ldap.yml"
    path.write_text(yaml.safe_dump(source), encoding="utf-8")
    environment = {**os.environ, **lab_environment(lab.layout.root)}
    environment |= {
        "ANSIBLE_COLLECTIONS_PATH": str(microsoft_ad),
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "1",
        "PYTHONPATH": os.pathsep.join([str(microsoft_ad / "python"), environment.get("PYTHONPATH", "")]),
        "VOLUME_ACTIVATION_DOMAIN_USERNAME": names.CONTOSO.principal(names.OPERATOR),
        "VOLUME_ACTIVATION_DOMAIN_PASSWORD": names.OPERATOR_PASSWORD,
    }
    done = subprocess.run(["ansible-inventory", "-i", path, "--list"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    shown: dict[str, Any] = json.loads(done.stdout, object_hook=lambda found: found.get("__ansible_unsafe", found))
    return shown


def test_the_documented_filter_finds_the_computers_of_that_name(running_lab: Lab, tmp_path: Path, microsoft_ad: Path):
    # Nobody's resolver knows Contoso, and an address has no Kerberos.
    source = documented_source() | {"server": names.DC_ADDRESS, "auth_protocol": "ntlm"}
    known = {machine.fqdn for machine in running_lab.options.machines if machine.netbios.upper().startswith("PC-0")}
    assert 1 < len(known) < len(running_lab.options.machines)
    shown = listed(running_lab, tmp_path, microsoft_ad, source)
    assert set(shown["mak_clients"]["hosts"]) == known
    for variables in shown["_meta"]["hostvars"].values():
        assert (variables["ansible_connection"], variables["ansible_winrm_transport"]) == ("winrm", "kerberos")
    everybody = listed(running_lab, tmp_path, microsoft_ad, source | {"filter": "(name=*)"})
    assert known < set(everybody["mak_clients"]["hosts"])
