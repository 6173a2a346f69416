"""Machine code in this process, made by LLVM for the processor that it runs on."""

import functools
import gc
from collections.abc import Callable
from typing import Any, TypeVar

import llvmlite.binding as llvm
from llvmlite import ir

from jaxion.kernel.tracing.arrays import UnknownPrimitive

T = TypeVar("T")


def compiled_once(function: Callable[..., T]) -> Callable[..., T]:
    """What a function compiles, kept for the last 64 of what it is given; so is an `UnknownPrimitive`, which is raised each time.

    Garbage is not collected meanwhile: of the many objects of a program none is, and to look for it takes a quarter of the time.
    """

    @functools.lru_cache(maxsize=64)
    def kept(*given: Any) -> T | UnknownPrimitive:
        collected = gc.isenabled()
        gc.disable()
        try:
            return function(*given)
        except UnknownPrimitive as unknown:
            return unknown
        finally:
            if collected:
                gc.enable()

    @functools.wraps(function)
    def compiled(*given: Any) -> T:
        found = kept(*given)
        if isinstance(found, UnknownPrimitive):
            # Without the lines of those who asked before.
            raise found.with_traceback(None)
        return found

    compiled.kept = kept  # pyright: ignore[reportAttributeAccessIssue]
    return compiled


class Machine:
    """A compiled module; its functions live as long as this object."""

    def __init__(self, module: ir.Module):
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        features = llvm.get_host_cpu_features().flatten()
        # One for each module: the engine owns it. Its code model may not be "small": code and constants can lie far apart. Less than
        # LLVM's usual effort in the last stage gives programs that run as fast, and takes a sixth less time for all of compilation.
        host = llvm.Target.from_default_triple().create_target_machine(cpu=llvm.get_host_cpu_name(), features=features, opt=1)
        module.triple, module.data_layout = llvm.get_process_triple(), str(host.target_data)
        compiled = llvm.parse_assembly(str(module))
        builder = llvm.create_pass_builder(host, llvm.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(compiled, builder)
        self._engine = llvm.create_mcjit_compiler(compiled, host)
        self._engine.finalize_object()

    def address(self, name: str) -> int:
        """Address of a function."""
        return self._engine.get_function_address(name)
