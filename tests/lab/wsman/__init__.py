# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WS-Management as a Windows host speaks it: HTTP(S), authentication, SOAP, WQL, faults.

Written from what is known of the wire format (docs/facts/wire.md#envelope), never from a client. Start with
:class:`~.server.WsmanServer`; what a host has to offer is :class:`~.backend.Backend`.
"""
