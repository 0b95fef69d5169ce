# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""BatchActivation, Microsoft's web service for confirmation IDs and remaining counts, over TLS (docs/facts/mak.md#service).

In a test's own process, for as long as a ``with`` block lasts::

    from lab.microsoft.server import microsoft_in_thread

    with microsoft_in_thread(folder) as service:      # folder: a temporary one, for certificates and log
        service.url, service.ca_path                  # for the options microsoft_url and ca_path
        product = service.sample("mak_win_enterprise", "pc-001")
        product.extended_pid, product.installation_id # that this service takes; an invented installation ID gets 0x90
        product.confirmation_id                       # what the machine would take
        service.microsoft.set_state(key, "blocked")   # the simulated Microsoft, by the key itself; set_remaining alike
        service.faults.add({"fault": "close_after"})  # see lab.microsoft.faults.Rule
        service.microsoft.snapshot(), service.journal.entries

``microsoft_in_thread(folder, microsoft=domain.microsoft)`` shares the counts with simulated machines of unit tests.
``lab.microsoft.proxy.proxy_in_thread`` is the way out through a company's proxy.

In a network of its own, behind an air gap: :func:`lab.microsoft.elsewhere.microsoft_elsewhere`.

Of a running lab it is part: ``LAB_MICROSOFT_URL`` and so on in its ``env``. On another machine or in another network namespace it
runs by itself: ``python -m lab.microsoft --help``.
"""
