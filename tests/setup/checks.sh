#!/usr/bin/env bash
# Copyright: (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Runs make targets one after another and sums up: the result of each, seconds, and what pytest counted.
# All are run even if one fails; the exit code tells whether all went well. What a check that passes has to say stays in its log.
#
#   checks.sh BUILD TARGET ...

set -uo pipefail

build=$1
shift
mkdir -p "$build/log"
failed=0
summary=()

for target in "$@"; do
    log=$build/log/$target.log
    started=$SECONDS
    case $target in
        unit | integration)
            printf '\n--- %s\n' "$target"
            "${MAKE:-make}" --no-print-directory "$target" 2>&1 | tee "$log"
            ;;
        *)
            printf '\n--- %s ...\n' "$target"
            "${MAKE:-make}" --no-print-directory --keep-going --jobs=2 --output-sync=target "$target" >"$log" 2>&1
            ;;
    esac
    # Of the pipe or of the command alone: PIPESTATUS must be read first of all.
    status=${PIPESTATUS[0]}
    counted=$(sed -nE 's/^=* ?([0-9]+ (passed|failed|error).*[0-9]) ?s( \(.*\))? ?=*$/\1 s/p' "$log" | tail -n 1)
    result=ok
    if [ "$status" -ne 0 ]; then
        result=FAILED
        failed=1
        case $target in
            unit | integration) ;;
            *) cat "$log" ;;
        esac
    fi
    summary+=("$(printf '%-12s %-7s %4d s   %s' "$target" "$result" $((SECONDS - started)) "$counted")")
done

printf '\n'
printf '%s\n' "${summary[@]}"
exit $failed
