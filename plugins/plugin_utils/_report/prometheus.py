# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for monitoring, in the text format of Prometheus. Pure.

The format is that of Prometheus' documentation, "Exposition formats", and names follow "Metric and label naming". No metric has a label
for each client, so that the number of series stays small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from .model import FleetReport

PREFIX = "winops_volume_activation_"

_Sample = tuple[Mapping[str, str], float]
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


def as_metrics(report: FleetReport) -> bytes:
    """All metrics, each a gauge."""
    counts = (report.audit.get("counts") or {}).items()
    made: list[tuple[str, str, Iterable[_Sample]]] = [
        ("report_timestamp_seconds", "When the report was made, in seconds since 1970.", [({}, _seconds(report.time))]),
        ("computers", "Computers of the report by what came of asking them.", _by("outcome", report.outcomes)),
        (
            "licences",
            "Computers that were read, by product, channel of the key and licensing state of Windows.",
            [
                ({"product": product, "channel": channel, "state": state}, count)
                for (product, channel, state), count in sorted(report.licences.items())
            ],
        ),
        (
            "licences_expiring",
            "Computers whose licence ends in fewer days than the label says.",
            [({"days": str(report.expiring_days)}, len(report.expiring))],
        ),
        (
            "kms_host_clients",
            "Clients that a KMS host has counted.",
            [({"kms_host": one.host}, one.count) for one in report.kms_hosts if one.count is not None],
        ),
        (
            "mak_remaining_activations",
            "Activations that Microsoft has left of a key of the key ring.",
            [({"mak": mak.name, "key": mak.key}, mak.remaining) for mak in report.maks if mak.remaining is not None],
        ),
        ("deviations", "Deviations from the declared sites by severity.", _by("severity", dict(counts))),
    ]
    lines = [line for name, text, samples in made for line in _metric(f"{PREFIX}{name}", text, list(samples))]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _metric(name: str, text: str, samples: list[_Sample]) -> Iterable[str]:
    if not samples:
        return
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} gauge"
    for labels, value in samples:
        given = ",".join(f'{label}="{said.translate(_ESCAPES)}"' for label, said in labels.items())
        yield f"{name}{f'{{{given}}}' if given else ''} {value:.15g}"


def _by(label: str, counts: Mapping[str, int]) -> list[_Sample]:
    return [({label: name}, count) for name, count in sorted(counts.items())]


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
