"""Mechanisms: one physical process a file, each a cycle and a rate."""

from jaxion.mechanisms.base import AbstractGated, AbstractMechanism, MembraneView, Side, parameter
from jaxion.mechanisms.buffer import GlialBuffer, GlialUptake
from jaxion.mechanisms.exchange import Exchange
from jaxion.mechanisms.ghk import GHKLeak
from jaxion.mechanisms.hh import HHPotassium, HHSodium, HHSodiumSlaved
from jaxion.mechanisms.injection import Injection
from jaxion.mechanisms.kcc import KCC
from jaxion.mechanisms.kcc2 import KCC2, KCC2Log, KCC2MassAction
from jaxion.mechanisms.leak import Leak
from jaxion.mechanisms.ncc import NCC
from jaxion.mechanisms.nka import (
    NaKATPaseConstant,
    NaKATPaseCubic,
    NaKATPaseHamada,
    NaKATPaseKager,
    NaKATPaseLinear,
    NaKATPaseLuoRudy,
    NaKATPaseOstby,
    NaKATPaseSigmoid,
)
from jaxion.mechanisms.nka_four_state import NaKATPaseFourState
from jaxion.mechanisms.nkcc1 import NKCC1Log, NKCC1MassAction
from jaxion.mechanisms.water import Water

__all__ = [
    "KCC",
    "KCC2",
    "NCC",
    "AbstractGated",
    "AbstractMechanism",
    "Exchange",
    "GHKLeak",
    "GlialBuffer",
    "GlialUptake",
    "HHPotassium",
    "HHSodium",
    "HHSodiumSlaved",
    "Injection",
    "KCC2Log",
    "KCC2MassAction",
    "Leak",
    "MembraneView",
    "NKCC1Log",
    "NKCC1MassAction",
    "NaKATPaseConstant",
    "NaKATPaseCubic",
    "NaKATPaseFourState",
    "NaKATPaseHamada",
    "NaKATPaseKager",
    "NaKATPaseLinear",
    "NaKATPaseLuoRudy",
    "NaKATPaseOstby",
    "NaKATPaseSigmoid",
    "Side",
    "Water",
    "parameter",
]
