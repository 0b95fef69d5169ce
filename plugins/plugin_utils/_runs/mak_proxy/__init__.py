# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of MAK proxy activation: which computers are read, get keys and confirmation IDs, what goes into the list, and what is said.

Pure, but for C(places), which looks whether files and folders are there.
"""
