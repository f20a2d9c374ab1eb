"""Error mitigation on devices: decoupling, twirling, readout correction, extrapolation to zero noise.

Nothing is applied unseen: each method is first tried on a twin of the circuit whose exact answer is known, and left out
where it makes that answer worse. Circuits run through a function that is handed in.
"""

from backends.mitigation.applying import Estimated, Sampling, estimate, sampling
from backends.mitigation.cost import Cost, cost_of
from backends.mitigation.options import MitigationOptions

__all__ = ["Cost", "Estimated", "MitigationOptions", "Sampling", "cost_of", "estimate", "sampling"]
