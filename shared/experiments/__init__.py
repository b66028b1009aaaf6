"""Sequential A/B tests: sums that merge, estimates, decisions that may be looked at any time.

Everywhere: arm a is the control, b the treatment, an effect is b minus a, and a unit is what was
randomised (a user), never an operation. Pure: sums come in, numbers or a reason go out.
"""
