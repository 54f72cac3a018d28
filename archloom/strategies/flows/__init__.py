# SPDX-License-Identifier: Apache-2.0
"""Search flows: how a search that has several groups of decisions goes about them.

A flow is a strategy made of strategies. Each of these sees a part of the space, knows nothing of the others,
and may be any strategy, a flow too.

==============  ==============================================================================
``separate``    the groups take turns, the rest held at the best that is known
``joint``       all at once: the strategy itself, for comparison
``factorized``  for each proposal of an outer group a search of the inner one
``hybrid``      factorized first, to shorten the outer group, then joint
``groups``      from names to parts of the space
``given``       from what a study file says to a strategy
``diary``       what was proposed, and what became of it
``nested``      a strategy at work on a part of the space
``flow``        what flows have in common
``blocks``      the outer strategy of nested searches
``worth``       which result is the better one
==============  ==============================================================================
"""
