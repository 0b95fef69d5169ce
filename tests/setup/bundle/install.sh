#!/bin/sh
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Installs what lies beside it into a virtual environment, and asks no network for anything.
#
#   ./install.sh FOLDER
#
# FOLDER  the virtual environment; one that is there is brought up to date
# PYTHON  in the environment: the interpreter it is made from, python3 without it

set -eu

fail() {
    printf 'install: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 1 ] || fail 'name the folder to install into: ./install.sh FOLDER'
folder=$1
python=${PYTHON:-python3}
here=$(cd "$(dirname "$0")" && pwd)
wanted=$(cat "$here/PYTHON_VERSION")

(cd "$here" && sha256sum --quiet --check SHA256SUMS) || fail 'a file of the bundle is not what it was; copy the bundle again'
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "there is no $python; name another: PYTHON=... ./install.sh FOLDER"
[ "$found" = "$wanted" ] || fail "this bundle is for Python $wanted, and $python is $found; name another: PYTHON=python$wanted ./install.sh FOLDER"
[ -x "$folder/bin/pip" ] || "$python" -m venv "$folder" || fail 'the virtual environment could not be made; Debian has its module in python3-venv'

# Settings of this machine, such as the name of an index, are not wanted.
"$folder/bin/pip" --isolated install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" --require-hashes \
    --requirement "$here/requirements.txt"
# Ansible finds collections among the packages of its own Python, without a setting.
site=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
ANSIBLE_COLLECTIONS_PATH=$site "$folder/bin/ansible-galaxy" collection install --offline --no-deps --force --collections-path "$site" \
    "$here"/collection/*.tar.gz >"$folder/install.log" 2>&1 || {
    cat "$folder/install.log" >&2
    fail 'the collection could not be installed'
}
rm "$folder/install.log"
printf 'installed: %s/bin/ansible-playbook, with the collection winops.volume_activation\n' "$folder"
