# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A survey of many hosts: who is asked when, what a row holds, what the rows amount to, and the file that they are in.

Pure but for threads, time and that file.
"""
