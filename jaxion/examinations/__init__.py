"""What jaxion promises, examined on the user's own machine."""

from jaxion.examinations.outcomes import Diagnosis, Examination
from jaxion.examinations.run import doctor

__all__ = ["Diagnosis", "Examination", "doctor"]
