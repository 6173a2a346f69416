"""Which mechanism sets the membrane potential of a neuron, and which its chloride?"""

import argparse
import json
from pathlib import Path

import numpy as np

import jaxion
from jaxion.sensitivities import variance_shares

HERE = Path(__file__).parent
OF = ("neuron.V", "neuron.E_Cl", "neuron.DF_Cl")
VARY = {
    "neuron.kcc2.g": jaxion.LogNormal(cv=0.5),
    "neuron.leak_Na.g": jaxion.LogNormal(cv=0.2),
    "neuron.leak_K.g": jaxion.LogNormal(cv=0.2),
    "neuron.leak_Cl.g": jaxion.LogNormal(cv=0.2),
    "neuron.nka.v_max": jaxion.LogNormal(cv=0.2),
    "neuron.z": jaxion.Normal(sd=0.1),
}


def run(size: int, figure: Path | None = None) -> dict:
    """Medians of the responses, of their sensitivities, and each parameter's share in the spread."""
    cells = jaxion.Population.sample(jaxion.models.duesterwald2018(), VARY, size=size, seed=1)
    sweep = jaxion.sweep(cells, of=OF, wrt=tuple(VARY))
    if figure:
        jaxion.plot(sweep, figure)
    sensitivity = np.moveaxis(sweep.ds["sensitivity"].values, 0, -1)
    theta = np.stack([sweep.ds[path].values for path in VARY])
    shares = variance_shares(sensitivity, theta, sweep.ok)
    middle = np.median(sensitivity[:, :, sweep.ok], axis=-1)
    return {
        "ok": int(sweep.ok.sum()),
        "median": {path: float(np.median(sweep.ds[path].values[sweep.ok])) for path in OF},
        "sensitivity": {of: dict(zip(VARY, row.tolist(), strict=True)) for of, row in zip(OF, middle, strict=True)},
        "share": {of: dict(zip(VARY, row.tolist(), strict=True)) for of, row in zip(OF, shares, strict=True)},
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cells", type=int, default=100_000)
    arguments = parser.parse_args()
    jaxion.enable_x64()
    found = run(arguments.cells, HERE / "figure.png")
    (HERE / "expected.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))
