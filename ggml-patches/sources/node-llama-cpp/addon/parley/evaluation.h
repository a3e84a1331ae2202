#pragma once

#include <atomic>
#include <functional>
#include <vector>

#include "../AddonModel.h"

namespace parley {

// One token of a batch.
struct Entry {
    llama_token token;
    llama_pos   position;
    int32_t     sequence;
    bool        output;     // does the last layer go on with this row?
};

// A llama context of its own that JavaScript evaluates batches in.
class Evaluation {
    public:
        // options: {contextSize, batchSize, sequences, kvType, flashAttention: "on" | "off" | "auto", swaFull, threads}
        // The context holds contextSize positions, which all sequences share; each batch is computed in one piece.
        // The callback sees the nodes of the graph, as ggml_backend_sched_eval_callback does.
        void open(Napi::Value model, Napi::Object options, ggml_backend_sched_eval_callback callback, void * data);
        void close();

        // Runs on a pool thread. Throws when the batch cannot be evaluated, and when abort() came first.
        void decode(const std::vector<Entry> & entries);
        void clear();

        void abort() { aborted.store(true); }

        llama_context *     context() const { return ctx; }
        const llama_model * model() const { return llama; }
        int32_t             vocabulary() const;

        // Throws a JavaScript error when closed, or when a job is running.
        void check_idle(Napi::Env env) const;
        // Throws a JavaScript RangeError for ids outside the vocabulary, and for too many tokens.
        void check_tokens(Napi::Env env, const int32_t * tokens, size_t count) const;

        // Runs work on the pool; its result is made on the JavaScript thread. owner is kept alive meanwhile.
        using Result = std::function<Napi::Value(Napi::Env)>;
        Napi::Promise run(Napi::Env env, Napi::ObjectReference owner, std::function<Result()> work);

        ~Evaluation() { close(); }

    private:
        friend class EvaluationJob;

        llama_model *   llama = nullptr;
        llama_context * ctx   = nullptr;
        Napi::ObjectReference modelReference;
        std::atomic_bool aborted{ false };
        bool busy = false;
};

Napi::Float32Array to_float_array(Napi::Env env, const std::vector<float> & values);

}  // namespace parley
