// One forward pass with everything visible: logits of every position, hidden states, attention weights.

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

#include "evaluation.h"
#include "ggml-backend.h"
#include "parley.h"

namespace {

using namespace parley;

// What one call of decode() brings back, in float32. T = tokens of this call.
struct Captured {
    std::vector<float> logits;       // [T, n_vocab]
    std::vector<float> hidden;       // [n_layer + 1, T, n_embd]: embeddings, then layer outputs, the last one normalised
    std::vector<float> attentions;   // [n_layer, n_head, T, n_kv]
    int64_t n_kv = 0;                // cache cells each attention row covers
};

// Index of layer from names such as "l_out-12"; -1 when the prefix differs.
int layerOf(const char * name, const char * prefix) {
    const size_t length = std::strlen(prefix);
    if (std::strncmp(name, prefix, length) != 0 || name[length] != '-') {
        return -1;
    }
    return std::atoi(name + length + 1);
}

class ParleyForward : public Napi::ObjectWrap<ParleyForward> {
    public:
        // new ParleyForward(model: AddonModel, options of Evaluation::open)
        ParleyForward(const Napi::CallbackInfo & info) : Napi::ObjectWrap<ParleyForward>(info) {
            evaluation.open(info[0], info[1].As<Napi::Object>(), onNode, this);
        }

        static void init(Napi::Env env, Napi::Object exports) {
            exports.Set("ParleyForward", DefineClass(env, "ParleyForward", {
                InstanceMethod("decode", &ParleyForward::decode),
                InstanceMethod("abort", &ParleyForward::abort),
                InstanceMethod("dispose", &ParleyForward::dispose),
            }));
        }

    private:
        Evaluation evaluation;
        int32_t position = 0;

        bool wantLogits     = false;
        bool wantHidden     = false;
        bool wantAttentions = false;
        int32_t tokenCount  = 0;
        Captured captured;

        int32_t layers() const { return llama_model_n_layer(evaluation.model()); }
        int32_t hidden() const { return llama_model_n_embd(evaluation.model()); }

        static bool onNode(ggml_tensor * node, bool ask, void * data) {
            return static_cast<ParleyForward *>(data)->capture(node, ask);
        }

        // ask: shall this node be evaluated and shown? otherwise: copy it. The return value of the copy says "go on".
        bool capture(ggml_tensor * node, bool ask) {
            if (wantHidden) {
                int32_t slot = -1;
                if (std::strcmp(node->name, "embd") == 0) {
                    slot = 0;
                } else if (std::strcmp(node->name, "result_norm") == 0) {
                    slot = layers();
                } else {
                    const int layer = layerOf(node->name, "l_out");
                    if (layer >= 0 && layer < layers() - 1) {
                        slot = layer + 1;
                    }
                }
                if (slot >= 0) {
                    return ask || copyRows(node, captured.hidden.data() + size_t(slot)*tokenCount*hidden());
                }
            }
            if (wantAttentions) {
                const int layer = layerOf(node->name, "kq_soft_max");
                if (layer >= 0) {
                    return ask || copyAttention(node, layer);
                }
            }
            return !ask;
        }

        bool copyRows(ggml_tensor * node, float * out) const {
            const size_t bytes = size_t(tokenCount)*hidden()*sizeof(float);
            if (node->type != GGML_TYPE_F32 || ggml_nbytes(node) != bytes || !ggml_is_contiguous(node)) {
                throw std::runtime_error(std::string("node ") + node->name + " has an unexpected shape");
            }
            ggml_backend_tensor_get(node, out, 0, bytes);
            return true;
        }

        // kq_soft_max is [n_kv, T, n_head], n_kv fastest
        bool copyAttention(ggml_tensor * node, int layer) {
            if (node->type != GGML_TYPE_F32 || node->ne[1] != tokenCount || !ggml_is_contiguous(node)) {
                throw std::runtime_error(std::string("node ") + node->name + " has an unexpected shape");
            }
            if (captured.n_kv == 0) {
                captured.n_kv = node->ne[0];
                captured.attentions.resize(size_t(layers())*ggml_nelements(node));
            }
            if (captured.n_kv != node->ne[0]) {
                throw std::runtime_error("the layers attend to caches of different sizes");
            }
            ggml_backend_tensor_get(node, captured.attentions.data() + size_t(layer)*ggml_nelements(node), 0, ggml_nbytes(node));
            return true;
        }

        // Runs on a pool thread.
        void compute(const std::vector<int32_t> & tokens) {
            tokenCount = int32_t(tokens.size());
            captured = Captured{};
            if (wantHidden) {
                captured.hidden.resize(size_t(layers() + 1)*tokenCount*hidden());
            }
            std::vector<Entry> entries(tokenCount);
            for (int32_t i = 0; i < tokenCount; i++) {
                // the last layer computes only the rows that are output, so hidden states ask for all of them
                entries[i] = { tokens[i], position + i, 0, wantLogits || wantHidden || i == tokenCount - 1 };
            }
            evaluation.decode(entries);
            position += tokenCount;

            const int32_t vocab = evaluation.vocabulary();
            if (wantLogits) {
                const float * logits = llama_get_logits(evaluation.context());
                captured.logits.assign(logits, logits + size_t(tokenCount)*vocab);
            } else {
                const float * logits = llama_get_logits_ith(evaluation.context(), -1);
                captured.logits.assign(logits, logits + vocab);
            }
        }

        // decode(tokens: Int32Array, {logits, hiddenStates, attentions}): Promise<{logits, hidden, attentions, cells}>
        // Appends to the sequence. Without {logits} only the last position's logits come back.
        Napi::Value decode(const Napi::CallbackInfo & info) {
            evaluation.check_idle(info.Env());
            const auto array = info[0].As<Napi::Int32Array>();
            const auto want  = info[1].As<Napi::Object>();
            const std::vector<int32_t> tokens(array.Data(), array.Data() + array.ElementLength());
            evaluation.check_tokens(info.Env(), tokens.data(), tokens.size());
            if (position + tokens.size() > llama_n_ctx(evaluation.context())) {
                throw Napi::RangeError::New(info.Env(), "cannot decode " + std::to_string(tokens.size()) + " tokens at position "
                    + std::to_string(position) + " of " + std::to_string(llama_n_ctx(evaluation.context())));
            }
            wantLogits     = want.Get("logits").ToBoolean();
            wantHidden     = want.Get("hiddenStates").ToBoolean();
            wantAttentions = want.Get("attentions").ToBoolean();
            return evaluation.run(info.Env(), Napi::Persistent(info.This().As<Napi::Object>()), [this, tokens]() -> Evaluation::Result {
                compute(tokens);
                return [captured = std::move(captured)](Napi::Env env) {
                    auto result = Napi::Object::New(env);
                    result.Set("logits", to_float_array(env, captured.logits));
                    result.Set("hidden", to_float_array(env, captured.hidden));
                    result.Set("attentions", to_float_array(env, captured.attentions));
                    result.Set("cells", Napi::Number::New(env, double(captured.n_kv)));
                    return result;
                };
            });
        }

        Napi::Value abort(const Napi::CallbackInfo & info) {
            evaluation.abort();
            return info.Env().Undefined();
        }

        Napi::Value dispose(const Napi::CallbackInfo & info) {
            evaluation.check_idle(info.Env());
            evaluation.close();
            return info.Env().Undefined();
        }
};

}  // namespace

void registerParleyForward(Napi::Env env, Napi::Object exports) {
    ParleyForward::init(env, exports);
}
