// The weights of a csm GGUF file, by the place they have in the computation.
#pragma once

#include <string>
#include <vector>

#include "speech-config.h"
#include "speech-file.h"
#include "speech-graph.h"
#include "speech-placement.h"

namespace parley::speech {

// y[rows] = W x[cols]. Several parts stand for their rows one after the other: q, k and v; gate and up.
struct Matrix {
    std::vector<const ggml_tensor *> parts;
    std::vector<const PackedMatrix *> packed;  // the same parts for the fused kernels; empty where there are none
    int64_t rows = 0;
    int64_t cols = 0;
};

struct Norm {
    enum class Kind { none, rms, layer };
    Kind kind = Kind::none;
    ggml_tensor * weight = nullptr;
    ggml_tensor * bias   = nullptr;  // layer norm only
    float eps = 0.0f;
};

struct Layer {
    Norm   attn_norm;
    Matrix qkv;
    Matrix attn_output;
    ggml_tensor * attn_scale = nullptr;  // Mimi: per-channel factor of what attention adds
    Norm   ffn_norm;
    Matrix ffn_in;                       // Llama: gate and up; Mimi: one matrix and GELU
    Matrix ffn_down;
    ggml_tensor * ffn_scale = nullptr;
};

struct Transformer {
    TransformerShape shape;
    std::vector<Layer> layers;
    Norm output_norm;                       // none in Mimi
    const ggml_tensor * rope_factors = nullptr;  // divisors of the rotary frequencies, [head_dim / 2]
};

// A causal convolution, or a transposed one, over [channels, time] as a product with windows of the input:
// output step t reads `kernel` input steps from t * stride on. The weight's columns are [kernel][channels in].
struct Conv {
    Matrix  weight;
    ggml_tensor * bias = nullptr;
    int32_t channels_in;
    int32_t channels_out;
    int32_t kernel;    // input steps per window
    int32_t stride;    // input steps between windows
    int32_t dilation;  // distance of the steps of a window
    int32_t unfold;    // output steps per window: more than 1 for a transposed convolution

    // Input steps that a window reaches back before the first new one.
    int32_t history() const { return (kernel - 1) * dilation + 1 - stride; }
};

struct ResidualBlock {
    Conv narrow;
    Conv widen;
};

// One resampling step of the codec and the residual blocks beside it.
struct CodecStage {
    std::vector<ResidualBlock> blocks;
    Conv resample;
};

struct Encoder {
    Conv input;
    std::vector<CodecStage> stages;
    Conv output;
    Transformer transformer;
    Conv downsample;
};

struct Decoder {
    Conv upsample;
    Transformer transformer;
    Conv input;
    std::vector<CodecStage> stages;
    Conv output;
};

// One residual quantizer; the projections are absent when the codec's width is the codebooks' width.
struct Quantizer {
    Matrix input;
    Matrix output;
    std::vector<const ggml_tensor *> codebooks;   // [codebook_dim, codebook_size]
    std::vector<ggml_tensor *> half_norms;        // |entry|^2 / 2, [codebook_size]
};

// Embeddings. Both are the same tensor where graphs compute on the CPU.
struct Table {
    const ggml_tensor * rows    = nullptr;  // for graphs
    const ggml_tensor * in_file = nullptr;  // for reading rows without one
};

struct Weights {
    Transformer backbone;
    Transformer depth;
    const ggml_tensor * text_embeddings;         // in the file: no graph looks them up
    Table audio_embeddings;                      // row k * audio_vocab + code
    Table depth_embeddings;
    Matrix head;                                 // codebook 0
    Matrix depth_projection;
    std::vector<Matrix> depth_heads;             // codebook p at p - 1
    Encoder encoder;
    Decoder decoder;
    Quantizer semantic;
    Quantizer acoustic;
};

// A loaded model: file, sizes and weights in the memory they are computed from.
class Model {
  public:
    // @param kernels that will compute with the weights; nullptr: ggml itself
    // @throws FileError, std::bad_alloc
    Model(const std::string & path, const Backend & backend, const Kernels * kernels);

    const Config & config() const { return sizes; }
    const Weights & weights() const { return tensors; }
    // Bytes of weights held beside the mapped file.
    size_t copied_bytes() const { return placement.copied_bytes(); }

  private:
    friend class WeightLoader;
    ModelFile file;
    Config    sizes;
    Weights   tensors;
    Placement placement;
    Store     derived;
};

}  // namespace parley::speech
