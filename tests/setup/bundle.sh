#!/usr/bin/env bash
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Puts the collection, the wheels of what it needs and how to install them into one file, for a control node without a network.
#
#   bundle.sh BUILD VENV COLLECTION
#
# BUILD  folder for everything that is made, where the file comes to lie      COLLECTION  the staged collection
# VENV   the virtual environment, for whose Python the bundle is

set -euo pipefail

build=$1
venv=$2
collection=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
log=$build/log/bundle.log
version=$(sed -nE 's/^version: *//p' "$collection/galaxy.yml")
name=winops-volume_activation-bundle-$version
work=$build/bundle
bundle=$work/$name
wheels=$build/wheels/bundle

quietly() {
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        printf 'bundle: failed: %s (all of it: %s)\n' "$1" "$log" >&2
        return 1
    fi
}

rm -rf "$work"
mkdir -p "$bundle/collection" "$bundle/wheels" "$build/log" "$wheels"
: >"$log"

# Wheels of the packages that only come as C source, kept so that the next bundle need not compile again. Those of the tests are for this
# machine alone: in them is where its Python lies.
compiled_wheels() {
    local pins=() pids=() pin pid prefix
    mapfile -t pins < <(sed -nE 's/^((gssapi|krb5|python-ldap|pykerberos)==[^ ;]+).*/\1/p' "$here/constraints.txt" "$here/control-node.txt")
    if "$venv/bin/pip" install --quiet --dry-run --no-deps --no-index --find-links "$wheels" --only-binary :all: --ignore-installed \
        "${pins[@]}" >>"$log" 2>&1; then
        return 0
    fi
    printf 'bundle: compiling %s (half a minute to two minutes, once)\n' "${pins[*]}"
    prefix=$("$venv/bin/python" -c 'import sys; print(sys.base_prefix)')
    for pin in "${pins[@]}"; do
        # What Python was linked with would become the place where each module looks for libraries.
        LDSHARED='gcc -shared' CFLAGS="-O1 -g0 -DNDEBUG -ffile-prefix-map=$prefix=python -ffile-prefix-map=${TMPDIR:-/tmp}=." \
            quietly "$venv/bin/pip" wheel --no-deps --no-cache-dir --no-binary "${pin%%==*}" --wheel-dir "$wheels" "$pin" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
}

compiled_wheels
# The pins of the tests are those of the bundle. A constraint has no extras.
sed -E 's/\[[a-z]+\]//' "$here/control-node.txt" "$here/constraints.txt" >"$work/constraints.txt"
printf 'ansible-core\n' | cat - "$collection/meta/ee-requirements.txt" >"$work/needs.txt"
quietly "$venv/bin/pip" download --only-binary :all: --find-links "$wheels" --dest "$bundle/wheels" \
    --requirement "$work/needs.txt" --constraint "$work/constraints.txt"

# What is installed is these files and no others.
for wheel in "$bundle"/wheels/*.whl; do
    IFS=- read -r package release _ <<<"$(basename "$wheel")"
    printf '%s==%s --hash=sha256:%s\n' "$package" "$release" "$(sha256sum <"$wheel" | cut -d ' ' -f 1)"
done >"$bundle/requirements.txt"

quietly "$venv/bin/ansible-galaxy" collection build "$collection" --output-path "$bundle/collection"
"$venv/bin/python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' >"$bundle/PYTHON_VERSION"
cp "$here/bundle/install.sh" "$bundle/install.sh"
machine=$(uname -m)
platform="Linux on $machine with $(getconf GNU_LIBC_VERSION)"
sed "s/@VERSION@/$version/g; s/@PYTHON@/$(cat "$bundle/PYTHON_VERSION")/g; s/@PLATFORM@/$platform/g; s/@MACHINE@/$machine/g" \
    "$here/bundle/README.md" >"$bundle/README.md"
(cd "$bundle" && find . -type f -print0 | sort -z | xargs -0 sha256sum) >"$work/sums"
mv "$work/sums" "$bundle/SHA256SUMS"

# Who made it and when is nobody's business.
tar --directory "$work" --sort=name --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX --mtime=@0 \
    --create "$name" | gzip --no-name >"$build/$name.tar.gz"
rm -rf "$work"
printf 'bundle: %s (%s)\n' "${build##*/}/$name.tar.gz" "$(du -h "$build/$name.tar.gz" | cut -f 1)"
