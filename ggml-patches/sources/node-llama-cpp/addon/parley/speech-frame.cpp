#include "speech-frame.h"

#include <algorithm>
#include <cmath>

#include "speech-transformer.h"

namespace parley::speech {

namespace {

// Nodes a plain ggml graph takes: per layer and pass, and per pass beside the layers.
constexpr size_t NODES_PER_LAYER = 40;
constexpr size_t NODES_PER_PASS  = 40;

size_t node_bound(const Config & config) {
    const size_t passes = config.codebooks;
    return NODES_PER_LAYER * (config.backbone.layers + passes * config.depth.layers) + NODES_PER_PASS * (passes + 2);
}

}  // namespace

BackboneState::BackboneState(const Model & model, const Backend & backend, ggml_type cache_type, int32_t context, int32_t width) {
    const TransformerShape & shape = model.config().backbone;
    cache = make_cache(store, shape, cache_type, context, width);
    input = store.add(GGML_TYPE_F32, shape.hidden, width);
    store.allocate(backend);
}

FrameGraph::FrameGraph(const Model & model, const Backend & backend, const Ops & ops, BackboneState & state, const Options & options)
    : backend(backend), options(options), graph(node_bound(model.config())) {
    const Config & config = model.config();
    const int32_t width = options.width;
    uniforms    = store.add(GGML_TYPE_F32, width, config.codebooks);
    codes       = store.add(GGML_TYPE_I32, width, config.codebooks);
    positions   = ops.positions(store, model.weights().backbone, state.cache, 1, width, 0, 0, options.seen);
    depth_cache = make_cache(store, config.depth, GGML_TYPE_F32, config.codebooks, width);
    for (int32_t p = 1; p < config.codebooks; ++p) {
        depth_positions.push_back(ops.positions(store, model.weights().depth, depth_cache, p == 1 ? 2 : 1, width, 0, 0, p + 1));
    }
    store.allocate(backend);
    for (int32_t p = 1; p < config.codebooks; ++p) {
        std::vector<int32_t> at;
        for (int32_t s = 0; s < width; ++s) {
            if (p == 1) {
                at.push_back(0);
            }
            at.push_back(p);
        }
        depth_positions[p - 1].write(at);
    }
    build(model, ops, state);
    graph.allocate(backend);
}

void FrameGraph::build(const Model & model, const Ops & ops, BackboneState & state) {
    ggml_context * ctx = graph.context();
    const Config & config = model.config();
    const Weights & w = model.weights();
    const int32_t width = options.width;

    ggml_tensor * input = ggml_view_2d(ctx, state.input, config.backbone.hidden, width, state.input->nb[1], 0);
    ggml_tensor * x = run_layers(graph, ops, w.backbone, input, state.cache, positions);
    ggml_tensor * hidden = ops.normalize(graph, x, w.backbone.output_norm);
    ggml_tensor * code = draw(ops, ops.linear(graph, w.head, hidden, {}, {}), 0, options.backbone);

    // Depth positions 0 and 1, the hidden state and code 0, go through in one pass: two columns per sequence.
    ggml_tensor * first = ggml_reshape_3d(ctx, hidden, config.backbone.hidden, 1, width);
    ggml_tensor * second = ops.embed(graph, w.depth_embeddings.rows, 0, code);
    second = ggml_reshape_3d(ctx, second, config.backbone.hidden, 1, width);
    x = ggml_reshape_2d(ctx, ggml_concat(ctx, first, second, 1), config.backbone.hidden, 2 * width);

    for (int32_t p = 1; p < config.codebooks; ++p) {
        code = draw(ops, depth_pass(model, ops, x, p), p, options.depth);
        if (p + 1 < config.codebooks) {
            x = ops.embed(graph, w.depth_embeddings.rows, (int64_t) p * config.audio_vocab, code);
        }
    }

    ggml_tensor * next = ops.embed_frames(graph, w.audio_embeddings.rows, config.audio_vocab, codes);
    graph.add(ggml_cpy(ctx, next, input));
}

// @param x [backbone hidden, columns]
// @returns logits of the codebook, [audio_vocab, width]
ggml_tensor * FrameGraph::depth_pass(const Model & model, const Ops & ops, ggml_tensor * x, int32_t codebook) {
    const Weights & w = model.weights();
    const Positions & at = depth_positions[codebook - 1];
    x = ops.linear(graph, w.depth_projection, x, {}, {});
    x = run_layers(graph, ops, w.depth, x, depth_cache, at);
    ggml_tensor * last = ggml_view_2d(graph.context(), x, x->ne[0], options.width, at.tokens * x->nb[1], (at.tokens - 1) * x->nb[1]);
    return ops.linear(graph, w.depth_heads[codebook - 1], last, w.depth.output_norm, {});
}

ggml_tensor * FrameGraph::draw(const Ops & ops, ggml_tensor * scores, int32_t codebook, const Sampling & sampling) {
    ggml_context * ctx = graph.context();
    ggml_set_output(scores);  // check_logits() reads them
    logits.push_back(scores);
    ggml_tensor * uniform = ggml_view_1d(ctx, uniforms, options.width, codebook * uniforms->nb[1]);
    ggml_tensor * code = ops.sample(graph, scores, uniform, sampling);
    ggml_tensor * kept = ggml_cpy(ctx, code, ggml_view_1d(ctx, codes, options.width, codebook * codes->nb[1]));
    graph.add(kept);
    return code;
}

void FrameGraph::step(const std::vector<int32_t> & at, const std::vector<float> & random, std::vector<int32_t> & out) {
    positions.write(at);
    ggml_backend_tensor_set(uniforms, random.data(), 0, ggml_nbytes(uniforms));
    graph.compute(backend);
    check_logits(at);
    out.resize(ggml_nelements(codes));
    ggml_backend_tensor_get(codes, out.data(), 0, ggml_nbytes(codes));
}

void FrameGraph::check_logits(const std::vector<int32_t> & at) {
    for (size_t codebook = 0; codebook < logits.size(); ++codebook) {
        const ggml_tensor * scores = logits[codebook];
        read.resize(ggml_nelements(scores));
        ggml_backend_tensor_get(scores, read.data(), 0, ggml_nbytes(scores));
        const auto bad = std::find_if_not(read.begin(), read.end(), [](float value) { return std::isfinite(value); });
        if (bad != read.end()) {
            const int32_t position = at[(bad - read.begin()) / scores->ne[0]];
            throw NotANumber("codebook " + std::to_string(codebook) + " at position " + std::to_string(position));
        }
    }
}

}  // namespace parley::speech
