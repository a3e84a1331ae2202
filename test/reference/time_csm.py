"""Times the PyTorch reference on a CSM checkpoint of full size (scripts/make-random-csm.mjs): milliseconds per frame.

    python test/reference/time_csm.py CHECKPOINT [--dtype bfloat16] [--threads 2] [--frames 6]
"""

import argparse
import time

import torch
import transformers
from transformers import CsmForConditionalGeneration

FRAME_SECONDS = 0.08


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint")
    parser.add_argument("--dtype", default="bfloat16", choices=["bfloat16", "float32"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--frames", type=int, default=6)
    args = parser.parse_args()
    transformers.logging.set_verbosity_error()
    torch.set_num_threads(args.threads)
    model = CsmForConditionalGeneration.from_pretrained(args.checkpoint, dtype=getattr(torch, args.dtype)).eval()
    ids = torch.arange(12)[None]

    def seconds(frames: int) -> float:
        started = time.perf_counter()
        output = model.generate(input_ids=ids, do_sample=False, depth_decoder_do_sample=False, max_new_tokens=frames)
        assert output.shape[1] == frames, "the run stopped early"
        return time.perf_counter() - started

    with torch.no_grad():
        seconds(1)
        # What start and prompt take cancels out.
        frame = (seconds(args.frames + 1) - seconds(1)) / args.frames
    print(f"{args.dtype}, {args.threads} threads: {1000 * frame:.0f} ms/frame, RTF {frame / FRAME_SECONDS:.2f}")


if __name__ == "__main__":
    main()
