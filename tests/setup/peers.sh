#!/usr/bin/env bash
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The environment of the bench: this collection's packages, and those of the modules that it is compared with. They need Python 3.12 or
# newer, which is looked for as newest.sh does.
#
#   peers.sh BUILD VENV

set -euo pipefail

build=$1
venv=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for name in python3.13 python3.12; do
    for candidate in "$name" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"$name"; do
        if "$candidate" -c '' 2>/dev/null; then
            exec "$here/environment.sh" "$build" "$venv" "$candidate" peers.txt
        fi
    done
done
printf 'setup: there is no Python 3.12 or 3.13 here; what needs it is left out\n'
