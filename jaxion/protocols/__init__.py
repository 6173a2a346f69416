"""Protocols: what is done to a cell, phase after phase, by dotted paths."""

from jaxion.protocols.constructors import anoxia, bath, block, inject, phase, recording, rest, smooth_block, train
from jaxion.protocols.drive import Drive, course
from jaxion.protocols.forms import parse
from jaxion.protocols.named import find, of
from jaxion.protocols.protocol import Protocol
from jaxion.protocols.records import plain
from jaxion.protocols.resolution import resolve
from jaxion.protocols.targets import driven

__all__ = [
    "Drive",
    "Protocol",
    "anoxia",
    "bath",
    "block",
    "course",
    "driven",
    "find",
    "inject",
    "of",
    "parse",
    "phase",
    "plain",
    "recording",
    "resolve",
    "rest",
    "smooth_block",
    "train",
]
