// The operations the networks are built from. Two implementations: plain ggml nodes, which every backend runs,
// and fused nodes for CPUs whose vector units they are written for.
#pragma once

#include <memory>

#include "speech-weights.h"

namespace parley::speech {

// What happens to a product before it is stored: y = elu(residual + scale * gelu(W x)), as far as asked for.
struct Epilogue {
    bool          gelu     = false;
    ggml_tensor * scale    = nullptr;  // [rows]
    ggml_tensor * residual = nullptr;  // the shape of y
    bool          elu      = false;
};

// Keys and values of one transformer: per layer [kv_rows, slots, sequences]. Slot = position modulo slots.
struct Cache {
    std::vector<ggml_tensor *> keys;
    std::vector<ggml_tensor *> values;
    int32_t slots     = 0;
    int32_t sequences = 0;
};

Cache make_cache(Store & store, const TransformerShape & shape, ggml_type type, int32_t slots, int32_t sequences);

// Which positions a graph's columns stand at: column s * tokens + t is token t of sequence first_sequence + s.
// Lives in a Store, so that constant positions are written once.
struct Positions {
    int32_t tokens    = 0;
    int32_t sequences = 0;
    int32_t first_sequence = 0;
    int32_t window    = 0;              // 0: everything before is seen
    int32_t slots     = 0;
    int32_t seen      = 0;              // slots that a plain graph reads, at least the highest position + 1
    ggml_tensor * ids  = nullptr;       // I32 [columns]
    ggml_tensor * rows = nullptr;       // I64 [columns], row of the cache that a column writes
    ggml_tensor * mask = nullptr;       // F16 [seen, tokens, 1, sequences]
    ggml_tensor * angles = nullptr;     // F32 [head_dim, columns], cosines then sines

    const Transformer * transformer = nullptr;

    // @param positions one per column
    void write(const std::vector<int32_t> & positions) const;
};

struct Sampling {
    float   temperature = 1.0f;  // 0: the likeliest id, always
    int32_t top_k       = 0;     // 0: every id may be drawn
};

class Ops {
  public:
    virtual ~Ops() = default;

    // @param seen slots that a graph reads, where that is fixed when the graph is built
    virtual Positions positions(Store & store, const Transformer & transformer, const Cache & cache, int32_t tokens,
                                int32_t sequences, int32_t first_sequence, int32_t window, int32_t seen) const = 0;

    virtual ggml_tensor * normalize(Graph & g, ggml_tensor * x, const Norm & norm) const = 0;

    // x [cols, n] -> [rows, n]
    virtual ggml_tensor * linear(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm, const Epilogue & epilogue) const = 0;

    // silu(gate(norm(x))) * up(norm(x)); w holds gate and up. x [hidden, n] -> [ffn, n]
    virtual ggml_tensor * gated(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm) const = 0;

    // Rotates q and k, writes k and v into the cache and attends. qkv [query_rows + 2 * kv_rows, n] -> [query_rows, n]
    virtual ggml_tensor * attention(Graph & g, const Transformer & transformer, ggml_tensor * qkv, const Cache & cache,
                                    int32_t layer, const Positions & positions) const = 0;

    // x [channels in, time] behind history [channels in, conv.history()] -> [channels out, time / stride * unfold].
    // time is a multiple of the stride. The history is replaced by the end of x. The bias is the convolution's own.
    virtual ggml_tensor * conv(Graph & g, const Conv & conv, ggml_tensor * x, ggml_tensor * history, const Epilogue & epilogue) const = 0;

    virtual ggml_tensor * elu(Graph & g, ggml_tensor * x) const = 0;

    // Rows first_row + id of a table. ids I32 [n] -> [width, n]
    virtual ggml_tensor * embed(Graph & g, const ggml_tensor * table, int64_t first_row, ggml_tensor * ids) const = 0;

    // Sum over codebooks k of the rows k * vocabulary + codes[., k]. codes I32 [n, codebooks] -> [width, n]
    virtual ggml_tensor * embed_frames(Graph & g, const ggml_tensor * table, int64_t vocabulary, ggml_tensor * codes) const = 0;

    // logits [vocabulary, n], uniforms [n] in [0, 1) -> I32 [n]
    virtual ggml_tensor * sample(Graph & g, ggml_tensor * logits, ggml_tensor * uniforms, const Sampling & sampling) const = 0;

    // Residual [codebook_dim, n] -> index of the nearest entry, I32 [n]
    virtual ggml_tensor * nearest(Graph & g, const ggml_tensor * codebook, ggml_tensor * half_norms, ggml_tensor * residual) const = 0;
};

// @param overlap whether products may take overlapping rows, as ggml's for the CPU do; if not, rows are copied apart
std::unique_ptr<Ops> make_ggml_ops(bool overlap);

// Needs a Model that was loaded for these kernels.
std::unique_ptr<Ops> make_fused_ops(const Kernels & kernels);

}  // namespace parley::speech
