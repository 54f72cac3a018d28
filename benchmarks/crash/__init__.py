# SPDX-License-Identifier: Apache-2.0
"""The crash matrix: what is lost, doubled or left behind when something breaks. `make crash-test`."""
