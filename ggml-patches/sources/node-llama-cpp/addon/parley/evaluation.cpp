// A llama context for one purpose: the part that forward passes, scores and classifications share.

#include "evaluation.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace parley {

namespace {

ggml_type cacheTypeFromName(Napi::Env env, const std::string & name) {
    if (name == "f32")  { return GGML_TYPE_F32; }
    if (name == "f16")  { return GGML_TYPE_F16; }
    if (name == "bf16") { return GGML_TYPE_BF16; }
    if (name == "q8_0") { return GGML_TYPE_Q8_0; }
    throw Napi::TypeError::New(env, "unknown cache type \"" + name + "\"");
}

llama_flash_attn_type flashAttentionFromName(const std::string & name) {
    if (name == "on")  { return LLAMA_FLASH_ATTN_TYPE_ENABLED; }
    if (name == "off") { return LLAMA_FLASH_ATTN_TYPE_DISABLED; }
    return LLAMA_FLASH_ATTN_TYPE_AUTO;
}

}  // namespace

class EvaluationJob : public Napi::AsyncWorker {
    public:
        EvaluationJob(Napi::Env env, Evaluation & evaluation, Napi::ObjectReference owner, std::function<Evaluation::Result()> work)
            : Napi::AsyncWorker(env, "ParleyEvaluation"), deferred(Napi::Promise::Deferred::New(env)),
              evaluation(evaluation), owner(std::move(owner)), work(std::move(work)) {
            evaluation.busy = true;
        }

        Napi::Promise::Deferred deferred;

    protected:
        void Execute() override {
            result = work();
        }

        void OnOK() override {
            evaluation.busy = false;
            deferred.Resolve(result(Env()));
        }

        void OnError(const Napi::Error & error) override {
            evaluation.busy = false;
            deferred.Reject(error.Value());
        }

    private:
        Evaluation & evaluation;
        Napi::ObjectReference owner;
        std::function<Evaluation::Result()> work;
        Evaluation::Result result;
};

void Evaluation::open(Napi::Value model, Napi::Object options, ggml_backend_sched_eval_callback callback, void * data) {
    const Napi::Env env = options.Env();
    const auto modelObject = model.As<Napi::Object>();
    llama = Napi::ObjectWrap<AddonModel>::Unwrap(modelObject)->model;
    if (llama == nullptr) {
        throw Napi::Error::New(env, "the model is not loaded");
    }
    const auto number = [&options](const char * name) { return options.Get(name).As<Napi::Number>().Uint32Value(); };
    const auto text   = [&options](const char * name) { return options.Get(name).As<Napi::String>().Utf8Value(); };

    auto params = llama_context_default_params();
    params.n_ctx     = number("contextSize");
    params.n_batch   = number("batchSize");
    params.n_ubatch  = params.n_batch;
    params.n_seq_max = number("sequences");
    // one cache for all sequences: a batch then keeps its order, and a long sequence may take what short ones leave
    params.kv_unified = true;
    params.n_threads = int32_t(number("threads"));
    params.n_threads_batch = params.n_threads;
    params.swa_full  = options.Get("swaFull").ToBoolean();
    params.flash_attn_type = flashAttentionFromName(text("flashAttention"));
    params.type_k = cacheTypeFromName(env, text("kvType"));
    params.type_v = params.type_k;
    params.no_perf   = true;
    params.cb_eval   = callback;
    params.cb_eval_user_data = data;
    params.abort_callback = [](void * flag) { return static_cast<std::atomic_bool *>(flag)->load(); };
    params.abort_callback_data = &aborted;

    ctx = llama_init_from_model(llama, params);
    if (ctx == nullptr) {
        throw Napi::Error::New(env, "the context could not be created (is there enough memory?)");
    }
    modelReference = Napi::Persistent(modelObject);
}

void Evaluation::close() {
    if (ctx != nullptr) {
        llama_free(ctx);
        ctx = nullptr;
    }
    modelReference.Reset();
}

void Evaluation::decode(const std::vector<Entry> & entries) {
    if (aborted.load()) {
        throw std::runtime_error("aborted");
    }
    llama_batch batch = llama_batch_init(int32_t(entries.size()), 0, 1);
    batch.n_tokens = int32_t(entries.size());
    for (int32_t i = 0; i < batch.n_tokens; i++) {
        batch.token[i]     = entries[i].token;
        batch.pos[i]       = entries[i].position;
        batch.n_seq_id[i]  = 1;
        batch.seq_id[i][0] = entries[i].sequence;
        batch.logits[i]    = entries[i].output;
    }
    int result;
    try {
        result = llama_decode(ctx, batch);
    } catch (...) {
        llama_batch_free(batch);
        throw;
    }
    llama_batch_free(batch);
    if (result == 2) {
        throw std::runtime_error("aborted");
    }
    if (result != 0) {
        throw std::runtime_error("llama_decode failed with code " + std::to_string(result));
    }
    llama_synchronize(ctx);
}

void Evaluation::clear() {
    llama_memory_clear(llama_get_memory(ctx), false);
}

int32_t Evaluation::vocabulary() const {
    return llama_vocab_n_tokens(llama_model_get_vocab(llama));
}

void Evaluation::check_idle(Napi::Env env) const {
    if (ctx == nullptr) {
        throw Napi::Error::New(env, "disposed");
    }
    if (busy) {
        throw Napi::Error::New(env, "a call is running");
    }
}

void Evaluation::check_tokens(Napi::Env env, const int32_t * tokens, size_t count) const {
    const size_t limit = llama_n_batch(ctx);
    if (count == 0 || count > limit) {
        throw Napi::RangeError::New(env, "a batch has 1 to " + std::to_string(limit) + " tokens, not " + std::to_string(count));
    }
    for (size_t i = 0; i < count; i++) {
        if (tokens[i] < 0 || tokens[i] >= vocabulary()) {
            throw Napi::RangeError::New(env, "token id " + std::to_string(tokens[i]) + " is outside the vocabulary of "
                + std::to_string(vocabulary()));
        }
    }
}

Napi::Promise Evaluation::run(Napi::Env env, Napi::ObjectReference owner, std::function<Result()> work) {
    auto * job = new EvaluationJob(env, *this, std::move(owner), std::move(work));
    const auto promise = job->deferred.Promise();
    job->Queue();
    return promise;
}

Napi::Float32Array to_float_array(Napi::Env env, const std::vector<float> & values) {
    auto array = Napi::Float32Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

}  // namespace parley
