#!/usr/bin/env bash
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A second environment with the newest Python and ansible-core that are supported, where that Python is found: on the path, or
# where pyenv keeps those that it has not put there. What is on the path may be a shim that does not run.
#
#   newest.sh BUILD VENV

set -euo pipefail

build=$1
venv=$2
name=python3.13
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

for candidate in "$name" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"$name"; do
    if "$candidate" -c '' 2>/dev/null; then
        exec "$here/environment.sh" "$build" "$venv" "$candidate" control-node.txt
    fi
done
printf 'setup: there is no %s here; what needs it is left out\n' "$name"
