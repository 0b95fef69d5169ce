# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a derived topology with what read-only tasks saw of DNS, the directory, KMS hosts and clients.

Pure, but for C(run), which reads the file of a survey.
"""
