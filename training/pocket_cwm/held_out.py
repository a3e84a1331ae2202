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


if __name__ == "__main__":
    import json

    from traces import shown_line

    for _, context, frames in held_out():
        marked_line = frames[0]["line"]
        shown = []
        for frame in frames:
            kept = {key: frame[key] for key in ("event", "locals", "value") if key in frame}
            shown.append({**kept, "source": shown_line(frame, marked_line)})
        print(json.dumps({"context": context, "frames": shown}))
