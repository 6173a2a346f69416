"""Mechanisms: one physical process a file, each a cycle and a rate."""

from jaxion.mechanisms.ae import AE
from jaxion.mechanisms.atp_consumption import ATPConsumption, SharedHydrolysis
from jaxion.mechanisms.atp_supply import ATPSupply
from jaxion.mechanisms.base import AbstractGated, AbstractMechanism, MembraneView, Side, parameter
from jaxion.mechanisms.buffer import GlialBuffer, GlialUptake
from jaxion.mechanisms.calcium_extrusion import CalciumExtrusion
from jaxion.mechanisms.creatine_kinase import CreatineKinase
from jaxion.mechanisms.diffusion import Electrodiffusion, ElectrodiffusionArithmetic
from jaxion.mechanisms.eaat import EAAT, EAATAffinity, EAATLog
from jaxion.mechanisms.exchange import Exchange
from jaxion.mechanisms.fxyd import FXYD, FXYD1
from jaxion.mechanisms.gap_junction import GapJunction, gap_junctions
from jaxion.mechanisms.gat import GAT, GATSodium
from jaxion.mechanisms.ghk import GHKLeak
from jaxion.mechanisms.ghk_gated import GHKCalcium, GHKChloride, GHKPotassium, GHKSodium
from jaxion.mechanisms.glycolysis import Glycolysis
from jaxion.mechanisms.hh import HHPotassium, HHSodium, HHSodiumSlaved
from jaxion.mechanisms.hh_wei import HHPotassiumWei, HHSodiumWei
from jaxion.mechanisms.injection import Injection
from jaxion.mechanisms.kcc import KCC
from jaxion.mechanisms.kcc2 import KCC2, KCC2Log, KCC2MassAction, KCC2RandomBinding, KCC2Saturating
from jaxion.mechanisms.kir import KirKager, KirKalia, KirOstby, KirSaetra, KirSibille, KirSteep
from jaxion.mechanisms.leak import Leak
from jaxion.mechanisms.modulation import AbstractModulator, Modulated
from jaxion.mechanisms.nbc import NBC
from jaxion.mechanisms.ncc import NCC
from jaxion.mechanisms.ncx import NCX, NCXKalia
from jaxion.mechanisms.neurons import NeuronalRelease, NeuronalUptake
from jaxion.mechanisms.nhe import NHE
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
from jaxion.mechanisms.nka_hill import NaKATPaseHill
from jaxion.mechanisms.nka_oxygen import GlialPump, NaKATPaseOxygen
from jaxion.mechanisms.nkcc1 import NKCC1Log, NKCC1LogActivated, NKCC1MassAction
from jaxion.mechanisms.oxidative_phosphorylation import OxidativePhosphorylation
from jaxion.mechanisms.oxygen import TissueRespiration
from jaxion.mechanisms.perfusion import PerfusedExchange, PerfusedUptake
from jaxion.mechanisms.pinsky_rinzel import PRCalcium, PRPotassium, PRPotassiumAHP, PRPotassiumC, PRSodium
from jaxion.mechanisms.pmca import PMCA
from jaxion.mechanisms.sglt import SGLT
from jaxion.mechanisms.temperature import Temperature
from jaxion.mechanisms.vesicles import VesicleCalcium, VesicleDocking, VesicleFilling, VesicleFusion, VesiclePriming
from jaxion.mechanisms.water import Water, WaterMobile, WaterRelaxation

__all__ = [
    "AE",
    "EAAT",
    "FXYD",
    "FXYD1",
    "GAT",
    "KCC",
    "KCC2",
    "NBC",
    "NCC",
    "NCX",
    "NHE",
    "PMCA",
    "SGLT",
    "ATPConsumption",
    "ATPSupply",
    "AbstractGated",
    "AbstractMechanism",
    "AbstractModulator",
    "CalciumExtrusion",
    "CreatineKinase",
    "EAATAffinity",
    "EAATLog",
    "Electrodiffusion",
    "ElectrodiffusionArithmetic",
    "Exchange",
    "GATSodium",
    "GHKCalcium",
    "GHKChloride",
    "GHKLeak",
    "GHKPotassium",
    "GHKSodium",
    "GapJunction",
    "GlialBuffer",
    "GlialPump",
    "GlialUptake",
    "Glycolysis",
    "HHPotassium",
    "HHPotassiumWei",
    "HHSodium",
    "HHSodiumSlaved",
    "HHSodiumWei",
    "Injection",
    "KCC2Log",
    "KCC2MassAction",
    "KCC2RandomBinding",
    "KCC2Saturating",
    "KirKager",
    "KirKalia",
    "KirOstby",
    "KirSaetra",
    "KirSibille",
    "KirSteep",
    "Leak",
    "MembraneView",
    "Modulated",
    "NCXKalia",
    "NKCC1Log",
    "NKCC1LogActivated",
    "NKCC1MassAction",
    "NaKATPaseConstant",
    "NaKATPaseCubic",
    "NaKATPaseFourState",
    "NaKATPaseHamada",
    "NaKATPaseHill",
    "NaKATPaseKager",
    "NaKATPaseLinear",
    "NaKATPaseLuoRudy",
    "NaKATPaseOstby",
    "NaKATPaseOxygen",
    "NaKATPaseSigmoid",
    "NeuronalRelease",
    "NeuronalUptake",
    "OxidativePhosphorylation",
    "PRCalcium",
    "PRPotassium",
    "PRPotassiumAHP",
    "PRPotassiumC",
    "PRSodium",
    "PerfusedExchange",
    "PerfusedUptake",
    "SharedHydrolysis",
    "Side",
    "Temperature",
    "TissueRespiration",
    "VesicleCalcium",
    "VesicleDocking",
    "VesicleFilling",
    "VesicleFusion",
    "VesiclePriming",
    "Water",
    "WaterMobile",
    "WaterRelaxation",
    "gap_junctions",
    "parameter",
]
