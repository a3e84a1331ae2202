#include "speech-transformer.h"

namespace parley::speech {

ggml_tensor * run_layers(Graph & g, const Ops & ops, const Transformer & transformer, ggml_tensor * x, const Cache & cache,
                         const Positions & positions, const std::string & tap_as, std::vector<ggml_tensor *> * projected) {
    const bool llama = transformer.output_norm.kind == Norm::Kind::rms;
    for (int32_t i = 0; i < transformer.shape.layers; ++i) {
        const Layer & layer = transformer.layers[i];

        ggml_tensor * qkv = ops.linear(g, layer.qkv, x, layer.attn_norm, {});
        if (projected != nullptr) {
            ggml_set_output(qkv);
            projected->push_back(qkv);
        }
        ggml_tensor * attended = ops.attention(g, transformer, qkv, cache, i, positions);
        Epilogue add_attention;
        add_attention.scale    = layer.attn_scale;
        add_attention.residual = x;
        x = ops.linear(g, layer.attn_output, attended, {}, add_attention);

        ggml_tensor * inner;
        if (llama) {
            inner = ops.gated(g, layer.ffn_in, x, layer.ffn_norm);
        } else {
            Epilogue gelu;
            gelu.gelu = true;
            inner = ops.linear(g, layer.ffn_in, x, layer.ffn_norm, gelu);
        }
        Epilogue add_ffn;
        add_ffn.scale    = layer.ffn_scale;
        add_ffn.residual = x;
        x = ops.linear(g, layer.ffn_down, inner, {}, add_ffn);

        if (!tap_as.empty()) {
            g.tap(tap_as + "." + std::to_string(i), x);
        }
    }
    return x;
}

}  // namespace parley::speech
