"""Random statements over interleaved sessions, and a recount of every figure after each: plan, execute, shrink."""
