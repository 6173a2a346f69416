"""Temperature, as a factor on rates."""

import equinox as eqx

from jaxion._types import PerCell
from jaxion.mechanisms.base import MembraneView, parameter
from jaxion.mechanisms.modulation import AbstractModulator


class Temperature(AbstractModulator):
    r"""A rate that grows by the same factor with every ten degrees.

    $$f = Q_{10}^{(T - T_0)/10}$$

    The thermal voltage of the model, `RT_F`, does not follow.

    Args:
        T: Temperature, K; typical 290 to 315 K.
        T_0: Temperature that the rate was measured at, K; typical 275 to 300 K.
        Q10: Factor for ten degrees, dimensionless; published 3 for the gates of the squid's axon.
        of: Name of the parameter that grows, such as `"phi"` of a channel's gates; by default the whole rate.

    Source: Hodgkin & Huxley (1952) J Physiol 117:500.
    """

    T: PerCell = parameter("K", "temperature", (290.0, 315.0), allowed="positive")
    T_0: PerCell = parameter("K", "temperature of the measurement", (275.0, 300.0), allowed="positive")
    Q10: PerCell = parameter("", "factor for ten degrees", (1.0, 4.0), allowed="positive", default=3.0)
    of: str = eqx.field(static=True, default="", kw_only=True)

    def factor(self, m: MembraneView) -> PerCell:
        """What the rate is multiplied by."""
        return self.Q10 ** ((self.T - self.T_0) / 10.0)
