"""A check of programs before machine code is made of them: numbers where numbers are due, and truth values where those are."""

from collections.abc import Iterable

from jaxion.kernel.graph.nodes import LOGIC, Node, sorted_nodes


def verify(outputs: Iterable[Node]) -> None:
    """Raise `TypeError` if an operation that the outputs need acts on a number in place of a truth value, or the other way round."""
    for node in sorted_nodes(outputs):
        args = [arg for arg in node.args if isinstance(arg, Node)]
        if node.op in LOGIC:
            sound = all(arg.truth for arg in args)
        elif node.op == "select":
            sound = args[0].truth and args[1].truth == args[2].truth
        elif node.op == "eq":
            sound = args[0].truth == args[1].truth
        else:
            sound = not any(arg.truth for arg in args)
        if not sound:
            given = ", ".join(f"{arg} ({'truth value' if arg.truth else 'number'})" for arg in args)
            raise TypeError(f"Operation {node} of a program is not defined for {given}.")
