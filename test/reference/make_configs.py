"""Store what the reference's configuration classes hold after loading: data/configs.json.

Each case is {"given": the config.json, "loaded": the values the class then has}.
"""

import copy
import json

from transformers import CsmConfig, CwmConfig, GlmConfig

from checkpoints import TINY
from csm_tiny import CHECKPOINTS
from paths import DATA, FIXTURES
from write_json import write_mapping

# Files that say little, so that the class's own defaults fill the rest; in both layouts.
SPARSE = {
    "cwm, nothing given": {"model_type": "cwm"},
    "cwm, transformers 4": {
        "model_type": "cwm",
        "num_hidden_layers": 6,
        "eos_token_id": 128001,
        "rope_theta": 500000.0,
        "rope_scaling": {
            "factor": 2.0,
            "high_freq_factor": 8.0,
            "low_freq_factor": 2.0,
            "original_max_position_embeddings": 1024,
            "rope_type": "llama3",
        },
        "torch_dtype": "bfloat16",
    },
    "cwm, rope_scaling with the older key type": {
        "model_type": "cwm",
        "rope_theta": 500000.0,
        "rope_scaling": {
            "type": "llama3",
            "factor": 2.0,
            "high_freq_factor": 8.0,
            "low_freq_factor": 2.0,
            "original_max_position_embeddings": 1024,
        },
    },
    "cwm, rope_theta alone": {"model_type": "cwm", "rope_theta": 10000.0},
    "cwm, plain RoPE": {"model_type": "cwm", "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}},
    "cwm, irregular layers": {
        "model_type": "cwm",
        "num_hidden_layers": 4,
        "layer_types": ["sliding_attention", "full_attention", "full_attention", "sliding_attention"],
    },
    "glm, nothing given": {"model_type": "glm"},
    "glm, transformers 4": {
        "model_type": "glm",
        "rope_theta": 5000000.0,
        "partial_rotary_factor": 0.25,
        "num_key_value_heads": 4,
        "torch_dtype": "bfloat16",
    },
    "glm, transformers 5": {
        "model_type": "glm",
        "rope_parameters": {"rope_type": "default", "rope_theta": 5000000.0, "partial_rotary_factor": 0.25},
        "attention_bias": False,
        "eos_token_id": 7,
    },
    "glm, rope_theta alone": {"model_type": "glm", "rope_theta": 500000.0},
    "csm, nothing given": {"model_type": "csm"},
    "csm, transformers 4": {
        "model_type": "csm",
        "num_key_value_heads": None,
        "head_dim": None,
        "rope_theta": 500000.0,
        "rope_scaling": {
            "factor": 32.0,
            "high_freq_factor": 0.5,
            "low_freq_factor": 0.125,
            "original_max_position_embeddings": 1024,
            "rope_type": "llama3",
        },
        "depth_decoder_config": {
            "num_hidden_layers": 2,
            "rope_theta": 10000.0,
            "rope_scaling": {
                "factor": 32.0,
                "high_freq_factor": 0.0078125,
                "low_freq_factor": 0.001953125,
                "original_max_position_embeddings": 16,
                "rope_type": "llama3",
            },
        },
        "codec_config": {"model_type": "mimi", "sliding_window": 9, "rope_theta": 5000.0, "frame_rate": 12.5},
        "torch_dtype": "float32",
    },
    "csm, older name of the audio vocabulary": {
        "model_type": "csm",
        "codebook_size": 1027,
        "depth_decoder_config": {"codebook_size": 1027},
        "codec_config": {"model_type": "mimi", "codebook_size": 1024},
    },
}


CLASSES = {"cwm": CwmConfig, "glm": GlmConfig, "csm": CsmConfig}


def main() -> None:
    given = dict(SPARSE)
    for tiny in TINY:
        if not tiny.raw_config:
            given[tiny.name] = json.loads((FIXTURES / tiny.name / "config.json").read_text())
    for name in CHECKPOINTS:
        given[name] = json.loads((FIXTURES / name / "config.json").read_text())
    cases = {}
    for name, config in given.items():
        # A deep copy: from_dict writes into nested dictionaries.
        loaded = CLASSES[config["model_type"]].from_dict(copy.deepcopy(config)).to_dict()
        cases[name] = {"given": config, "loaded": json.loads(json.dumps(loaded, default=str))}
    write_mapping(DATA / "configs.json", cases)
    print(f"configs: {len(cases)} cases")


if __name__ == "__main__":
    main()
