"""`jaxion demo`: a real sweep of a published neuron, from nothing to a figure in under a minute."""

import shutil
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
from tyro.conf import arg

import jaxion
from jaxion.cli.output import finish
from jaxion.errors import Status
from jaxion.examinations.lowering import described, taken, works
from jaxion.examinations.machines import vectors
from jaxion.kernel import cores
from jaxion.sensitivities import variance_shares
from jaxion.sweeps import run_file

CONFIG: Final = """\
# 100,000 neurons of Düsterwald et al. (2018) that differ in KCC2, leaks, pump and impermeant charge.
# Which of them sets the membrane potential, and which chloride? `jaxion sweep demo.toml --out demo.zarr` runs it.
[model]
name = "duesterwald2018"

[cells]
design = "sample"
size = {cells}
seed = 1

[cells.vary]
"neuron.kcc2.g" = {{ lognormal = 0.5 }}
"neuron.leak_Na.g" = {{ lognormal = 0.2 }}
"neuron.leak_K.g" = {{ lognormal = 0.2 }}
"neuron.leak_Cl.g" = {{ lognormal = 0.2 }}
"neuron.nka.v_max" = {{ lognormal = 0.2 }}
"neuron.z" = {{ normal = 0.1 }}

[run]
start = "setpoint"

[sensitivity]
of = ["neuron.V", "neuron.E_Cl", "neuron.DF_Cl"]
wrt = ["neuron.kcc2.g", "neuron.leak_Na.g", "neuron.leak_K.g", "neuron.leak_Cl.g", "neuron.nka.v_max", "neuron.z"]
"""

NEXT: Final = """\
Next
  {jaxion} setpoint duesterwald2018 --set "bath.K=8 mM" --certificate
  {jaxion} sensitivity duesterwald2018 --of neuron.E_Cl --wrt neuron.kcc2.g,neuron.z,bath.K
  {jaxion} list paths duesterwald2018            everything that can vary
  change {folder}/demo.toml, then: {jaxion} sweep {folder}/demo.toml --out mine.zarr
  in Python: xarray.open_zarr("{folder}/demo.zarr")"""


def demo(
    out: Annotated[
        Path, arg(metavar="DIR", help="folder for the sweep file, the store and the figure; a number is added if it exists")
    ] = Path("jaxion-demo"),
    cells: Annotated[int, arg(help="number of neurons")] = 100_000,
) -> int:
    """A sweep of 100,000 published neurons: table, figure, store, and what to try next."""
    began = time.perf_counter()
    folder = _free(out)
    folder.mkdir(parents=True)
    config = folder / "demo.toml"
    config.write_text(CONFIG.format(cells=cells), encoding="utf-8")
    print(f"{cells:,} neurons of Düsterwald et al. (2018), six properties varied: set-point, certificate and sensitivities of each")
    done = run_file(config, folder / "demo.zarr")
    solved = time.perf_counter()
    figure = folder / "demo.png"
    jaxion.plot(done, figure)
    print(_table(done.ds))
    print(f"\n{_lowerings(done.ds)}")
    print(f"{solved - began:.1f} s for the sweep with its compilation, {time.perf_counter() - solved:.1f} s for the figure")
    print(f"Written: {figure} (the figure), {folder / 'demo.zarr'} (every cell), {config} (the sweep file)\n")
    # Without an activated environment the command is not on the path: print it as it was called.
    print(NEXT.format(folder=folder, jaxion="jaxion" if shutil.which("jaxion") else sys.argv[0]))
    return finish(done)


def _lowerings(ds: Any) -> str:
    """What computed the sweep, and why: machine code that it compiled, or `jax.numpy`."""
    tried = works(jaxion.models.duesterwald2018(), tuple(ds["of"].values.tolist()), tuple(ds["wrt"].values.tolist()))
    found = described({name: taken(tried[name]) for name in ("set-points", "sensitivities")})
    return f"{found[0].upper()}{found[1:]}; {vectors()}, {cores()} cores"


def _free(out: Path) -> Path:
    """The folder itself, or the first free one with a number: no result is ever written over."""
    candidate, number = out, 2
    while candidate.exists():
        candidate, number = out.with_name(f"{out.name}-{number}"), number + 1
    return candidate


def _table(ds: Any) -> str:
    ok = ds["status"].values == Status.ok
    wrt = [str(name) for name in ds["wrt"].values]
    theta = np.stack([ds[name].values for name in wrt])
    shares = variance_shares(np.moveaxis(ds["sensitivity"].values, 0, -1), theta, ok)
    lines = [f"\n{'':<14} {'median':>9}   {'90 % of the cells':<20} what makes the cells differ"]
    for path, row in zip(ds["of"].values, shares, strict=True):
        low, middle, high = np.percentile(ds[str(path)].values[ok], [5, 50, 95])
        causes = ", ".join(f"{wrt[j].partition('.')[2]} {100 * row[j]:.0f} %" for j in np.argsort(-row)[:3])
        lines.append(f"{path!s:<14} {middle:>6.1f} mV   {f'{low:.1f} to {high:.1f} mV':<20} {causes}")
    return "\n".join(lines)
