"""Write data/pocket-csm.json: the codes the bundled model says greedily in float32.

[{"speaker", "text", "codes": [frame][codebook]}], the last frame the end. Sentences are from the unseen ones of
training/pocket_csm.
"""

import sys

import torch
import transformers

from paths import DATA, MODELS, ROOT
from write_json import write_list

sys.path.insert(0, str(ROOT / "training" / "pocket_csm"))
from evaluate import generate  # noqa: E402
from sentences import test_sentences  # noqa: E402

SENTENCES = 4


def main() -> None:
    torch.set_num_threads(1)
    folder = MODELS / "pocket-csm"
    model = transformers.CsmForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    processor = transformers.AutoProcessor.from_pretrained(folder)
    sentences = test_sentences("digits")[:SENTENCES] + test_sentences("words")[:SENTENCES]
    texts = [(speaker, " ".join(words)) for speaker, words in sentences]
    prompts = [f"<|begin_of_text|>[{speaker}]{text}<|end_of_text|>" for speaker, text in texts]
    found = generate(model, processor, prompts, sampled=False)
    write_list(DATA / "pocket-csm.json", [
        {"speaker": speaker, "text": text, "codes": codes.tolist()} for (speaker, text), codes in zip(texts, found, strict=True)
    ])
    for (speaker, text), codes in zip(texts, found, strict=True):
        print(speaker, text, tuple(codes.shape))


if __name__ == "__main__":
    main()
