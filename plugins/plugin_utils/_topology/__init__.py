# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites, domains and KMS hosts as declared, and what follows from them: publish lists, RRsets, rights, flows and orders.

Pure: nothing here imports Ansible or talks to a network.
"""
