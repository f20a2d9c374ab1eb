"""Error mitigation on devices: decoupling, twirling, readout correction, extrapolation to zero noise.

Nothing is applied unseen: each method is first tried on a twin of the circuit whose exact answer is known, and left out
where it makes that answer worse. Circuits run through a function that is handed in. `options` and `cost` are light to
import; `applying` is the road of values and of samples.
"""
