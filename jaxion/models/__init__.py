"""Published models: one file each, a function from the paper's parameters to a `Model`."""

# The functions are imported here, at once, so that no submodule can shadow its function later.
from jaxion.models.aminzare_kay2024 import aminzare_kay2024
from jaxion.models.bez_u937 import bez_u937
from jaxion.models.donnan1911 import donnan1911
from jaxion.models.duesterwald2018 import duesterwald2018
from jaxion.models.edneg2021 import edneg2021
from jaxion.models.halnes2013 import halnes2013
from jaxion.models.huebel2016 import huebel2016
from jaxion.models.huebel_dahlem2014 import huebel_dahlem2014
from jaxion.models.kalia2021 import kalia2021
from jaxion.models.keener_sneyd import keener_sneyd
from jaxion.models.wei2014 import wei2014
from jaxion.models.zandt2011 import zandt2011

__all__ = [
    "aminzare_kay2024",
    "bez_u937",
    "donnan1911",
    "duesterwald2018",
    "edneg2021",
    "halnes2013",
    "huebel2016",
    "huebel_dahlem2014",
    "kalia2021",
    "keener_sneyd",
    "wei2014",
    "zandt2011",
]
