"""Fits: parameters of models from recordings, and what the recordings cannot say about them."""

from jaxion.fits.files import save
from jaxion.fits.noise import estimated, huber, relative, student
from jaxion.fits.populations import PopulationFit, fit_population
from jaxion.fits.posteriors import Posterior, posterior
from jaxion.fits.problem import Evaluation, FitProblem
from jaxion.fits.profiles import Profile, profile
from jaxion.fits.recordings import Recording
from jaxion.fits.result import Fit
from jaxion.fits.search import fit
from jaxion.fits.summaries import Summary
from jaxion.fits.transforms import fixed, interval, positive, tied, unbounded

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
