// The networks' operations as plain ggml nodes: for every CPU and every backend.
#include <algorithm>
#include <cmath>

#include "speech-ops.h"

namespace parley::speech {

namespace {

class GgmlOps : public Ops {
  public:
    explicit GgmlOps(bool overlap) : overlap(overlap) {}

    Positions positions(Store & store, const Transformer & transformer, const Cache & cache, int32_t tokens, int32_t sequences,
                        int32_t first_sequence, int32_t window, int32_t seen) const override {
        Positions at;
        at.tokens         = tokens;
        at.sequences      = sequences;
        at.first_sequence = first_sequence;
        at.window         = window;
        at.slots          = cache.slots;
        at.seen           = seen;
        at.transformer    = &transformer;
        at.ids            = store.add(GGML_TYPE_I32, tokens * sequences);
        at.rows           = store.add(GGML_TYPE_I64, tokens * sequences);
        at.mask           = store.add(GGML_TYPE_F16, seen, tokens, 1, sequences);
        return at;
    }

    ggml_tensor * normalize(Graph & g, ggml_tensor * x, const Norm & norm) const override { return normalized(g.context(), x, norm); }

    ggml_tensor * linear(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm, const Epilogue & epilogue) const override {
        ggml_context * ctx = g.context();
        return finish(ctx, product(ctx, w, normalized(ctx, x, norm)), epilogue);
    }

    ggml_tensor * gated(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm) const override {
        ggml_context * ctx = g.context();
        ggml_tensor * normed = normalized(ctx, x, norm);
        return ggml_swiglu_split(ctx, multiply(ctx, w.parts[0], normed), multiply(ctx, w.parts[1], normed));
    }

    ggml_tensor * attention(Graph & g, const Transformer & transformer, ggml_tensor * qkv, const Cache & cache, int32_t layer,
                            const Positions & at) const override {
        ggml_context * ctx = g.context();
        const TransformerShape & shape = transformer.shape;
        const int64_t columns = qkv->ne[1];
        const size_t  head    = shape.head_dim * sizeof(float);

        ggml_tensor * q = ggml_view_3d(ctx, qkv, shape.head_dim, shape.heads, columns, head, qkv->nb[1], 0);
        ggml_tensor * k = ggml_view_3d(ctx, qkv, shape.head_dim, shape.kv_heads, columns, head, qkv->nb[1], shape.heads * head);
        ggml_tensor * v = ggml_view_2d(ctx, qkv, shape.kv_rows(), columns, qkv->nb[1], (shape.heads + shape.kv_heads) * head);
        q = rotate(ctx, transformer, q, at);
        k = rotate(ctx, transformer, k, at);
        store_rows(g, cache.keys[layer], ggml_reshape_2d(ctx, k, shape.kv_rows(), columns), at);
        store_rows(g, cache.values[layer], v, at);

        q = ggml_reshape_4d(ctx, q, shape.head_dim, shape.heads, at.tokens, at.sequences);
        q = ggml_permute(ctx, q, 0, 2, 1, 3);
        const float scale = 1.0f / std::sqrt((float) shape.head_dim);
        ggml_tensor * out = ggml_flash_attn_ext(ctx, q, heads_view(ctx, cache.keys[layer], shape, at),
                                                heads_view(ctx, cache.values[layer], shape, at), at.mask, scale, 0.0f, 0.0f);
        ggml_prec_set_acc(out, GGML_PREC_F32);
        return ggml_reshape_2d(ctx, out, shape.query_rows(), columns);
    }

    // One product per run of steps that windows do not share: such a run is a strided view of the input.
    ggml_tensor * conv(Graph & g, const Conv & conv, ggml_tensor * x, ggml_tensor * history, const Epilogue & epilogue) const override {
        ggml_context * ctx = g.context();
        const ggml_tensor * w = conv.weight.parts[0];
        const int64_t channels = conv.channels_in;
        const int64_t steps    = x->ne[1] / conv.stride;
        const int64_t run      = conv.dilation == 1 ? conv.stride : 1;
        ggml_tensor * input = history == nullptr ? x : ggml_concat(ctx, history, x, 1);

        ggml_tensor * y = nullptr;
        for (int64_t tap = 0; tap < conv.kernel; tap += run) {
            const int64_t width = std::min<int64_t>(run, conv.kernel - tap) * channels;
            ggml_tensor * windows = ggml_view_2d(ctx, input, width, steps, conv.stride * input->nb[1], tap * conv.dilation * input->nb[1]);
            ggml_tensor * taps = ggml_view_2d(ctx, const_cast<ggml_tensor *>(w), width, w->ne[1], w->nb[1], tap * channels * w->nb[0]);
            ggml_tensor * part = ggml_mul_mat(ctx, taps, overlap ? windows : ggml_cont(ctx, windows));
            y = y == nullptr ? part : ggml_add(ctx, y, part);
        }
        if (history != nullptr) {
            ggml_tensor * end = ggml_view_2d(ctx, input, channels, conv.history(), input->nb[1], x->ne[1] * input->nb[1]);
            g.add(ggml_cpy(ctx, end, history));
        }
        y = ggml_reshape_2d(ctx, y, conv.channels_out, steps * conv.unfold);
        if (conv.bias != nullptr) {
            y = ggml_add(ctx, y, conv.bias);
        }
        return finish(ctx, y, epilogue);
    }

    ggml_tensor * elu(Graph & g, ggml_tensor * x) const override { return ggml_elu(g.context(), x); }

    ggml_tensor * embed(Graph & g, const ggml_tensor * table, int64_t first_row, ggml_tensor * ids) const override {
        ggml_context * ctx = g.context();
        ggml_tensor * rows = ggml_view_2d(ctx, const_cast<ggml_tensor *>(table), table->ne[0], table->ne[1] - first_row, table->nb[1], first_row * table->nb[1]);
        return ggml_get_rows(ctx, rows, ids);
    }

    ggml_tensor * embed_frames(Graph & g, const ggml_tensor * table, int64_t vocabulary, ggml_tensor * codes) const override {
        ggml_context * ctx = g.context();
        ggml_tensor * sum = nullptr;
        for (int64_t k = 0; k < codes->ne[1]; ++k) {
            ggml_tensor * ids = ggml_view_1d(ctx, codes, codes->ne[0], k * codes->nb[1]);
            ggml_tensor * found = embed(g, table, k * vocabulary, ids);
            sum = sum == nullptr ? found : ggml_add(ctx, sum, found);
        }
        return sum;
    }

    // The drawn id is the first one whose cumulated probability exceeds the uniform.
    ggml_tensor * sample(Graph & g, ggml_tensor * logits, ggml_tensor * uniforms, const Sampling & sampling) const override {
        ggml_context * ctx = g.context();
        const int64_t vocabulary = logits->ne[0];
        const int64_t columns    = logits->ne[1];
        if (sampling.temperature == 0.0f) {
            return ggml_argmax(ctx, logits);
        }
        const bool all = sampling.top_k <= 0 || sampling.top_k >= vocabulary;
        const int64_t kept = all ? vocabulary : sampling.top_k;
        ggml_tensor * ids = all ? nullptr : ggml_top_k(ctx, logits, (int) kept);
        ggml_tensor * values = logits;
        if (ids != nullptr) {
            values = ggml_get_rows(ctx, ggml_reshape_3d(ctx, logits, 1, vocabulary, columns), ids);
            values = ggml_reshape_2d(ctx, values, kept, columns);
        }
        ggml_tensor * probabilities = ggml_soft_max_ext(ctx, values, nullptr, 1.0f / sampling.temperature, 0.0f);
        ggml_tensor * cumulated = ggml_cumsum(ctx, probabilities);
        ggml_tensor * above = ggml_step(ctx, ggml_sub(ctx, cumulated, ggml_reshape_2d(ctx, uniforms, 1, columns)));
        ggml_tensor * passed = ggml_scale_bias(ctx, ggml_sum_rows(ctx, above), -1.0f, (float) kept);
        // Rounding may leave the last cumulated value below the uniform: the last id is then drawn.
        ggml_tensor * index = ggml_cast(ctx, ggml_clamp(ctx, passed, 0.0f, (float) (kept - 1)), GGML_TYPE_I32);
        if (ids == nullptr) {
            return ggml_reshape_1d(ctx, index, columns);
        }
        ggml_tensor * drawn = ggml_get_rows(ctx, ggml_reshape_3d(ctx, ids, 1, kept, columns), ggml_reshape_2d(ctx, index, 1, columns));
        return ggml_reshape_1d(ctx, drawn, columns);
    }

    // |r - e|^2 = |r|^2 - 2 (r e - |e|^2 / 2): the nearest entry has the largest bracket.
    ggml_tensor * nearest(Graph & g, const ggml_tensor * codebook, ggml_tensor * half_norms, ggml_tensor * residual) const override {
        ggml_context * ctx = g.context();
        return ggml_argmax(ctx, ggml_sub(ctx, multiply(ctx, codebook, residual), half_norms));
    }

  private:
    const bool overlap;

    static ggml_tensor * multiply(ggml_context * ctx, const ggml_tensor * w, ggml_tensor * x) {
        return ggml_mul_mat(ctx, const_cast<ggml_tensor *>(w), x);
    }

    static ggml_tensor * finish(ggml_context * ctx, ggml_tensor * y, const Epilogue & epilogue) {
        y = epilogue.gelu ? ggml_gelu_erf(ctx, y) : y;
        y = epilogue.scale != nullptr ? ggml_mul(ctx, y, epilogue.scale) : y;
        y = epilogue.residual != nullptr ? ggml_add(ctx, y, epilogue.residual) : y;
        return epilogue.elu ? ggml_elu(ctx, y) : y;
    }

    static ggml_tensor * product(ggml_context * ctx, const Matrix & w, ggml_tensor * x) {
        ggml_tensor * y = multiply(ctx, w.parts[0], x);
        for (size_t i = 1; i < w.parts.size(); ++i) {
            y = ggml_concat(ctx, y, multiply(ctx, w.parts[i], x), 0);
        }
        return y;
    }

    static ggml_tensor * normalized(ggml_context * ctx, ggml_tensor * x, const Norm & norm) {
        switch (norm.kind) {
            case Norm::Kind::none:  return x;
            case Norm::Kind::rms:   return ggml_mul(ctx, ggml_rms_norm(ctx, x, norm.eps), norm.weight);
            case Norm::Kind::layer: return ggml_add(ctx, ggml_mul(ctx, ggml_norm(ctx, x, norm.eps), norm.weight), norm.bias);
        }
        return x;
    }

    static ggml_tensor * rotate(ggml_context * ctx, const Transformer & transformer, ggml_tensor * x, const Positions & at) {
        const TransformerShape & shape = transformer.shape;
        return ggml_rope_ext(ctx, x, at.ids, const_cast<ggml_tensor *>(transformer.rope_factors), shape.head_dim, GGML_ROPE_TYPE_NEOX,
                             shape.context, shape.rope_theta, 1.0f, 0.0f, 1.0f, 0.0f, 0.0f);
    }

    static void store_rows(Graph & g, ggml_tensor * cache, ggml_tensor * rows, const Positions & at) {
        ggml_tensor * flat = ggml_reshape_2d(g.context(), cache, cache->ne[0], cache->ne[1] * cache->ne[2]);
        g.add(ggml_set_rows(g.context(), flat, rows, at.rows));
    }

    // [head_dim, seen, kv_heads, sequences] of a cache
    static ggml_tensor * heads_view(ggml_context * ctx, ggml_tensor * cache, const TransformerShape & shape, const Positions & at) {
        const size_t head = ggml_row_size(cache->type, shape.head_dim);
        return ggml_view_4d(ctx, cache, shape.head_dim, at.seen, shape.kv_heads, at.sequences, cache->nb[1], head, cache->nb[2],
                            at.first_sequence * cache->nb[2]);
    }
};

}  // namespace

std::unique_ptr<Ops> make_ggml_ops(bool overlap) {
    return std::make_unique<GgmlOps>(overlap);
}

}  // namespace parley::speech
