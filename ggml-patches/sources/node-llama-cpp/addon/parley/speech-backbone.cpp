#include "speech-backbone.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "speech-transformer.h"

namespace parley::speech {

namespace {

constexpr size_t NODES_PER_LAYER = 40;

void add_row(const ggml_tensor * table, int64_t row, std::vector<float> & expanded, float * sum) {
    const char * source = (const char *) table->data + row * table->nb[1];
    const auto expand = ggml_get_type_traits(table->type)->to_float;
    if (table->type == GGML_TYPE_F32) {
        memcpy(expanded.data(), source, table->ne[0] * sizeof(float));
    } else {
        expand(source, expanded.data(), table->ne[0]);
    }
    for (int64_t i = 0; i < table->ne[0]; ++i) {
        sum[i] += expanded[i];
    }
}

std::vector<float> contents(const ggml_tensor * tensor) {
    std::vector<float> values(ggml_nelements(tensor));
    ggml_backend_tensor_get(tensor, values.data(), 0, ggml_nbytes(tensor));
    return values;
}

void append(std::vector<float> & all, const std::vector<float> & more) {
    all.insert(all.end(), more.begin(), more.end());
}

// A graph over `count` columns of the backbone, with its input.
struct BackboneGraph {
    Store         store;
    Graph         graph;
    ggml_tensor * input;
    Positions     positions;

    BackboneGraph(const Model & model, const Backend & backend, const Ops & ops, const Cache & cache, int32_t sequence, int32_t position,
                  const float * rows, int32_t count)
        : graph(NODES_PER_LAYER * (model.config().backbone.layers + 2)) {
        const int32_t seen = std::min(cache.slots, position + count);
        input     = store.add(GGML_TYPE_F32, model.config().backbone.hidden, count);
        positions = ops.positions(store, model.weights().backbone, cache, count, 1, sequence, 0, seen);
        store.allocate(backend);
        ggml_backend_tensor_set(input, rows, 0, ggml_nbytes(input));
        std::vector<int32_t> at(count);
        for (int32_t i = 0; i < count; ++i) {
            at[i] = position + i;
        }
        positions.write(at);
    }
};

}  // namespace

void Prompt::check(const Config & config) const {
    int64_t frames = 0;
    for (int32_t id : ids) {
        frames += id == AUDIO_FRAME;
        if (id != AUDIO_FRAME && (id < 0 || id >= config.text_vocab)) {
            throw std::invalid_argument("token id " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(config.text_vocab));
        }
    }
    if ((int64_t) codes.size() != frames * config.codebooks) {
        throw std::invalid_argument(std::to_string(codes.size()) + " codes for " + std::to_string(frames) + " frames of " + std::to_string(config.codebooks));
    }
    for (int32_t code : codes) {
        if (code < 0 || code >= config.audio_vocab) {
            throw std::invalid_argument("code " + std::to_string(code) + " is outside the vocabulary of " + std::to_string(config.audio_vocab));
        }
    }
}

std::vector<float> embed_prompt(const Model & model, const Prompt & prompt) {
    const Config & config = model.config();
    const int64_t hidden = config.backbone.hidden;
    const ggml_tensor * audio = model.weights().audio_embeddings.in_file;
    std::vector<float> rows(prompt.ids.size() * hidden, 0.0f);
    std::vector<float> expanded(hidden);
    const int32_t * frame = prompt.codes.data();
    for (size_t i = 0; i < prompt.ids.size(); ++i) {
        float * row = rows.data() + i * hidden;
        const int32_t id = prompt.ids[i];
        if (id != Prompt::AUDIO_FRAME && id != config.audio_eos_token) {
            add_row(model.weights().text_embeddings, id, expanded, row);
            continue;
        }
        for (int64_t k = 0; k < config.codebooks; ++k) {
            const int32_t code = id == Prompt::AUDIO_FRAME ? frame[k] : config.eos_code;
            add_row(audio, k * config.audio_vocab + code, expanded, row);
        }
        frame += id == Prompt::AUDIO_FRAME ? config.codebooks : 0;
    }
    return rows;
}

void extend(const Model & model, const Backend & backend, const Ops & ops, const Cache & cache, int32_t sequence, int32_t position,
            const float * rows, int32_t count) {
    BackboneGraph b(model, backend, ops, cache, sequence, position, rows, count);
    b.graph.add(run_layers(b.graph, ops, model.weights().backbone, b.input, cache, b.positions));
    b.graph.allocate(backend);
    b.graph.compute(backend);
}

Hidden inspect_backbone(const Model & model, const Backend & backend, const Ops & ops, const Cache & cache, int32_t position,
                        const float * rows, int32_t count, std::vector<std::vector<float>> * queries) {
    const Weights & w = model.weights();
    std::vector<ggml_tensor *> projected;
    BackboneGraph b(model, backend, ops, cache, 0, position, rows, count);
    ggml_tensor * last = run_layers(b.graph, ops, w.backbone, b.input, cache, b.positions, "layer", queries == nullptr ? nullptr : &projected);
    ggml_tensor * normed = ops.normalize(b.graph, last, w.backbone.output_norm);
    b.graph.tap("normed", normed);
    b.graph.tap("logits", ops.linear(b.graph, w.head, normed, {}, {}));
    b.graph.allocate(backend);
    b.graph.compute(backend);

    Hidden hidden;
    hidden.states.assign(rows, rows + (size_t) count * model.config().backbone.hidden);
    const auto & taps = b.graph.taps();
    for (size_t i = 0; i + 3 < taps.size(); ++i) {
        append(hidden.states, contents(taps[i].second));
    }
    append(hidden.states, contents(taps[taps.size() - 2].second));
    hidden.logits = contents(taps.back().second);
    for (const ggml_tensor * qkv : projected) {
        const size_t width = model.config().backbone.query_rows();
        const std::vector<float> values = contents(qkv);
        std::vector<float> & layer = queries->emplace_back(count * width);
        for (int32_t i = 0; i < count; ++i) {
            std::copy_n(values.begin() + i * qkv->ne[0], width, layer.begin() + i * width);
        }
    }
    return hidden;
}

std::vector<float> attention_weights(const Model & model, const Backend & backend, ggml_tensor * keys, const std::vector<float> & queries,
                                     int32_t first, int32_t count, int32_t total) {
    const Transformer & transformer = model.weights().backbone;
    const TransformerShape & shape = transformer.shape;
    Store store;
    Graph graph(16);
    ggml_context * ctx = graph.context();
    ggml_tensor * q    = store.add(GGML_TYPE_F32, shape.head_dim, shape.heads, count);
    ggml_tensor * at   = store.add(GGML_TYPE_I32, count);
    ggml_tensor * mask = store.add(GGML_TYPE_F32, total, count);
    store.allocate(backend);

    ggml_tensor * turned = ggml_rope_ext(ctx, q, at, const_cast<ggml_tensor *>(transformer.rope_factors), shape.head_dim, GGML_ROPE_TYPE_NEOX,
                                         shape.context, shape.rope_theta, 1.0f, 0.0f, 1.0f, 0.0f, 0.0f);
    ggml_tensor * k = ggml_view_3d(ctx, keys, shape.head_dim, total, shape.kv_heads, keys->nb[1], ggml_row_size(keys->type, shape.head_dim), 0);
    ggml_tensor * scores = ggml_mul_mat(ctx, k, ggml_permute(ctx, turned, 0, 2, 1, 3));
    ggml_tensor * weights = ggml_soft_max_ext(ctx, scores, mask, 1.0f / std::sqrt((float) shape.head_dim), 0.0f);
    ggml_set_output(weights);
    graph.add(weights);
    graph.allocate(backend);

    std::vector<int32_t> positions(count);
    std::vector<float> hidden((size_t) count * total, 0.0f);
    for (int32_t i = 0; i < count; ++i) {
        positions[i] = first + i;
        std::fill_n(hidden.begin() + (size_t) i * total + first + i + 1, total - first - i - 1, -std::numeric_limits<float>::infinity());
    }
    ggml_backend_tensor_set(at, positions.data(), 0, ggml_nbytes(at));
    ggml_backend_tensor_set(mask, hidden.data(), 0, ggml_nbytes(mask));
    ggml_backend_tensor_set(q, queries.data() + (size_t) first * shape.query_rows(), 0, ggml_nbytes(q));
    graph.compute(backend);
    return contents(weights);
}

Hidden inspect_depth(const Model & model, const Backend & backend, const Ops & ops, const float * hidden, const int32_t * codes, int32_t count) {
    const Config & config = model.config();
    const Weights & w = model.weights();
    const int32_t tokens = config.codebooks, columns = tokens * count;
    const int64_t width = config.backbone.hidden;

    // Position 0 is fed the backbone's state, position p > 0 the embedding of code p - 1.
    std::vector<float> rows((size_t) columns * width, 0.0f);
    std::vector<float> expanded(width);
    std::vector<int32_t> at(columns);
    for (int32_t column = 0; column < columns; ++column) {
        const int32_t frame = column / tokens, p = column % tokens;
        float * row = rows.data() + column * width;
        at[column] = p;
        if (p == 0) {
            memcpy(row, hidden + frame * width, width * sizeof(float));
        } else {
            add_row(w.depth_embeddings.in_file, (int64_t) (p - 1) * config.audio_vocab + codes[frame * tokens + p - 1], expanded, row);
        }
    }

    Store store;
    Graph graph(NODES_PER_LAYER * (config.depth.layers + 2) + 8 * tokens);
    Cache cache = make_cache(store, config.depth, GGML_TYPE_F32, tokens, count);
    Positions positions = ops.positions(store, w.depth, cache, tokens, count, 0, 0, tokens);
    ggml_tensor * input = store.add(GGML_TYPE_F32, width, columns);
    store.allocate(backend);
    positions.write(at);
    ggml_backend_tensor_set(input, rows.data(), 0, ggml_nbytes(input));

    ggml_tensor * x = ops.linear(graph, w.depth_projection, input, {}, {});
    graph.tap("input", x);
    x = run_layers(graph, ops, w.depth, x, cache, positions, "layer");
    x = ops.normalize(graph, x, w.depth.output_norm);
    graph.tap("normed", x);
    std::vector<ggml_tensor *> logits;
    for (int32_t p = 1; p < tokens; ++p) {
        ggml_tensor * step = ggml_view_2d(graph.context(), x, x->ne[0], count, tokens * x->nb[1], p * x->nb[1]);
        logits.push_back(ops.linear(graph, w.depth_heads[p - 1], step, {}, {}));
        ggml_set_output(logits.back());
        graph.add(logits.back());
    }
    graph.allocate(backend);
    graph.compute(backend);

    Hidden result;
    const auto & taps = graph.taps();
    for (size_t i = 0; i < taps.size(); ++i) {
        if (i + 2 != taps.size()) {  // of the last layer only the normed output is shown
            append(result.states, contents(taps[i].second));
        }
    }
    const int64_t vocabulary = config.audio_vocab;
    result.logits.resize((size_t) count * (tokens - 1) * vocabulary);
    for (int32_t p = 1; p < tokens; ++p) {
        const std::vector<float> values = contents(logits[p - 1]);
        for (int32_t frame = 0; frame < count; ++frame) {
            std::copy_n(values.begin() + frame * vocabulary, vocabulary, result.logits.begin() + (frame * (tokens - 1) + p - 1) * vocabulary);
        }
    }
    return result;
}

}  // namespace parley::speech
