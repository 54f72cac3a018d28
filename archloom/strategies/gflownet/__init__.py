# SPDX-License-Identifier: Apache-2.0
"""Generative flow networks over the decisions of any space.

==========================  ================================================================
``trajectories``            ways from an empty row to a finished one, and back at random
``network``                 a multilayer perceptron with heads for ``P_F``, ``P_B`` and ``log F``
``flows``                   what it says along trajectories
``losses``                  balance conditions: trajectory, detailed, sub-trajectory
``matching``                and flow matching
``ordering``                the order of two, and the front of many
``sampling``                walks with ``P_F`` and ``P_B``
``replay``                  everything measured so far
``search``                  rounds of learning and of sampling: a strategy
``order_preserving``        OP-GFN
``preferences``             thermometer codes and scalarizations; ``fronts`` measures what they lead to
``preference_conditioned``  MOGFN-PC
``active_learning``         MOGFN-AL: the same around a surrogate
``acquisition``             what it says of an architecture, and which batch is worth measuring
``outcomes``                OC-GFN: any outcome on request, any reward without training again
``exact``                   what a policy samples, by passing probability through every state
==========================  ================================================================
"""
