"""SetPoint: the steady state of a model, by name, with its evidence."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Complex, Int

from jaxion.errors import Status
from jaxion.kernel import select
from jaxion.model import Model
from jaxion.paths import lookup, observe, paths, state_paths
from jaxion.setpoints.certificate import BRANCHES, Certificate, eigenvalues
from jaxion.setpoints.implicit import is_traced, isolate
from jaxion.setpoints.reduction import Unknowns, expand
from jaxion.snapshot import Snapshot


class SetPoint(eqx.Module):
    """Set-point of one cell (shape `()`) or of a batch (shape `(cells,)`).

    `sp["neuron.E_Cl"]` reads any path; cells without a set-point are NaN and contribute exactly
    zero to every derivative. Mask a loss by `sp.ok`.

    Attributes:
        model: The model whose set-point it is.
        y: Unknowns of the reduced problem, a differentiable function of the model.
        status: `Status` code of each cell.
        certificate: Residual, totals, conditioning, eigenvalues and branch.
    """

    model: Model
    y: Unknowns
    status: Int[Array, "*cells"]
    certificate: Certificate

    @property
    def ok(self) -> Bool[Array, "*cells"]:
        """Cells with a certified, stable set-point."""
        return self.status == Status.ok

    @property
    def found(self) -> Bool[Array, "*cells"]:
        """Cells with a steady state, be it stable or not."""
        return self.ok | (self.status == Status.unstable)

    @property
    def snapshot(self) -> Snapshot:
        """Amounts, volumes and potentials; every number is one where none was found."""
        return snapshot_of(self.model, self.y, self.found)

    def read(self, names: Sequence[str]) -> dict[str, Array]:
        """Values of several paths, each of shape `(*cells,)`; what they share is computed once."""
        read = _read_traced if is_traced(self) else read_paths
        return read(self.model, self.y, self.found, names)

    def __getitem__(self, path: str) -> Array:
        return self.read([path])[path]

    @property
    def eigenvalues(self) -> Complex[Array, "modes *cells"]:
        """Eigenvalues of the dynamics on the manifold of the totals, 1/s, slowest decay (or fastest growth) first."""
        frozen = jax.lax.stop_gradient((isolate(self.model, self.found), select(self.found, self.y, 0.0)))
        return select(self.found, _eigenvalues(*frozen), jnp.nan)

    def state_paths(self) -> tuple[str, ...]:
        """Paths that say the whole state: concentrations, volume and potential of each compartment."""
        return state_paths(self.model)

    def __str__(self) -> str:
        """The report with its certificate."""
        return self.report()

    def report(self, certificate: bool = True) -> str:
        """A table for one cell, with its certificate if asked for; counts and ranges for a batch."""
        return _single(self, certificate) if self.status.ndim == 0 else _batch(self)


def snapshot_of(model: Model, y: Unknowns, found: Bool[Array, "*cells"]) -> Snapshot:
    """State of the unknowns `y`; every number is one in the cells that were not `found`."""
    return expand(isolate(model, found), select(found, y, 0.0), found)


def read_paths(model: Model, y: Unknowns, found: Bool[Array, "*cells"], names: Sequence[str]) -> dict[str, Array]:
    """Values of paths at the unknowns `y`; NaN, and zero in every derivative, in the cells that were not `found`."""
    # The rates are evaluated where they are finite and masked last, so that a failed cell's
    # derivative is zero and not zero times NaN.
    values = observe(isolate(model, found), snapshot_of(model, y, found), names)
    return {name: jnp.where(found, value, jnp.nan) for name, value in values.items()}


# Compiled where a transformation is at work, as in `setpoint`; elsewhere one path has the same bits alone and among others.
_read_traced = eqx.filter_jit(read_paths)
_eigenvalues = eqx.filter_jit(eigenvalues)


def branch_name(certificate: Certificate) -> Any:
    """Branch of each cell as text."""
    return np.asarray(BRANCHES)[np.asarray(certificate.branch)]


def _single(sp: SetPoint, full: bool) -> str:
    status = Status(int(sp.status))
    lines = [f"Set-point of {sp.model.name}: {status.name}. {status.advice}"]
    if not bool(sp.found):
        return lines[0]
    reversals = {f"{p.name.split('.')[0]}.{p.name.split('.E_')[1]}": p.name for p in paths(sp.model) if ".E_" in p.name}
    shown = sp.state_paths()
    values = sp.read([*shown, *reversals.values()])
    for name in shown:
        line = f"  {name:<20} {float(values[name]):>12.5f} {lookup(sp.model, name).unit}"
        if name in reversals:
            line += f"   {reversals[name].split('.')[1]} {float(values[reversals[name]]):.3f} mV"
        lines.append(line)
    return "\n".join(lines + _evidence(sp) if full else lines)


def _evidence(sp: SetPoint) -> list[str]:
    certificate, slowest = sp.certificate, complex(sp.eigenvalues[0])
    errors = max((abs(float(error)) for error in certificate.totals.values()), default=0.0)
    oscillating = f" ± {abs(slowest.imag):.4g}i" if slowest.imag else ""
    return [
        f"Certificate: scaled residual {float(certificate.residual):.1e}, totals and charge to {errors:.1e}, "
        f"condition {float(certificate.condition):.1e},",
        f"  slowest eigenvalue {slowest.real:.4g}{oscillating} per second "
        f"({'stable' if bool(certificate.stable) else 'unstable'}), branch {branch_name(certificate)}.",
    ]


def _batch(sp: SetPoint) -> str:
    codes, counts = np.unique(np.asarray(sp.status), return_counts=True)
    summary = ", ".join(f"{count} {Status(int(code)).name}" for code, count in zip(codes, counts, strict=True))
    lines = [f"Set-points of {sp.status.size} cells of {sp.model.name}: {summary}."]
    ok = np.asarray(sp.ok)
    for name, value in sp.read(sp.state_paths()).items():
        good = np.asarray(value)[ok]
        if good.size:
            low, middle, high = np.percentile(good, [5, 50, 95])
            lines.append(f"  {name:<20} median {middle:>11.5f} {lookup(sp.model, name).unit:<4} (90 % within {low:.5g} to {high:.5g})")
    return "\n".join(lines)
