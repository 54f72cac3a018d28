# SPDX-License-Identifier: Apache-2.0
"""Studies out of the store and into it: one file a format.

=======================  =================================================================
``trial_columns``        the trials of a study as columns, a row each
``curve_columns``        what they reported step by step, a row each
``write_csv``            columns as a file for spreadsheets and scripts
``write_parquet``        the same, typed
``export_optuna``        an Optuna study, for its dashboard and its plots
``read_csv``             what ``write_csv`` wrote, and tables of others
``read_optuna``          a study of an Optuna storage
``add_study``            put what was read into a store, all of it or nothing
=======================  =================================================================

What is read is an ``Incoming``: values, no connection in them.
"""

from __future__ import annotations

from archloom.store.exchange.columns import Column, CurvePoint, curve_columns, trial_columns
from archloom.store.exchange.csv_in import read_csv
from archloom.store.exchange.csv_out import write_csv
from archloom.store.exchange.curves import all_curves
from archloom.store.exchange.foreign import Claims
from archloom.store.exchange.incoming import Incoming, IncomingTrial, add_study
from archloom.store.exchange.optuna_in import read_optuna
from archloom.store.exchange.optuna_out import export_optuna
from archloom.store.exchange.parquet import write_parquet

__all__ = [
    "Claims",
    "Column",
    "CurvePoint",
    "Incoming",
    "IncomingTrial",
    "add_study",
    "all_curves",
    "curve_columns",
    "export_optuna",
    "read_csv",
    "read_optuna",
    "trial_columns",
    "write_csv",
    "write_parquet",
]
