# SPDX-License-Identifier: Apache-2.0
"""Controllers: a distribution over the rows of a space that learns from what its rows were worth.

==============  ===================================================================
``policy``      what a distribution over rows can do
``choices``     legal choices column by column, how one is drawn, and the start
``tabular``     one number a candidate: the simplest
``lstm``        a recurrent network that sees the choices before
``ascent``      Adam, without torch
``advantages``  trials to numbers of one scale, and how far each is above the average
``search``      a policy, learning batch by batch: a strategy
``reinforce``   REINFORCE
``ppo``         proximal policy optimisation
==============  ===================================================================
"""
