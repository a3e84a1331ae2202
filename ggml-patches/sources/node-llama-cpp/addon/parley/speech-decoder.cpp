// Mimi from codes to audio: the graph of StreamDecoder (speech-codec.h).
#include <algorithm>

#include "speech-codec-graph.h"
#include "speech-transformer.h"

namespace parley::speech {

struct StreamDecoder::Chunk {
    int32_t frames;
    bool    tapped;
    Store store;
    Graph graph{ CODEC_NODES };
    Positions positions;
    ggml_tensor * codes;  // [frames, codebooks]
    ggml_tensor * audio;  // [1, samples]
};

namespace {

std::vector<const Conv *> convs_in_order(const Decoder & decoder) {
    std::vector<const Conv *> convs = { &decoder.upsample, &decoder.input };
    for (const CodecStage & stage : decoder.stages) {
        convs.push_back(&stage.resample);
        for (const ResidualBlock & block : stage.blocks) {
            convs.push_back(&block.narrow);
            convs.push_back(&block.widen);
        }
    }
    convs.push_back(&decoder.output);
    return convs;
}

// Sum of the chosen entries, projected to the codec's width. codes [frames, codebooks]
ggml_tensor * dequantize(Graph & g, const Ops & ops, const Quantizer & quantizer, ggml_tensor * codes, int64_t first) {
    ggml_context * ctx = g.context();
    ggml_tensor * sum = nullptr;
    for (size_t k = 0; k < quantizer.codebooks.size(); ++k) {
        ggml_tensor * ids = ggml_view_1d(ctx, codes, codes->ne[0], (first + k) * codes->nb[1]);
        ggml_tensor * entries = ops.embed(g, quantizer.codebooks[k], 0, ids);
        sum = sum == nullptr ? entries : ggml_add(ctx, sum, entries);
    }
    return sum == nullptr || quantizer.output.parts.empty() ? sum : ops.linear(g, quantizer.output, sum, {}, {});
}

}  // namespace

StreamDecoder::StreamDecoder(const Model & model, const Backend & backend, const Ops & ops)
    : model(model), backend(backend), ops(ops), state(backend, convs_in_order(model.weights().decoder), model.config().mimi) {}

StreamDecoder::~StreamDecoder() = default;

StreamDecoder::Chunk & StreamDecoder::chunk(int32_t frames, bool tapped) {
    if (latest != nullptr && latest->frames == frames && latest->tapped == tapped) {
        return *latest;
    }
    const MimiShape & mimi = model.config().mimi;
    const Decoder & decoder = model.weights().decoder;
    latest.reset();  // gives its memory back first
    auto made = std::make_unique<Chunk>();
    Chunk & c = *made;
    c.frames    = frames;
    c.tapped    = tapped;
    c.codes     = c.store.add(GGML_TYPE_I32, frames, mimi.codebooks);
    c.positions = ops.positions(c.store, decoder.transformer, state.cache, frames * mimi.steps_per_frame(), 1, 0, mimi.window, state.cache.slots);
    c.store.allocate(backend);

    CodecGraph build(c.graph, ops, state, tapped);
    ggml_tensor * x = dequantize(c.graph, ops, model.weights().semantic, c.codes, 0);
    ggml_tensor * acoustic = dequantize(c.graph, ops, model.weights().acoustic, c.codes, mimi.semantic);
    if (acoustic != nullptr) {
        x = ggml_add(c.graph.context(), x, acoustic);
    }
    build.tap("quantized", x);
    x = build.conv(decoder.upsample, x, "upsample");
    x = run_layers(c.graph, ops, decoder.transformer, x, state.cache, c.positions, tapped ? "decoder_transformer" : "");
    x = build.activated(decoder.input, x, "decoder.input");
    for (size_t s = 0; s < decoder.stages.size(); ++s) {
        const std::string at = "decoder." + std::to_string(s);
        x = build.conv(decoder.stages[s].resample, x, at + ".resample");
        x = build.activated(decoder.stages[s].blocks, x, at);
    }
    c.audio = build.conv(decoder.output, x, "decoder.output");
    ggml_set_output(c.audio);
    c.graph.add(c.audio);
    c.graph.allocate(backend);
    latest = std::move(made);
    return c;
}

std::vector<float> StreamDecoder::decode(const int32_t * codes, int32_t frames, Taps * taps) {
    const MimiShape & mimi = model.config().mimi;
    std::vector<float> audio;
    for (int32_t start = 0; start < frames; start += CODEC_CHUNK_FRAMES) {
        const int32_t count = std::min(CODEC_CHUNK_FRAMES, frames - start);
        Chunk & c = chunk(count, taps != nullptr);
        std::vector<int32_t> by_codebook(count * mimi.codebooks);
        for (int32_t t = 0; t < count; ++t) {
            for (int32_t k = 0; k < mimi.codebooks; ++k) {
                const int32_t code = codes[(start + t) * mimi.codebooks + k];
                by_codebook[k * count + t] = code >= 0 && code < mimi.codebook_size ? code : 0;
            }
        }
        ggml_backend_tensor_set(c.codes, by_codebook.data(), 0, ggml_nbytes(c.codes));
        c.positions.write(consecutive(state.position, count * mimi.steps_per_frame()));
        c.graph.compute(backend);
        state.position += count * mimi.steps_per_frame();

        const size_t offset = audio.size();
        audio.resize(offset + ggml_nelements(c.audio));
        ggml_backend_tensor_get(c.audio, audio.data() + offset, 0, ggml_nbytes(c.audio));
        collect_taps(c.graph, taps);
    }
    return audio;
}

size_t StreamDecoder::bytes() const {
    return state.store.bytes() + (latest == nullptr ? 0 : latest->graph.bytes() + latest->store.bytes());
}

}  // namespace parley::speech
