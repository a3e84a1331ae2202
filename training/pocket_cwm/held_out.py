"""500 programs that are never trained on."""

from traces import program

COUNT = 500


def held_out():
    """[(source, context, frames)], none twice."""
    found = {}
    number = 0
    while len(found) < COUNT:
        source, context, frames = program("held out %d" % number)
        found.setdefault(source, (source, context, frames))
        number += 1
    return list(found.values())


def held_out_sources():
    return {source for source, _, _ in held_out()}
