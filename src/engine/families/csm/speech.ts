import { badFile } from "../../formats/bad-file.js";
import type { GgufValue } from "../../formats/gguf.js";
import { outputTypeFacts } from "../../tensors/output-type.js";
import type { SpeechBehaviour, SpeechDefaults } from "../speech-behaviour.js";

/** What sesame/csm-1b's generation_config.json says, for files that say nothing. */
const TEMPERATURE = 0.9;
const TOP_K = 50;
const MAX_FRAMES = 125;

const FLOAT_TYPES = (["f32", "f16", "bf16"] as const).map((type) => outputTypeFacts(type).fileType);

/** `<|begin_of_text|>[0]text<|end_of_text|>`; the brackets are plain text, with no space behind them. */
export const csmSpeech: SpeechBehaviour = {
  turnText: (speaker, text) => `[${speaker}]${text}`,

  defaults(metadata, file): SpeechDefaults {
    const number = (key: string): number | undefined => numberOf(metadata.get(key));
    const audioEndToken = number("csm.audio.eos_token_id");
    if (audioEndToken === undefined) {
      const fault = "the metadata key csm.audio.eos_token_id is missing";
      throw badFile("GGUF_KEY_MISSING", file, fault, "Convert the checkpoint again with parley convert.");
    }
    return {
      audioEndToken,
      eosCode: number("csm.audio.eos_code") ?? 0,
      maxFrames: number("csm.max_frames") ?? MAX_FRAMES,
      sampling: {
        temperature: number("general.sampling.temp") ?? TEMPERATURE,
        topK: number("general.sampling.top_k") ?? TOP_K,
        depthTemperature: number("csm.depth.sampling.temp") ?? TEMPERATURE,
        depthTopK: number("csm.depth.sampling.top_k") ?? TOP_K,
      },
      unquantised: FLOAT_TYPES.includes(number("general.file_type") ?? -1),
    };
  },
};

/** float32 values as they were written: 0.9 and not 0.8999999761581421. */
function numberOf(value: GgufValue | undefined): number | undefined {
  if (value?.type === "float32") return Number(value.value.toPrecision(7));
  return value?.type === "uint32" || value?.type === "int32" ? value.value : undefined;
}
