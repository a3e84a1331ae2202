"""Does transformers predict, in float32, what parley predicted?  python check_against_reference.py FOLDER < predicted.jsonl

Of every frame that evaluate.mjs wrote: is each token the likeliest one of transformers after those before it? Where two
logits are closer than NEAR the order may differ by rounding; those are counted apart.
"""

import json
import sys

import torch
import transformers

NEAR = 1e-3


def main():
    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
    separator = transformers.AutoTokenizer.from_pretrained(sys.argv[1]).convert_tokens_to_ids("<|frame_sep|>")
    frames = equal = near = 0
    for line in sys.stdin:
        record = json.loads(line)
        ids, predicted = record["ids"], record["predicted"]
        # the context ends with the first separator, each frame with one more
        ends = [i + 1 for i, token in enumerate(ids) if token == separator]
        with torch.no_grad():
            whole = model(torch.tensor([ids])).logits[0]
            for start, frame in zip(ends, predicted):
                n = len(frame["ids"])
                logits = whole if frame["right"] else model(torch.tensor([ids[:start] + frame["ids"]])).logits[0]
                rows = logits[start - 1 : start - 1 + n]
                given = rows.gather(1, torch.tensor(frame["ids"])[:, None])[:, 0]
                distance = (rows.max(-1).values - given).max().item()
                frames += 1
                equal += distance == 0
                near += 0 < distance < NEAR
    print(f"{frames} frames, {equal} the same, {near} with a tie within {NEAR}, {frames - equal - near} different")


if __name__ == "__main__":
    main()
