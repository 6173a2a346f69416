"""Published episodes, recomputed by independent implementations with tight tolerances.

Each is the course of a cell after an insult: values at times, and times of events. Tolerances are
relative: 1e-4 for values, 1e-3 for the times of events, unless said otherwise.
"""

# Düsterwald et al. (2018): the pump stops at t = 0 s in a cell at its set-point.
# Columns: t [s], V [mV].
PUMP_BLOCK_V = [
    (1.0, -64.4189),
    (60.0, -64.9973),
    (300.0, -64.4432),
    (600.0, -61.3436),
    (1200.0, -51.3962),
    (1800.0, -38.6119),
    (3600.0, -17.9892),
    (7200.0, -10.0977),
    (14400.0, -5.7109),
]
# t [s], path, value [mM]; volumes relative to the start.
PUMP_BLOCK_OTHER = [
    (300.0, "neuron.Na", 41.06),
    (600.0, "neuron.Na", 63.02),
    (600.0, "neuron.K", 74.05),
    (3600.0, "neuron.volume", 1.32279),
    (7200.0, "neuron.volume", 1.68868),
    (14400.0, "neuron.volume", 2.18768),
]
# Level [mV] and the time at which V passes it [s].
PUMP_BLOCK_CROSSINGS = [(-60.0, 699.0), (-50.0, 1270.0), (-36.294, 1910.0), (-20.0, 3217.0)]

# Hübel & Dahlem (2014): pump off from rest in a closed space; V passes −50 mV [s].
PUMP_OFF_CROSSING = 4.5207
# Pump off from 20 to 29.5 s: first and last V > −40 mV [s], largest K_e [mM] and its time [s], largest Na_i [mM].
# The paper's Na_i leaves out the membrane's capacitor, whose charge is 7e-3 mM of the extracellular space.
# The last passage leaves a delayed Hopf bifurcation and depends on the solver: 3 %.
SPREADING_DEPOLARISATION = {
    "glia": {"first": 24.5220, "last": (105.9, 109.1), "K": 69.578, "K.time": 35.254, "Na": 58.866},
    "bath": {"first": 24.8339, "last": (95.5, 98.2), "K": 68.350},
}

# Zandt et al. (2011): anoxia from rest at t = 0 s; V passes −60 and −40 mV [s]; peak of V [mV].
ANOXIA_CROSSINGS = [(-60.0, 23.2711), (-40.0, 28.70337)]
ANOXIA_PEAK = 46.89
# Columns: t [s], path, value [mV or mM].
ANOXIA = [
    (40.0, "neuron.V", -12.7439),
    (40.0, "ecs.K", 60.4874),
    (100.0, "neuron.V", -7.4133),
    (100.0, "ecs.K", 77.4513),
    (100.0, "neuron.Na", 66.1717),
    (500.0, "neuron.V", -17.6086),
    (1500.0, "neuron.V", -19.4922),
]

# Hübel, Andrew & Ullah (2016): pump and bath off for 200 s; V passes −40 mV [s] from the closed cell's rest and from that with the bath.
# The times of 3700 µm³ were computed from the equations by LSODA.
HUEBEL_2016_DEPOLARISATION = {720.0: {"closed": 6.85893, "bath": 6.85840}, 3700.0: {"closed": 33.84586, "bath": 33.83854}}
# Repolarisation of 720 µm³ after pump and bath are back [s]; it leaves a delayed Hopf bifurcation and depends on the solver.
HUEBEL_2016_REPOLARISATION = (42.8, 49.1)
# The cell of 3700 µm³ stays depolarised: V an hour later [mV], computed on two roads.
HUEBEL_2016_STAYS = -34.1939

# U937 cells, Yurinskaya & Vereninov (2021): ouabain stops the pump at t = 0 min in a cell at its set-point.
# t [min], Na, K, Cl [mM], U [mV]; and V/A [ml/mmol] at the last.
BEZ_U937_OUABAIN = [
    (10.0, 51.0124, 133.5645, 46.5516, -33.8200),
    (60.0, 103.1114, 80.0477, 51.7497, -26.6573),
    (240.0, 164.4137, 11.9277, 76.7482, -10.3456),
]
BEZ_U937_OUABAIN_VOLUME = 17.57147

# Wei, Ullah & Schiff (2014), from the paper's initial state, a public implementation integrated in float64. By protocol: first and last
# time V passes 0 mV upwards within 200 s [s], highest K_o [mM] and its time [s], V and K_o at 200 s [mV, mM], largest volume over the first.
WEI_2014 = {
    "seizures": {"first": 66.325},
    "spreading_depression": {"first": 6.790, "last": 9.821, "K": 27.892, "K.time": 12.31, "V": -45.60, "volume": 1.1026},
    "anoxic_depolarisation": {"first": 6.126, "last": 8.825, "V": -13.12, "end.K": 76.2},
}
