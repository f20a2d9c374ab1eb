"""Whether engines deserve to be believed: shadow runs of what they answered on others, and what follows from a
disagreement (docs/decisions/0017).
"""
