// Classification heads: the scores of every class, taken from the node "result_classes" of the graph.

#include <cstring>
#include <stdexcept>
#include <string>

#include "evaluation.h"
#include "ggml-backend.h"
#include "parley.h"

namespace {

using namespace parley;

class ParleyClassify : public Napi::ObjectWrap<ParleyClassify> {
    public:
        // new ParleyClassify(model: AddonModel, options of Evaluation::open)
        ParleyClassify(const Napi::CallbackInfo & info) : Napi::ObjectWrap<ParleyClassify>(info) {
            evaluation.open(info[0], info[1].As<Napi::Object>(), onNode, this);
            classes = int32_t(llama_model_n_cls_out(evaluation.model()));
        }

        static void init(Napi::Env env, Napi::Object exports) {
            exports.Set("ParleyClassify", DefineClass(env, "ParleyClassify", {
                InstanceMethod("evaluate", &ParleyClassify::evaluate),
                InstanceMethod("clear", &ParleyClassify::clear),
                InstanceMethod("abort", &ParleyClassify::abort),
                InstanceMethod("dispose", &ParleyClassify::dispose),
            }));
        }

    private:
        Evaluation evaluation;
        int32_t classes = 0;
        bool captured = false;
        std::vector<float> logits;   // [outputs, classes]

        static bool onNode(ggml_tensor * node, bool ask, void * data) {
            auto & self = *static_cast<ParleyClassify *>(data);
            if (std::strcmp(node->name, "result_classes") != 0) {
                return !ask;
            }
            if (!ask) {
                if (node->type != GGML_TYPE_F32 || ggml_nbytes(node) != self.logits.size()*sizeof(float)) {
                    throw std::runtime_error("the head gave an unexpected shape");
                }
                ggml_backend_tensor_get(node, self.logits.data(), 0, ggml_nbytes(node));
                self.captured = true;
            }
            return true;
        }

        // evaluate(tokens, positions, sequences: Int32Array, outputs: Uint8Array): Promise<Float32Array>
        // Appends tokens to their sequences. Resolves to [outputs, classes], a row for each token marked in outputs.
        Napi::Value evaluate(const Napi::CallbackInfo & info) {
            evaluation.check_idle(info.Env());
            const auto tokens    = info[0].As<Napi::Int32Array>();
            const auto positions = info[1].As<Napi::Int32Array>();
            const auto sequences = info[2].As<Napi::Int32Array>();
            const auto outputs   = info[3].As<Napi::Uint8Array>();
            const size_t count = tokens.ElementLength();
            evaluation.check_tokens(info.Env(), tokens.Data(), count);
            if (positions.ElementLength() != count || sequences.ElementLength() != count || outputs.ElementLength() != count) {
                throw Napi::RangeError::New(info.Env(), "tokens, positions, sequences and outputs have different lengths");
            }
            std::vector<Entry> entries(count);
            size_t rows = 0;
            for (size_t i = 0; i < count; i++) {
                entries[i] = { tokens[i], positions[i], sequences[i], outputs[i] != 0 };
                rows += outputs[i] != 0;
            }
            return evaluation.run(info.Env(), Napi::Persistent(info.This().As<Napi::Object>()),
                [this, rows, entries = std::move(entries)]() -> Evaluation::Result {
                    logits.assign(rows*classes, 0.0f);
                    captured = false;
                    evaluation.decode(entries);
                    if (rows > 0 && !captured) {
                        throw std::runtime_error("the model has no classification head");
                    }
                    return [values = std::move(logits)](Napi::Env env) { return to_float_array(env, values); };
                });
        }

        // clear(): void. Forgets all sequences.
        Napi::Value clear(const Napi::CallbackInfo & info) {
            evaluation.check_idle(info.Env());
            evaluation.clear();
            return info.Env().Undefined();
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

void registerParleyClassify(Napi::Env env, Napi::Object exports) {
    ParleyClassify::init(env, exports);
}
