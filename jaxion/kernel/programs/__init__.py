"""What machine code computes, as straight-line programs made of nodes. They know nothing of LLVM."""
