#include "speech-weights.h"

#include <cstring>

namespace parley::speech {

namespace {

std::string numbered(const std::string & prefix, int number, const std::string & rest = "") {
    return prefix + std::to_string(number) + rest;
}

}  // namespace

// Finds tensors by name, checks their shapes and fills a Weights structure.
class WeightLoader {
  public:
    explicit WeightLoader(Model & model) : model(model), placement(model.placement) {}

    void load() {
        const Config & config = model.sizes;
        Weights & w = model.tensors;
        const int64_t hidden = config.backbone.hidden;
        const int64_t rows   = (int64_t) config.codebooks * config.audio_vocab;

        w.backbone = llama("", config.backbone);
        w.depth    = llama("depth.", config.depth);
        w.text_embeddings  = placement.in_place(expect("token_embd.weight", hidden, config.text_vocab));
        w.audio_embeddings = table("audio_embd.weight", hidden, rows);
        const bool own = model.file.find("depth.audio_embd.weight") != nullptr;
        w.depth_embeddings = own ? table("depth.audio_embd.weight", hidden, rows) : w.audio_embeddings;
        w.head             = matrix({ "output.weight" }, hidden, { config.audio_vocab });
        w.depth_projection = matrix({ "depth.proj.weight" }, hidden, { config.depth.hidden });
        for (int k = 1; k < config.codebooks; ++k) {
            w.depth_heads.push_back(matrix({ numbered("depth.output.", k, ".weight") }, config.depth.hidden, { config.audio_vocab }));
        }
        load_mimi(config.mimi, w);
    }

  private:
    Model &     model;
    Placement & placement;

    const ggml_tensor * expect(const std::string & name, int64_t ne0, int64_t ne1) {
        const ggml_tensor * tensor = model.file.find(name);
        if (tensor == nullptr) {
            throw FileError("tensor " + name + " is missing");
        }
        if (tensor->ne[0] != ne0 || tensor->ne[1] != ne1 || tensor->ne[2] != 1 || tensor->ne[3] != 1) {
            throw FileError("tensor " + name + " has shape [" + std::to_string(tensor->ne[0]) + ", " + std::to_string(tensor->ne[1]) +
                            "], expected [" + std::to_string(ne0) + ", " + std::to_string(ne1) + "]");
        }
        return tensor;
    }

    // Rows are looked up, never multiplied with.
    Table table(const std::string & name, int64_t ne0, int64_t ne1) {
        const ggml_tensor * tensor = expect(name, ne0, ne1);
        return { placement.for_lookups(tensor), placement.in_place(tensor) };
    }

    ggml_tensor * vector(const std::string & name, int64_t length) {
        const ggml_tensor * tensor = expect(name, length, 1);
        if (tensor->type != GGML_TYPE_F32) {
            throw FileError("tensor " + name + " must be F32, found " + ggml_type_name(tensor->type));
        }
        return placement.for_lookups(tensor);
    }

    Matrix matrix(const std::vector<std::string> & names, int64_t cols, const std::vector<int64_t> & rows) {
        Matrix result;
        result.cols = cols;
        for (size_t i = 0; i < names.size(); ++i) {
            placement.for_products(expect(names[i], cols, rows[i]), result.parts, result.packed);
            result.rows += rows[i];
        }
        return result;
    }

    Transformer transformer(const std::string & prefix, const TransformerShape & shape) {
        Transformer stack;
        stack.shape = shape;
        for (int i = 0; i < shape.layers; ++i) {
            const std::string at = numbered(prefix + "blk.", i, ".");
            Layer layer;
            layer.qkv = matrix({ at + "attn_q.weight", at + "attn_k.weight", at + "attn_v.weight" }, shape.hidden,
                               { shape.query_rows(), shape.kv_rows(), shape.kv_rows() });
            layer.attn_output = matrix({ at + "attn_output.weight" }, shape.query_rows(), { shape.hidden });
            layer.ffn_down    = matrix({ at + "ffn_down.weight" }, shape.ffn, { shape.hidden });
            stack.layers.push_back(layer);
        }
        return stack;
    }

    Transformer llama(const std::string & prefix, const TransformerShape & shape) {
        Transformer stack = transformer(prefix, shape);
        for (int i = 0; i < shape.layers; ++i) {
            const std::string at = numbered(prefix + "blk.", i, ".");
            Layer & layer = stack.layers[i];
            layer.attn_norm = rms_norm(at + "attn_norm.weight", shape);
            layer.ffn_norm  = rms_norm(at + "ffn_norm.weight", shape);
            layer.ffn_in    = matrix({ at + "ffn_gate.weight", at + "ffn_up.weight" }, shape.hidden, { shape.ffn, shape.ffn });
        }
        stack.output_norm = rms_norm(prefix + "output_norm.weight", shape);
        if (model.file.find(prefix + "rope_freqs.weight") != nullptr) {
            stack.rope_factors = vector(prefix + "rope_freqs.weight", shape.head_dim / 2);
        }
        return stack;
    }

    Norm rms_norm(const std::string & name, const TransformerShape & shape) {
        return { Norm::Kind::rms, vector(name, shape.hidden), nullptr, shape.norm_eps };
    }

    Norm layer_norm(const std::string & name, const TransformerShape & shape) {
        return { Norm::Kind::layer, vector(name + ".weight", shape.hidden), vector(name + ".bias", shape.hidden), shape.norm_eps };
    }

    Transformer mimi_transformer(const std::string & prefix, const TransformerShape & shape) {
        Transformer stack = transformer(prefix, shape);
        for (int i = 0; i < shape.layers; ++i) {
            const std::string at = numbered(prefix + "blk.", i, ".");
            Layer & layer = stack.layers[i];
            layer.attn_norm  = layer_norm(at + "attn_norm", shape);
            layer.ffn_norm   = layer_norm(at + "ffn_norm", shape);
            layer.ffn_in     = matrix({ at + "ffn_up.weight" }, shape.hidden, { shape.ffn });
            layer.attn_scale = vector(at + "attn_scale.weight", shape.hidden);
            layer.ffn_scale  = vector(at + "ffn_scale.weight", shape.hidden);
        }
        return stack;
    }

    // Windows of the input are not quantised, so neither are the weights they meet.
    Matrix conv_matrix(const std::string & name, int64_t cols, int64_t rows) {
        const ggml_tensor * tensor = expect(name, cols, rows);
        if (ggml_is_quantized(tensor->type)) {
            throw FileError("tensor " + name + " must be F32, F16 or BF16, found " + ggml_type_name(tensor->type));
        }
        return matrix({ name }, cols, { rows });
    }

    // The kernel is what the weight's row length makes it.
    Conv conv(const std::string & name, int64_t in, int64_t out, int32_t stride, int32_t dilation = 1, bool biased = true) {
        const int64_t kernel = window(name, in);
        Conv c;
        c.channels_in  = (int32_t) in;
        c.channels_out = (int32_t) out;
        c.kernel       = (int32_t) kernel;
        c.stride       = stride;
        c.dilation     = dilation;
        c.unfold       = 1;
        c.weight       = conv_matrix(name + ".weight", kernel * in, out);
        c.bias         = biased ? vector(name + ".bias", out) : nullptr;
        if (c.history() < 0) {
            throw FileError("tensor " + name + ".weight has a kernel shorter than its stride");
        }
        return c;
    }

    Conv transposed(const std::string & name, int64_t in, int64_t out, int32_t stride, bool biased = true) {
        const int64_t kernel = window(name, in);
        Conv c;
        c.channels_in  = (int32_t) in;
        c.channels_out = (int32_t) out;
        c.kernel       = (int32_t) kernel;
        c.stride       = 1;
        c.dilation     = 1;
        c.unfold       = stride;
        c.weight       = conv_matrix(name + ".weight", kernel * in, stride * out);
        c.bias         = biased ? vector(name + ".bias", out) : nullptr;
        return c;
    }

    int64_t window(const std::string & name, int64_t channels) {
        const ggml_tensor * tensor = model.file.find(name + ".weight");
        if (tensor == nullptr) {
            throw FileError("tensor " + name + ".weight is missing");
        }
        const int64_t kernel = tensor->ne[0] / channels;
        if (kernel < 1 || kernel > 4096) {
            throw FileError("tensor " + name + ".weight has rows of " + std::to_string(tensor->ne[0]) + " for " + std::to_string(channels) + " channels");
        }
        return kernel;
    }

    std::vector<ResidualBlock> residual_blocks(const std::string & prefix, const MimiShape & mimi, int64_t channels) {
        std::vector<ResidualBlock> blocks;
        int32_t dilation = 1;
        for (int j = 0; j < mimi.residual_layers; ++j) {
            const std::string at = numbered(prefix + "res.", j);
            const ggml_tensor * narrow = model.file.find(at + ".conv1.weight");
            const int64_t width = narrow == nullptr ? 0 : narrow->ne[1];
            blocks.push_back({ conv(at + ".conv1", channels, width, 1, dilation), conv(at + ".conv2", width, channels, 1) });
            dilation *= mimi.dilation_growth;
        }
        return blocks;
    }

    void load_mimi(const MimiShape & mimi, Weights & w) {
        const int32_t count = (int32_t) mimi.ratios.size();
        const int64_t hidden = mimi.transformer.hidden;

        Encoder & encoder = w.encoder;
        int64_t channels = mimi.filters;
        encoder.input = conv("mimi.enc.conv_in", 1, channels, 1);
        for (int s = 0; s < count; ++s, channels *= 2) {
            const std::string at = numbered("mimi.enc.", s, ".");
            auto blocks = residual_blocks(at, mimi, channels);
            encoder.stages.push_back({ blocks, conv(at + "resample", channels, 2 * channels, mimi.ratios[count - 1 - s]) });
        }
        encoder.output      = conv("mimi.enc.conv_out", channels, hidden, 1);
        encoder.transformer = mimi_transformer("mimi.enc.", mimi.transformer);
        encoder.downsample  = conv("mimi.enc.downsample", hidden, hidden, mimi.steps_per_frame(), 1, /* biased = */ false);

        Decoder & decoder = w.decoder;
        decoder.upsample    = transposed("mimi.dec.upsample", hidden, hidden, mimi.steps_per_frame(), /* biased = */ false);
        decoder.transformer = mimi_transformer("mimi.dec.", mimi.transformer);
        decoder.input       = conv("mimi.dec.conv_in", hidden, channels, 1);
        for (int s = 0; s < count; ++s, channels /= 2) {
            const std::string at = numbered("mimi.dec.", s, ".");
            Conv resample = transposed(at + "resample", channels, channels / 2, mimi.ratios[s]);
            decoder.stages.push_back({ residual_blocks(at, mimi, channels / 2), resample });
        }
        decoder.output = conv("mimi.dec.conv_out", channels, 1, 1);

        w.semantic = quantizer("mimi.quant.semantic", mimi, 0, mimi.semantic);
        w.acoustic = quantizer("mimi.quant.acoustic", mimi, mimi.semantic, mimi.codebooks);
    }

    Quantizer quantizer(const std::string & name, const MimiShape & mimi, int first, int end) {
        Quantizer q;
        const int64_t hidden = mimi.transformer.hidden;
        if (model.file.find(name + ".input.weight") != nullptr) {
            q.input  = matrix({ name + ".input.weight" }, hidden, { mimi.codebook_dim });
            q.output = matrix({ name + ".output.weight" }, mimi.codebook_dim, { hidden });
        } else if (mimi.codebook_dim != hidden) {
            throw FileError("tensor " + name + ".input.weight is missing");
        }
        for (int k = first; k < end; ++k) {
            const std::string codebook = numbered("mimi.quant.codebook.", k, ".weight");
            const ggml_tensor * entries = expect(codebook, mimi.codebook_dim, mimi.codebook_size);
            if (entries->type != GGML_TYPE_F32) {
                throw FileError("tensor " + codebook + " must be F32, found " + ggml_type_name(entries->type));
            }
            q.codebooks.push_back(placement.for_lookups(entries));
            q.half_norms.push_back(model.derived.add(GGML_TYPE_F32, mimi.codebook_size));
        }
        return q;
    }
};

namespace {

void fill_half_norms(const Quantizer & quantizer) {
    for (size_t k = 0; k < quantizer.codebooks.size(); ++k) {
        const ggml_tensor * entries = quantizer.codebooks[k];
        std::vector<float> values(entries->ne[0] * entries->ne[1]);
        ggml_backend_tensor_get(entries, values.data(), 0, ggml_nbytes(entries));
        std::vector<float> half_norms(entries->ne[1]);
        for (int64_t row = 0; row < entries->ne[1]; ++row) {
            double sum = 0.0;
            for (int64_t i = 0; i < entries->ne[0]; ++i) {
                const double value = values[row * entries->ne[0] + i];
                sum += value * value;
            }
            half_norms[row] = (float) (sum / 2.0);
        }
        ggml_backend_tensor_set(quantizer.half_norms[k], half_norms.data(), 0, half_norms.size() * sizeof(float));
    }
}

}  // namespace

Model::Model(const std::string & path, const Backend & backend, const Kernels * kernels)
    : file(path), sizes(read_config(file.metadata())), placement(file, backend, kernels != nullptr) {
    WeightLoader(*this).load();
    placement.finish();
    derived.allocate(backend);
    fill_half_norms(tensors.semantic);
    fill_half_norms(tensors.acoustic);
}

}  // namespace parley::speech
