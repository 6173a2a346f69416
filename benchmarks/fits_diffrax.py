"""The same fit, by the same optimiser, with the course and its Jacobian forward through diffrax's Kvaerno3, vmapped over the starts."""

from collections.abc import Callable
from typing import Any

import diffrax
import fits_problem as task
import jax.numpy as jnp
import numpy as np
from canonical import SCALE, WORKLOADS, f
from fits_jaxion import fitted


def prepare(starts: np.ndarray, recorded: np.ndarray, rest: np.ndarray, seed: int, rtol: float) -> Callable[[], tuple[np.ndarray, ...]]:
    """Function that fits from all starts `(25, starts)`; returns losses and values `(25, starts)`."""
    # With steps longer than 2 s derivatives are not finite.
    control = diffrax.PIDController(rtol=rtol, atol=jnp.asarray(rtol * SCALE), pcoeff=0.3, icoeff=0.4, dtmax=2.0)
    drive = np.array(WORKLOADS[task.WORKLOAD].drive)

    def course(theta: Any) -> Any:
        found = diffrax.diffeqsolve(
            diffrax.ODETerm(lambda t, y, theta: f(jnp.asarray(t), y, theta)),
            diffrax.Kvaerno3(),
            0.0,
            task.TIMES[-1],
            None,
            jnp.asarray(rest),
            jnp.concatenate([theta, drive]),
            saveat=diffrax.SaveAt(ts=jnp.asarray(task.TIMES)),
            stepsize_controller=control,
            # 25 derivatives of some hundred residuals: forward is the cheaper way.
            adjoint=diffrax.ForwardMode(),
            max_steps=task.MOST_STEPS,
            throw=False,
        )
        assert found.ys is not None
        return jnp.where(found.result == diffrax.RESULTS.successful, found.ys, jnp.nan)

    return fitted(course, starts, recorded, seed)
