# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report for people and for monitoring: what was read of a fleet, as one HTML page, CSV, JSON and Prometheus text.

Pure but for the files that it is made from. What hosts say of themselves is escaped where it is written.
"""
