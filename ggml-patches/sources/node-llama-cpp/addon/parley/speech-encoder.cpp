// Mimi from audio to codes: the graph of StreamEncoder (speech-codec.h).
#include <algorithm>

#include "speech-codec-graph.h"
#include "speech-transformer.h"

namespace parley::speech {

struct StreamEncoder::Chunk {
    int64_t samples;
    bool    first;   // of the stream
    bool    tapped;
    Store store;
    Graph graph{ CODEC_NODES };
    Positions positions;
    ggml_tensor * audio;               // [1, samples]
    std::vector<ggml_tensor *> codes;  // per codebook, [frames]
};

namespace {

std::vector<const Conv *> convs_in_order(const Encoder & encoder) {
    std::vector<const Conv *> convs = { &encoder.input };
    for (const CodecStage & stage : encoder.stages) {
        for (const ResidualBlock & block : stage.blocks) {
            convs.push_back(&block.narrow);
            convs.push_back(&block.widen);
        }
        convs.push_back(&stage.resample);
    }
    convs.push_back(&encoder.output);
    convs.push_back(&encoder.downsample);
    return convs;
}

int64_t steps_to_fill(const Conv & conv, int64_t steps) {
    return (conv.stride - steps % conv.stride) % conv.stride;
}

ggml_tensor * pad_with_zeros(ggml_context * ctx, const Conv & conv, ggml_tensor * x) {
    const int64_t missing = steps_to_fill(conv, x->ne[1]);
    return missing == 0 ? x : ggml_pad(ctx, x, 0, (int) missing, 0, 0);
}

ggml_tensor * repeat_step(ggml_context * ctx, ggml_tensor * x, int64_t step, int64_t times) {
    ggml_tensor * one = ggml_view_2d(ctx, x, x->ne[0], 1, x->nb[1], step * x->nb[1]);
    return ggml_repeat_4d(ctx, one, x->ne[0], times, 1, 1);
}

// Picks entries stage by stage from what the earlier ones left over.
void quantize(Graph & g, const Ops & ops, const Quantizer & quantizer, ggml_tensor * x, std::vector<ggml_tensor *> & codes) {
    ggml_tensor * residual = quantizer.input.parts.empty() ? x : ops.linear(g, quantizer.input, x, {}, {});
    for (size_t k = 0; k < quantizer.codebooks.size(); ++k) {
        ggml_tensor * code = ops.nearest(g, quantizer.codebooks[k], quantizer.half_norms[k], residual);
        ggml_set_output(code);
        g.add(code);
        codes.push_back(code);
        residual = ggml_sub(g.context(), residual, ops.embed(g, quantizer.codebooks[k], 0, code));
    }
}

}  // namespace

StreamEncoder::StreamEncoder(const Model & model, const Backend & backend, const Ops & ops)
    : model(model), backend(backend), ops(ops), state(backend, convs_in_order(model.weights().encoder), model.config().mimi) {}

StreamEncoder::~StreamEncoder() = default;

void StreamEncoder::reset() {
    state.reset();
    started = false;
}

StreamEncoder::Chunk & StreamEncoder::chunk(int64_t samples, bool first, bool tapped) {
    if (latest != nullptr && latest->samples == samples && latest->first == first && latest->tapped == tapped) {
        return *latest;
    }
    const MimiShape & mimi = model.config().mimi;
    const Encoder & encoder = model.weights().encoder;
    latest.reset();  // gives its memory back first
    auto made = std::make_unique<Chunk>();
    Chunk & c = *made;
    c.samples = samples;
    c.first   = first;
    c.tapped  = tapped;
    ggml_context * ctx = c.graph.context();

    int64_t steps = samples;
    for (const CodecStage & stage : encoder.stages) {
        steps = (steps + stage.resample.stride - 1) / stage.resample.stride;
    }
    c.audio     = c.store.add(GGML_TYPE_F32, 1, samples);
    c.positions = ops.positions(c.store, encoder.transformer, state.cache, (int32_t) steps, 1, 0, mimi.window, state.cache.slots);
    c.store.allocate(backend);

    CodecGraph build(c.graph, ops, state, tapped);
    ggml_tensor * x = build.conv(encoder.input, c.audio, "encoder.input");
    for (size_t s = 0; s < encoder.stages.size(); ++s) {
        const CodecStage & stage = encoder.stages[s];
        const std::string at = "encoder." + std::to_string(s);
        x = build.activated(stage.blocks, x, at);
        x = build.conv(stage.resample, pad_with_zeros(ctx, stage.resample, x), at + ".resample");
    }
    x = build.conv(encoder.output, ops.elu(c.graph, x), "encoder.output");
    x = run_layers(c.graph, ops, encoder.transformer, x, state.cache, c.positions, tapped ? "encoder_transformer" : "");

    // This one convolution continues its input beyond both ends instead of padding with zeros.
    ggml_tensor * history = build.next_history();
    if (first && history != nullptr) {
        c.graph.add(ggml_cpy(ctx, repeat_step(ctx, x, 0, history->ne[1]), history));
    }
    const int64_t missing = steps_to_fill(encoder.downsample, x->ne[1]);
    if (missing > 0) {
        x = ggml_concat(ctx, x, repeat_step(ctx, x, x->ne[1] - 1, missing), 1);
    }
    x = build.conv(encoder.downsample, x, "downsample");
    quantize(c.graph, ops, model.weights().semantic, x, c.codes);
    quantize(c.graph, ops, model.weights().acoustic, x, c.codes);
    c.graph.allocate(backend);
    latest = std::move(made);
    return c;
}

std::vector<int32_t> StreamEncoder::encode(const float * samples, int64_t count, Taps * taps) {
    const MimiShape & mimi = model.config().mimi;
    const int64_t most = (int64_t) CODEC_CHUNK_FRAMES * mimi.samples_per_frame();
    std::vector<int32_t> codes;
    for (int64_t start = 0; start < count; start += most) {
        const int64_t length = std::min(most, count - start);
        Chunk & c = chunk(length, !started, taps != nullptr);
        started = true;
        ggml_backend_tensor_set(c.audio, samples + start, 0, length * sizeof(float));
        c.positions.write(consecutive(state.position, c.positions.tokens));
        c.graph.compute(backend);
        state.position += c.positions.tokens;

        const int64_t frames = c.codes[0]->ne[0];
        const size_t  offset = codes.size();
        codes.resize(offset + frames * mimi.codebooks);
        std::vector<int32_t> column(frames);
        for (int32_t k = 0; k < mimi.codebooks; ++k) {
            ggml_backend_tensor_get(c.codes[k], column.data(), 0, frames * sizeof(int32_t));
            for (int64_t t = 0; t < frames; ++t) {
                codes[offset + t * mimi.codebooks + k] = column[t];
            }
        }
        collect_taps(c.graph, taps);
    }
    return codes;
}

size_t StreamEncoder::bytes() const {
    return state.store.bytes() + (latest == nullptr ? 0 : latest->graph.bytes() + latest->store.bytes());
}

}  // namespace parley::speech
