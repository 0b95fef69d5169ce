# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A crash test: a playbook meets one fault on the laboratory, is run again, and witnesses say whether anything was lost or counted twice."""
