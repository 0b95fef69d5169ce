# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the recordings of this folder anew: C(python -m unit.recordings.renew) in the folder C(tests), while no lab is up.

A recording holds requests word for word, so this is due when a module asks for other columns.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from lab import lifecycle, names
from lab.layout import Layout
from lab.park import PARKS
from lab.play import lab_environment

FOLDER = Path(__file__).resolve().parent
COLLECTION = "winops.volume_activation"


def record(park: str, root: Path) -> None:
    """A KMS host with its key activated, and a client, of one park."""
    layout = Layout.at(root)
    lifecycle.up(layout, lifecycle.Options(park=park, clients=1, servers=1), print)
    try:
        run(root, "kms_host", names.kms_hosts()[0], f"product_key={PARKS[park].csvlk} activate=true")
        for role, machine in (("kms_host", names.kms_hosts()[0]), ("client", names.clients(1)[0])):
            path = FOLDER / f"{park}_{role}.json"
            path.unlink(missing_ok=True)
            run(root, "debug_winrm_session", machine, f"record={path} anonymise=true")
            path.chmod(0o644)
    finally:
        lifecycle.down(layout, print)


def run(root: Path, module: str, machine: names.Machine, arguments: str) -> None:
    """One task on one host. What becomes of it shows in the recording."""
    command = ["ansible", "-i", str(root / "inventory.yml"), machine.fqdn, "-m", f"{COLLECTION}.{module}", "-a", arguments]
    subprocess.run(command, env=lab_environment(root), check=False)


def main() -> int:
    """All parks."""
    for park in PARKS:
        with tempfile.TemporaryDirectory() as folder:
            record(park, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
