# SPDX-License-Identifier: Apache-2.0
"""Search in the tree of a space's decisions, and search by a model of what was measured.

===========  ==================================================================
``descent``  one row, filled decision by decision or half by half
``unseen``   which rows, and which beginnings of rows, still hold something new
``rewards``  finished trials as rewards, whatever the scale of their metric
``tree``     visits and mean rewards of beginnings of rows, and the UCT rule
``mcts``     Monte Carlo tree search: a strategy
``smbo``     sequential model-based search: a strategy
===========  ==================================================================
"""
