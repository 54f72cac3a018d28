# SPDX-License-Identifier: Apache-2.0
"""A plug-in for archloom to copy: one small module for each kind of part.

Nothing is imported here: archloom imports a part when a study names it, and no other.
"""
