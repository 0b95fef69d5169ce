# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Codes: as numbers of their kind, and what those of Windows mean.

Pure, and below whatever meets a code: the protocol that brings one as well as the licensing that it tells of.
"""
