"""`doctor`: all examinations, one after another."""

import sys
from typing import Final

from jaxion.examinations import agreement, conservation, gradients, lowering, machines, stiff, storage
from jaxion.examinations.outcomes import Diagnosis, Examination, carry_out

SUBJECTS: Final = (machines, lowering, stiff, conservation, gradients, agreement, storage)
"""Modules whose `examinations` are carried out, in this order."""


def doctor(progress: bool | None = None) -> Diagnosis:
    """Examine on this machine what jaxion promises; takes half a minute, as everything is compiled.

    Precision; what computes set-points, transients and sensitivities; published stiff problems to their published ends;
    totals and charge of a published neuron through its pump block; gradients by reverse and forward mode against central differences; machine
    code against `jax.numpy`; a store written, read and resumed in a temporary folder. What raises an error is
    a failed examination with that message, and hides no other.

    Args:
        progress: Whether to show a progress bar on stderr. Default: if that is a terminal.

    Returns:
        Diagnosis, which prints as a table; `.ok` says whether all is well.

    Example:
        >>> import jaxion
        >>> jaxion.doctor().ok  # doctest: +SKIP
        True

    Source: Mazzia & Magherini (2008) Test Set for Initial Value Problem Solvers, release 2.4, University of Bari,
    for the stiff problems; Hübel & Dahlem (2014) PLoS Comput Biol 10:e1003941 for the neuron that is blocked.
    """
    from tqdm import tqdm

    procedures = [procedure for subject in SUBJECTS for procedure in subject.examinations()]
    outcomes: list[Examination] = []
    hidden = None if progress is None else not progress
    with tqdm(total=len(procedures), desc="doctor", unit=" examinations", file=sys.stderr, disable=hidden) as bar:
        for procedure in procedures:
            bar.set_postfix_str(procedure.name)
            outcomes.append(carry_out(procedure))
            bar.update()
    return Diagnosis(tuple(outcomes), machines.versions(), machines.devices())
