"""What do measured currents of the Na⁺/Ca²⁺ exchanger ask of the formula that cell models use?"""

import sys
from pathlib import Path

import jax.numpy as jnp

import jaxion

HERE = Path(__file__).parent
RT_F = 8.314462618 * 308.15 / 96.48533212  # mV, 35 °C
NA_O, CA_I, CA_O = 150.0, 1e-3, 2.0  # mM


def luo_rudy(V, Na_i, P):
    """The exchanger of Luo and Rudy with its published constants."""
    return P * exchange(V, Na_i, 0.35, 0.1) / ((87.5**3 + NA_O**3) * (1.38 + CA_O))


def saturating(V, Na_i, I_max, K_Na, eta, k):
    """The same gradients, with a share of carriers that inner Na⁺ has loaded."""
    return I_max * exchange(V, Na_i, eta, k) / (NA_O**3 * CA_O * (1.0 + (Na_i / K_Na) ** 3))


def shifted(V, Na_i, I_max, K_Na, eta, k, Ca_i):
    """The same, at an inner Ca²⁺ other than that of the pipette."""
    return I_max * exchange(V, Na_i, eta, k, Ca_i) / (NA_O**3 * CA_O * (1.0 + (Na_i / K_Na) ** 3))


def exchange(V, Na_i, eta, k, Ca_i=CA_I):
    """What goes out with Na⁺ minus what comes in with it; it vanishes where thermodynamics says."""
    u = V / RT_F
    forward = Na_i**3 * CA_O * jnp.exp(eta * u) - NA_O**3 * Ca_i * jnp.exp((eta - 1.0) * u)
    return forward / (1.0 + k * jnp.exp((eta - 1.0) * u))


def run(figures: Path | None = None) -> dict:
    """Parameters with standard errors and sums of squares of each form."""
    found = {}
    more = {"K_Na": jaxion.positive(20.0), "eta": jaxion.interval(0.0, 1.0, start=0.35), "k": jaxion.positive(0.1)}
    for name, model, free in (
        ("luo_rudy", luo_rudy, {"P": jaxion.positive(100.0)}),
        ("saturating", saturating, {"I_max": jaxion.positive(3000.0), **more}),
        ("saturating, inner calcium free", shifted, {"I_max": jaxion.positive(3000.0), **more, "Ca_i": jaxion.positive(CA_I)}),
    ):
        fit = jaxion.fit(jaxion.FitProblem(model, None, HERE / "matsuoka_1992.csv", free), starts=16)
        if figures and model is not luo_rudy:
            draw(fit, figures / f"{model.__name__}.png")
        found[name] = {"values": fit.values, "sd": fit.sd, "sse": fit.sse["I"], "rank": fit.rank}
    return found


def draw(fit: jaxion.Fit, file: Path) -> None:
    """Currents over the potential, a colour for each concentration of inner Na⁺."""
    import matplotlib.pyplot as plt

    data = jaxion.Recording.read(HERE / "matsuoka_1992.csv").columns
    figure, axis = plt.subplots(figsize=(5, 4), layout="constrained")
    for i, Na_i in enumerate(sorted(set(data["Na_i"]))):
        of = data["Na_i"] == Na_i
        axis.plot(data["V"][of], data["I"][of], "o", color=f"C{i}", label=f"{Na_i:g} mM")
        axis.plot(data["V"][of], fit.channels[0]["model"][of], color=f"C{i}")
    axis.set(xlabel="V [mV]", ylabel="I [pA]")
    axis.legend(title="inner Na⁺", fontsize=8)
    figure.savefig(file, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    # What the experiments share lies beside their folders.
    sys.path.append(str(HERE.parent))
    from expected import main

    main(run, HERE, __doc__)
