#!/usr/bin/env bash
# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Makes what everything else runs in: Debian packages and a virtual environment with pinned Python packages.
# Where all is there it costs a few milliseconds.
#
#   environment.sh BUILD VENV PYTHON [REQUIREMENTS]
#
# BUILD  folder for everything that is made        VENV          the virtual environment
# PYTHON the interpreter it is made from           REQUIREMENTS  what it holds, as a file beside this one: requirements.txt
#
# quick.txt needs no Debian package and compiles nothing.

set -euo pipefail

build=$1
venv=$2
python=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=$here/${4:-requirements.txt}
constraints=$here/constraints.txt
log=$build/log/setup.log
wheels=$build/wheels

say() {
    printf 'setup: %s\n' "$*"
}

# A command whose output matters only when it fails.
quietly() {
    printf '\n$ %s\n' "$*" >>"$log"
    if ! "$@" >>"$log" 2>&1; then
        tail -n 30 "$log" >&2
        printf 'setup: failed: %s (all of it: %s)\n' "$*" "$log" >&2
        return 1
    fi
}

needs_compiler() {
    [ "$(basename "$requirements")" != quick.txt ]
}

# Packages of apt-packages.txt that are not installed, one a line.
missing_packages() {
    local package proof
    if command -v dpkg-query >/dev/null; then
        # shellcheck disable=SC2016 # these are variables of dpkg-query
        comm -23 \
            <(sed -E '/^#/d; s/[[:space:]].*//' "$here/apt-packages.txt" | sort) \
            <(sed -E '/^#/d; s/[[:space:]].*//' "$here/apt-packages.txt" |
                xargs dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' 2>/dev/null |
                sed -n 's/ installed$//p' | sort -u)
        return
    fi
    while read -r package proof; do
        # The proof may hold a * for the machine's architecture.
        case $proof in
            /*) compgen -G "$proof" >/dev/null || echo "$package" ;;
            *) PATH=$PATH:/usr/sbin:/sbin command -v "$proof" >/dev/null || echo "$package" ;;
        esac
    done < <(sed '/^#/d' "$here/apt-packages.txt")
}

# Installs Debian packages in such a way that no service starts: the laboratory starts its own.
install_packages() {
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        # The trap runs after this function's variables are gone.
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    say "installing Debian packages: $*"
    quietly apt-get -o Acquire::Retries=5 update
    quietly apt-get -o Acquire::Retries=5 install --yes --no-install-recommends "$@"
}

debian_packages() {
    local missing=() reason=''
    mapfile -t missing < <(missing_packages)
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get >/dev/null || reason='there is no apt-get on this machine'
    [ "$(id -u)" = 0 ] || reason='only root can install them'
    if [ -n "$reason" ]; then
        printf 'setup: %d Debian packages are missing and %s. As root:\n\n  apt-get install --no-install-recommends %s\n\n' \
            "${#missing[@]}" "$reason" "${missing[*]}" >&2
        command -v apt-get >/dev/null || printf 'or what your system calls them, and run make again.\n' >&2
        return 1
    fi
    install_packages "${missing[@]}"
}

# Wheels of the packages that only come as C source, kept so that the next environment need not compile again.
compiled_wheels() {
    local pins=() pids=() pin pid
    mapfile -t pins < <(sed -nE 's/^((gssapi|krb5|python-ldap)==[^ ;]+).*/\1/p' "$constraints" "$here/control-node.txt")
    if "$venv/bin/pip" install --quiet --dry-run --no-deps --no-index --find-links "$wheels" --only-binary :all: "${pins[@]}" \
        >>"$log" 2>&1; then
        return 0
    fi
    say "compiling ${pins[*]} (half a minute to two minutes, once)"
    for pin in "${pins[@]}"; do
        # Thin layers over C libraries: the optimiser would take most of the time and gain nothing.
        CFLAGS='-O0 -g0' quietly "$venv/bin/pip" wheel --no-deps --find-links "$wheels" --wheel-dir "$wheels" "$pin" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do
        wait "$pid"
    done
}

virtual_environment() {
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        printf 'setup: Python 3.11 or newer is needed; %s is %s. Choose another: make PYTHON=python3.13 ...\n' \
            "$python" "$("$python" --version 2>&1)" >&2
        return 1
    fi
    say "virtual environment ${venv#"$PWD"/} ($("$python" --version))"
    rm -rf "$venv"
    empty_environment
    quietly "$venv/bin/pip" install --constraint "$constraints" pip
    if needs_compiler; then
        compiled_wheels
        say 'installing Python packages'
        quietly "$venv/bin/pip" install --find-links "$wheels" --requirement "$requirements" --constraint "$constraints"
    else
        # A constraint has no extras.
        sed -E '/^-r/d; s/\[[a-z]+\]//' "$here"/{requirements,control-node,constraints}.txt >"$build/quick-constraints.txt"
        quietly "$venv/bin/pip" install --only-binary :all: --requirement "$requirements" --constraint "$build/quick-constraints.txt"
    fi
}

# Debian keeps the wheel of pip that venv needs in a package of its own. virtualenv brings one along.
empty_environment() {
    local way version
    for way in venv virtualenv; do
        if "$python" -m "$way" "$venv" >>"$log" 2>&1; then
            return 0
        fi
        rm -rf "$venv"
    done
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    printf 'setup: %s can make no virtual environment. As root: apt-get install python%s-venv. Without root: %s -m pip install --user virtualenv\n' \
        "$python" "$version" "$python" >&2
    return 1
}

if ! interpreter=$(command -v "$python"); then
    printf 'setup: there is no %s here. Choose an interpreter: make PYTHON=python3.11 ...\n' "$python" >&2
    exit 1
fi

# With the environment activated, its own Python is the first one on the path; it can't be what the environment is made from.
if [[ $interpreter == "$venv"/* ]]; then
    interpreter=$(sed 's/ .*//' "$venv/.made-from")
    python=$interpreter
fi

mkdir -p "$build/log" "$wheels"
exec 9>"$build/setup.lock"
flock 9
if needs_compiler; then
    debian_packages
fi
wanted="$interpreter $(cat "$requirements" "$here/control-node.txt" "$constraints" "${BASH_SOURCE[0]}" | sha256sum)"
if [ ! -x "$venv/bin/python" ] || [ "$(cat "$venv/.made-from" 2>/dev/null)" != "$wanted" ]; then
    started=$SECONDS
    virtual_environment
    printf '%s\n' "$wanted" >"$venv/.made-from"
    say "ready after $((SECONDS - started)) s"
fi
