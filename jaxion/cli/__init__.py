"""The command line: one verb a file, each calls one public function."""

import sys
import traceback
from collections.abc import Callable, Sequence

from jaxion.cli.exits import WRONG_INPUT
from jaxion.errors import JaxionError, nearest

_EPILOG = "A sweep of a published neuron in under a minute: `jaxion demo`."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    import jax
    import tyro

    verbs = _verbs()
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments and not arguments[0].startswith("-") and arguments[0] not in verbs:
        return _complain(f"There is no verb `{arguments[0]}`; there are {', '.join(verbs)}.{nearest(arguments[0], verbs, count=1)}")
    jax.config.update("jax_enable_x64", True)
    try:
        return tyro.extras.subcommand_cli_from_dict(
            verbs,
            prog="jaxion",
            description=f"Ion homeostasis of neurons: set-points, sensitivities, transients, sweeps, fits. {_EPILOG}",
            args=arguments,
            config=(tyro.conf.FlagCreatePairsOff,),
        )
    except SystemExit as stop:  # tyro has explained itself
        return int(stop.code or 0)
    except KeyboardInterrupt:
        return _complain("Interrupted; `jaxion resume STORE` continues a sweep.", 130)
    except (JaxionError, ValueError, LookupError) as error:
        if not isinstance(error, JaxionError) and not _is_raised_by_us(error):
            raise
        return _complain(str(error))


def _verbs() -> dict[str, Callable[..., int]]:
    from jaxion.cli import check, demo, doctor, fit, ledger, listing, plot, sensitivity, setpoint, simulate, stores, sweep

    return {
        "demo": demo.demo,
        "list": listing.list_,
        "check": check.check,
        "setpoint": setpoint.setpoint,
        "sensitivity": sensitivity.sensitivity,
        "simulate": simulate.simulate,
        "ledger": ledger.ledger,
        "sweep": sweep.sweep,
        "resume": stores.resume,
        "status": stores.status,
        "fit": fit.fit,
        "report": fit.report,
        "plot": plot.plot,
        "doctor": doctor.doctor,
    }


def _is_raised_by_us(error: BaseException) -> bool:
    """Whether jaxion itself raised the error, to a user's mistake; one from a library below would be our own mistake."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith("jaxion.")


def _complain(message: str, code: int = WRONG_INPUT) -> int:
    print(f"jaxion: {message}", file=sys.stderr)
    return code
