"""What every family shares: arrays, arguments, the overlap engine, the label reduction engine."""
