"""Set-points: steady states on the manifold of what the model conserves, certified and differentiable."""

from jaxion.setpoints.certificate import Certificate
from jaxion.setpoints.point import SetPoint
from jaxion.setpoints.solve import setpoint

__all__ = ["Certificate", "SetPoint", "setpoint"]
