"""Fits: parameters of models from recordings, and what the recordings cannot say about them."""

from jaxion.fits.data.noise import estimated, huber, relative, student
from jaxion.fits.data.recordings import Recording
from jaxion.fits.data.summaries import Summary
from jaxion.fits.files.folder import save
from jaxion.fits.parameters.transforms import fixed, interval, positive, tied, unbounded
from jaxion.fits.populations.population_fit import PopulationFit, fit_population
from jaxion.fits.problem import Evaluation, FitProblem
from jaxion.fits.search import fit
from jaxion.fits.uncertainty.posteriors import Posterior, posterior
from jaxion.fits.uncertainty.profiles import Profile, profile
from jaxion.fits.uncertainty.result import Fit

__all__ = [
    "Evaluation",
    "Fit",
    "FitProblem",
    "PopulationFit",
    "Posterior",
    "Profile",
    "Recording",
    "Summary",
    "estimated",
    "fit",
    "fit_population",
    "fixed",
    "huber",
    "interval",
    "positive",
    "posterior",
    "profile",
    "relative",
    "save",
    "student",
    "tied",
    "unbounded",
]
