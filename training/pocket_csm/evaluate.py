"""Word accuracy of a checkpoint on the 400 unseen sentences, by the PyTorch reference or from WAV files made elsewhere.

    python evaluate.py --model models/pocket-csm --kind digits --sampled
    python evaluate.py --text --kind digits > lines.txt       the sentences of one speaker, one a line
    python evaluate.py --wavs FOLDER --kind digits --speaker 0    what was made of these lines: its WAV files by name
"""

import argparse
from pathlib import Path

import numpy as np
import soundfile
import torch
from recognise import Recogniser, edits
from sentences import test_sentences
from speech import DIGITS, FRAME, WORDS, espeak

CAP = 125


@torch.no_grad()
def generate(model, processor, prompts: list[str], sampled: bool) -> list[torch.Tensor]:
    """Codes [frame, codebook] of every prompt, its end included; CAP frames where there is none. Equal lengths share a batch."""
    ids = [processor.tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    found = [torch.empty(0)] * len(ids)
    for length in sorted({len(row) for row in ids}):
        group = [k for k, row in enumerate(ids) if len(row) == length]
        output = model.generate(
            input_ids=torch.tensor([ids[k] for k in group]),
            do_sample=sampled,
            depth_decoder_do_sample=sampled,
            max_new_tokens=CAP,
        )
        for k, codes in zip(group, output, strict=True):
            ends = (codes == 0).all(1).nonzero()
            found[k] = codes[: int(ends[0]) + 1] if len(ends) else codes
    return found


@torch.no_grad()
def sound(model, codes: torch.Tensor) -> np.ndarray:
    """Samples of codes [frame, codebook] up to the end."""
    if (codes[-1] == 0).all():
        codes = codes[:-1]
    if not len(codes):
        return np.zeros(FRAME, dtype=np.float32)
    codes = codes.clamp(max=model.config.codec_config.codebook_size - 1)
    return model.codec_model.decode(codes.T[None]).audio_values[0, 0].numpy()


def report(name: str, sentences, waves, words: list[str], capped: int | None = None, verbose: bool = False) -> None:
    """Word accuracy: 1 - (substitutions + insertions + deletions) / words said."""
    recogniser = Recogniser(words)
    wrong = total = whole = 0
    for (speaker, said), wave in zip(sentences, waves, strict=True):
        heard = recogniser.words(wave)
        errors = edits(heard, said)
        if verbose and errors:
            print(f"  [{speaker}] {' '.join(said)} -> {' '.join(heard)}")
        wrong += errors
        total += len(said)
        whole += errors == 0
    ends = "" if capped is None else f", {capped} without an end"
    print(
        f"{name}: {100 * (1 - wrong / total):.1f} % of {total} words, "
        f"{100 * whole / len(sentences):.1f} % of {len(sentences)} sentences{ends}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="checkpoint for the PyTorch reference")
    parser.add_argument("--wavs", type=Path)
    parser.add_argument("--text", action="store_true")
    parser.add_argument("--original", action="store_true", help="espeak-ng itself, and through the codec of --model")
    parser.add_argument("--kind", choices=["digits", "words"], default="digits")
    parser.add_argument("--speaker", type=int, choices=[0, 1])
    parser.add_argument("--sampled", action="store_true")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    sentences = test_sentences(options.kind)[: options.count]
    if options.speaker is not None:
        sentences = [sentence for sentence in sentences if sentence[0] == options.speaker]
    if options.text:
        print("\n".join(" ".join(words) for _, words in sentences))
        return
    vocabulary = DIGITS if options.kind == "digits" else WORDS
    if options.wavs:
        waves = [soundfile.read(path, dtype="float32")[0] for path in sorted(options.wavs.glob("*.wav"))]
        report(options.kind, sentences, waves, vocabulary, verbose=options.verbose)
        return

    from transformers import AutoProcessor, CsmForConditionalGeneration, logging

    logging.set_verbosity_error()
    model = CsmForConditionalGeneration.from_pretrained(options.model, dtype=torch.float32).eval()
    if options.original:
        waves = [espeak(" ".join(words), speaker) for speaker, words in sentences]
        report(f"{options.kind}, espeak-ng", sentences, waves, vocabulary)
        with torch.no_grad():
            codes = [model.codec_model.encode(torch.from_numpy(wave)[None, None]).audio_codes[0].T for wave in waves]
        waves = [sound(model, row) for row in codes]
        report(f"{options.kind}, codec round trip", sentences, waves, vocabulary, verbose=options.verbose)
        return
    processor = AutoProcessor.from_pretrained(options.model)
    prompts = [f"<|begin_of_text|>[{speaker}]{' '.join(words)}<|end_of_text|>" for speaker, words in sentences]
    found = generate(model, processor, prompts, options.sampled)
    capped = sum(len(codes) == CAP and bool((codes[-1] != 0).any()) for codes in found)
    waves = [sound(model, codes) for codes in found]
    how = "sampled" if options.sampled else "greedy"
    report(f"{options.kind}, {how}", sentences, waves, vocabulary, capped, options.verbose)


if __name__ == "__main__":
    main()
