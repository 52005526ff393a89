"""Steps from pixels to their neighbours, as slices of an array."""


def facing(step):
    """Return, as two tuples of slices, the pixels from which a step leads, and to which."""
    here = tuple(slice(max(-along, 0), min(-along, 0) or None) for along in step)
    there = tuple(slice(max(along, 0), min(along, 0) or None) for along in step)
    return here, there


def forward(steps):
    """Return the steps that lead to a later pixel in raster order: one of each two opposites."""
    return [step for step in steps if step > (0,) * len(step)]
