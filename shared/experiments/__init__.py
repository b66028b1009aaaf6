"""A/B tests: what is asked, how they live, who gets which variant, and what the sums say.

Everywhere: arm a is the control, b the treatment, an effect is b minus a, and a unit is what was
randomised (a user), never an operation. Pure: sums come in, numbers or a reason go out; a decision
may be looked at at any time.
"""
