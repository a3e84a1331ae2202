// The backbone over many positions at once: prompts before speaking, and whole conversations for those who look at
// hidden states and logits.
#pragma once

#include "speech-ops.h"

namespace parley::speech {

// Positions of a prompt: text ids, or frames of codes where the id is AUDIO_FRAME.
struct Prompt {
    static constexpr int32_t AUDIO_FRAME = -1;
    std::vector<int32_t> ids;
    std::vector<int32_t> codes;  // [audio frames][codebooks], in the order of the frames

    // @throws std::invalid_argument naming the id or code that is out of range, or a wrong number of codes
    void check(const Config & config) const;
};

// Input rows of a checked prompt, [positions][hidden]. The text id that ends audio is embedded as a frame of eos codes.
std::vector<float> embed_prompt(const Model & model, const Prompt & prompt);

// Runs `count` rows through the backbone behind the positions that the sequence's cache already holds.
// @param rows [count][hidden]
void extend(const Model & model, const Backend & backend, const Ops & ops, const Cache & cache, int32_t sequence, int32_t position,
            const float * rows, int32_t count);

struct Hidden {
    std::vector<float> states;  // [layers + 1][count][hidden]: the input, then each layer's output, the last one normed
    std::vector<float> logits;  // backbone: [count][audio_vocab]; depth decoder: [count][codebooks - 1][audio_vocab]
};

// As extend(), and brings back everything on the way.
// @param queries when given: each layer's queries before their rotation, [count][heads * head_dim]
Hidden inspect_backbone(const Model & model, const Backend & backend, const Ops & ops, const Cache & cache, int32_t position,
                        const float * rows, int32_t count, std::vector<std::vector<float>> * queries = nullptr);

// What positions first to first + count - 1 of a sequence of `total` attend to: [heads][count][total].
// @param keys    the layer's float32 cache, with all `total` positions in it
// @param queries of all positions, as inspect_backbone gives them
std::vector<float> attention_weights(const Model & model, const Backend & backend, ggml_tensor * keys, const std::vector<float> & queries,
                                     int32_t first, int32_t count, int32_t total);

// The depth decoder over whole frames. states: [layers + 1][count][codebooks][hidden].
// @param hidden [count][backbone hidden], the backbone's normed state before each frame
// @param codes  [count][codebooks], checked
Hidden inspect_depth(const Model & model, const Backend & backend, const Ops & ops, const float * hidden, const int32_t * codes, int32_t count);

}  // namespace parley::speech
