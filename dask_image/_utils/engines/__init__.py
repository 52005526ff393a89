"""How a call becomes tasks: halos, reductions, components, sweeps, gathers; `graph` makes tasks."""
