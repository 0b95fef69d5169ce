#!/usr/bin/env bash
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# ansible-test sanity on the staged collection. Its home, with its virtual environments, is BUILD/home.
#
#   sanity.sh BUILD COLLECTION [ARGUMENT of ansible-test ...]
#
# Without arguments every test runs, pylint beside the others as it takes as long as all of them. pylint looks at the
# plugins alone: what is under tests/ is in the care of ruff and mypy.

set -euo pipefail

build=$1
collection=$2
shift 2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

export HOME=$build/home
cache=$HOME/.ansible/test/cache
mkdir -p "$cache"
# The versions of pip that ansible-core 2.19 and 2.20 or later ask for.
for version in 24_2 25_2; do
    cmp --silent "$here/get_pip.py" "$cache/get_pip_$version.py" || cp "$here/get_pip.py" "$cache/get_pip_$version.py"
done

# Without this ansible-test would find the repository around BUILD, and in it that BUILD is ignored.
export ANSIBLE_TEST_CONTENT_ROOT=$collection

cd "$collection"
python=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
sanity() {
    ansible-test sanity --local --color no --python "$python" "$@"
}

if [ $# -gt 0 ]; then
    sanity "$@"
    exit
fi
mkdir -p "$build/log"
sanity --test pylint --exclude tests/ >"$build/log/pylint.log" 2>&1 &
pylint=$!
failed=0
sanity --skip-test pylint || failed=1
wait "$pylint" || failed=1
cat "$build/log/pylint.log"
exit $failed
