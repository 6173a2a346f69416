"""What an examination is, what came of it, and how all of them print."""

import dataclasses
import textwrap
from collections.abc import Callable
from typing import Final, NamedTuple

WIDTH: Final = 110
"""Characters of a line of versions."""

LONGEST: Final = 400
"""Characters of the message of an error: those of a compiler go over pages."""


class Finding(NamedTuple):
    """What an examination found.

    Attributes:
        found: A number that is good up to the bound, or a word that has to be the bound; NaN is never good.
        detail: What was done, or what is wrong.
    """

    found: float | str
    detail: str


class Procedure(NamedTuple):
    """An examination that can be carried out.

    Attributes:
        name: What is examined.
        bound: Largest number, or the word, that is good.
        examine: Carries it out; raises whatever is raised where something is broken.
    """

    name: str
    bound: float | str
    examine: Callable[[], Finding]


@dataclasses.dataclass(frozen=True)
class Examination:
    """Outcome of one examination.

    Attributes:
        name: What was examined.
        ok: Whether all is well.
        found: The number, or the word, that was found; NaN if something was raised.
        bound: Largest number, or the word, that is good.
        detail: What was done, or what is wrong.
    """

    name: str
    ok: bool
    found: float | str
    bound: float | str
    detail: str

    def __str__(self) -> str:
        """Name, number, bound, outcome and detail in one line."""
        return f"{self.name:<26} {_shown(self.found):>9}  {_shown(self.bound):>9}  {'ok' if self.ok else 'failed':<6}  {self.detail}"


@dataclasses.dataclass(frozen=True)
class Diagnosis:
    """What `doctor` found; prints as a table.

    Attributes:
        examinations: Outcome of each examination, in the order in which they were carried out.
        versions: Versions of Python and of the packages that take part, by name.
        devices: Kind of each device that JAX has; cells are computed on the first.
    """

    examinations: tuple[Examination, ...]
    versions: dict[str, str]
    devices: list[str]

    @property
    def ok(self) -> bool:
        """Whether all is well."""
        return all(examination.ok for examination in self.examinations)

    def __getitem__(self, name: str) -> Examination:
        return {examination.name: examination for examination in self.examinations}[name]

    def __str__(self) -> str:
        """Versions, devices, and a line for each examination."""
        failed = sum(not examination.ok for examination in self.examinations)
        outcome = f"{failed} of {len(self.examinations)} examinations failed" if failed else f"all {len(self.examinations)} examinations ok"
        # No line ends between a name and its version.
        versions = textwrap.wrap(", ".join(f"{name}={version}" for name, version in self.versions.items()), WIDTH, break_on_hyphens=False)
        lines = [f"Versions  {versions[0]}", *(f"          {line}" for line in versions[1:]), f"Devices   {', '.join(self.devices)}", ""]
        lines += [f"{'examined':<26} {'found':>9}  {'bound':>9}", *map(str, self.examinations), "", f"jaxion doctor: {outcome}."]
        return "\n".join(lines)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else "—" if value != value else f"{value:.1e}" if value else "0"


def carry_out(procedure: Procedure) -> Examination:
    """The outcome of an examination; what it raises is a failure with a message."""
    name, bound, examine = procedure
    try:
        found, detail = examine()
    except Exception as error:  # Whatever is broken shows in its own line and hides no other.
        return Examination(
            name, False, float("nan"), bound, textwrap.shorten(f"{type(error).__name__}: {error}", LONGEST, placeholder=" …")
        )
    good = found == bound if isinstance(found, str) or isinstance(bound, str) else found <= bound
    return Examination(name, bool(good), found, bound, detail)
