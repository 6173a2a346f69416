"""What docstrings say, for tests that hold every mechanism and model to the same form."""

import inspect
import itertools
import re


def entries(doc: str) -> dict[str, str]:
    """Text of each entry of the section `Args:`, on one line."""
    lines = inspect.cleandoc(doc).split("\n")
    assert "Args:" in lines, "The docstring has no section `Args:`."
    block = itertools.takewhile(lambda line: not line or line.startswith(" "), lines[lines.index("Args:") + 1 :])
    found: dict[str, str] = {}
    name = ""
    for line in filter(None, block):
        if match := re.match(r" {4}(\w+): (.*)", line):
            name, found[match[1]] = match[1], match[2]
        else:
            found[name] += " " + line.strip()
    return found


def source(doc: str) -> str:
    """Text of the section `Source:`."""
    match = re.search(r"^Source: (.*)", inspect.cleandoc(doc), re.DOTALL | re.MULTILINE)
    assert match, "The docstring has no section `Source:`."
    return match[1]


def powers(unit: str) -> dict[str, int]:
    """Exponents of a unit, whether written `fmol/s/mM2` or `fmol/(s·mM²)`."""
    unit = unit.translate(str.maketrans("²³⁴", "234"))
    if group := re.fullmatch(r"(.*)/\((.*)\)", unit):
        unit = "/".join([group[1], *group[2].split("·")])
    found: dict[str, int] = {}
    for sign, base, power in re.findall(r"([/·]?)([^\d/·]+)(\d*)", unit):
        found[base] = found.get(base, 0) + (-1 if sign == "/" else 1) * int(power or 1)
    return found


def words(text: str) -> list[str]:
    """Words of a text without the punctuation around them."""
    return [word.strip(",;.") for word in text.split()]
