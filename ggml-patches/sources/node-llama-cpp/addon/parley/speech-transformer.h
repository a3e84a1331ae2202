// A stack of pre-norm layers: Llama-shaped with gated feed-forward, or Mimi's with GELU and layer scales.
#pragma once

#include "speech-ops.h"

namespace parley::speech {

// @param x [hidden, columns]
// @param tap_as when not empty, every layer's output is tapped as "<tap_as>.<layer>"
// @param projected when given, gets every layer's queries, keys and values, readable after the graph has run
// @returns output of the last layer, before any output norm
ggml_tensor * run_layers(Graph & g, const Ops & ops, const Transformer & transformer, ggml_tensor * x, const Cache & cache,
                         const Positions & positions, const std::string & tap_as = "",
                         std::vector<ggml_tensor *> * projected = nullptr);

}  // namespace parley::speech
