// One frame of speech for several sequences at once: a backbone step, codebook 0, the depth decoder's passes,
// sampling, and the embedding that the next frame starts from. One graph, built once and replayed.
#pragma once

#include "speech-ops.h"

namespace parley::speech {

// Weights that are no numbers, or that overflow: nothing can be drawn from such logits.
struct NotANumber : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What the backbone keeps between frames, for `width` sequences.
struct BackboneState {
    Store         store;
    Cache         cache;
    ggml_tensor * input;  // [hidden, width], what the next step reads

    BackboneState(const Model & model, const Backend & backend, ggml_type cache_type, int32_t context, int32_t width);
};

class FrameGraph {
  public:
    struct Options {
        int32_t  width;  // the first sequences of the state
        int32_t  seen;   // slots of the backbone's cache that the graph reads; positions stay below
        Sampling backbone;
        Sampling depth;
    };

    FrameGraph(const Model & model, const Backend & backend, const Ops & ops, BackboneState & state, const Options & options);

    // @param positions one per sequence
    // @param uniforms  [codebook][sequence], in [0, 1)
    // @param codes     [codebook][sequence], written
    // @throws NotANumber
    void step(const std::vector<int32_t> & positions, const std::vector<float> & uniforms, std::vector<int32_t> & codes);

    size_t bytes() const { return graph.bytes() + store.bytes(); }

  private:
    const Backend & backend;
    Options       options;
    Store         store;
    Graph         graph;
    Positions     positions;
    Cache         depth_cache;
    std::vector<Positions> depth_positions;  // of the first pass with two tokens, then one pass each
    ggml_tensor * uniforms;
    ggml_tensor * codes;
    std::vector<ggml_tensor *> logits;       // per codebook, [audio_vocab, width]
    std::vector<float>         read;         // logits of one codebook

    void build(const Model & model, const Ops & ops, BackboneState & state);
    ggml_tensor * depth_pass(const Model & model, const Ops & ops, ggml_tensor * x, int32_t codebook);
    void check_logits(const std::vector<int32_t> & at);
    ggml_tensor * draw(const Ops & ops, ggml_tensor * scores, int32_t codebook, const Sampling & sampling);
};

}  // namespace parley::speech
