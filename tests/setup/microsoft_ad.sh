#!/usr/bin/env bash
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The collection microsoft.ad with the Python package that its inventory plugin needs, beside the environments: no part of what this
# collection needs, but what its documentation shows an example of. The package ansible holds that collection among a hundred others;
# only this one is kept.
#
#   microsoft_ad.sh BUILD VENV

set -euo pipefail

build=$1
venv=$2
folder=$build/microsoft-ad
log=$build/log/microsoft-ad.log
collection=ansible==12.3.0
package=sansldap==0.1.0
wanted="$collection $package"

[ "$(cat "$folder/.made-from" 2>/dev/null)" != "$wanted" ] || exit 0
mkdir -p "$build/log"
printf 'setup: the collection microsoft.ad, from %s\n' "$collection"
rm -rf "$folder"
mkdir -p "$folder"
{
    "$venv/bin/pip" download --no-deps --only-binary :all: --dest "$folder" "$collection"
    "$venv/bin/python" - "$folder" <<'PYTHON'
import sys, zipfile
from pathlib import Path

folder = Path(sys.argv[1])
(wheel,) = folder.glob("ansible-*.whl")
with zipfile.ZipFile(wheel) as archive:
    archive.extractall(folder, [name for name in archive.namelist() if name.startswith("ansible_collections/microsoft/ad/")])
wheel.unlink()
PYTHON
    "$venv/bin/pip" install --no-deps --target "$folder/python" "$package"
} >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    printf 'setup: the collection microsoft.ad could not be had (all of it: %s)\n' "$log" >&2
    exit 1
}
printf '%s\n' "$wanted" >"$folder/.made-from"
