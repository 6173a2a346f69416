"""Published models: one file each, a function from the paper's parameters to a `Model`."""

# The functions are imported here, at once, so that no submodule can shadow its function later.
from jaxion.models.aminzare_kay2024 import aminzare_kay2024 as aminzare_kay2024
from jaxion.models.bez_u937 import bez_u937 as bez_u937
from jaxion.models.donnan1911 import donnan1911 as donnan1911
from jaxion.models.duesterwald2018 import duesterwald2018 as duesterwald2018
from jaxion.models.edneg2021 import edneg2021 as edneg2021
from jaxion.models.halnes2013 import halnes2013 as halnes2013
from jaxion.models.huebel2016 import huebel2016 as huebel2016
from jaxion.models.huebel_dahlem2014 import huebel_dahlem2014 as huebel_dahlem2014
from jaxion.models.kalia2021 import kalia2021 as kalia2021
from jaxion.models.keener_sneyd import keener_sneyd as keener_sneyd
from jaxion.models.wei2014 import wei2014 as wei2014
from jaxion.models.zandt2011 import zandt2011 as zandt2011

# Whatever is imported above is public: a new one is one line.
__all__ = [name for name, value in vars().items() if getattr(value, "__module__", "").startswith("jaxion.models.")]  # pyright: ignore[reportUnsupportedDunderAll]
