"""From programs to machine code by LLVM: vectors of lanes, loops around them, and the compiler."""
