#!/bin/sh
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Everything of a release but the commit and publishing it: the changelog, the artifact, and what Galaxy and REUSE say of them.
# Usage: release.sh BUILD COLLECTION, in the environment of make setup
set -eu

build=$1
collection=$2
release=$build/release

version=$(sed -n 's/^version: //p' galaxy.yml)
if [ -n "$(git status --porcelain)" ]; then
    echo 'release: there are changes that are not committed. Commit them, or put them aside.' >&2
    exit 1
fi
if grep -q "^  $version:" changelogs/changelog.yaml; then
    echo "release: the changelog has $version already. Set another version in galaxy.yml." >&2
    exit 1
fi

reuse lint --quiet
antsibull-changelog lint
antsibull-changelog release
make --no-print-directory stage

rm -rf "$release"
mkdir -p "$release"
ansible-galaxy collection build "$collection" --output-path "$release"
printf '[galaxy-importer]\nRUN_ANSIBLE_TEST = False\nCHECK_REQUIRED_TAGS = True\n' >"$release/importer.cfg"
(cd "$release" && GALAXY_IMPORTER_CONFIG=$release/importer.cfg python -m galaxy_importer.main ./*.tar.gz --output-path "$release" >importer.log 2>&1) || {
    tail -n 20 "$release/importer.log" >&2
    exit 1
}
if grep -E '^(WARNING|ERROR|CRITICAL)' "$release/importer.log"; then
    exit 1
fi

echo "release: $(echo "$release"/*.tar.gz) is ready. Commit the changelog, run make test, and tag the commit with $version. Then publish the artifact:"
echo "release: ansible-galaxy collection publish $(echo "$release"/*.tar.gz)"
