// Decodes and samples several tokens in one visit to the thread pool. Handing every token to JavaScript and back
// costs half a millisecond, 5 % of the time of a token of a small model.

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

#include "../AddonContext.h"
#include "../AddonSampler.h"
#include "log-sum-exp.h"
#include "lookup.h"
#include "parley.h"

namespace {

class SampleTokensWorker : public Napi::AsyncWorker {
    public:
        SampleTokensWorker(const Napi::CallbackInfo & info, AddonContext * context, AddonSampler * sampler)
            : Napi::AsyncWorker(info.Env(), "parleySampleTokens"),
              context(context), sampler(sampler), deferred(Napi::Promise::Deferred::New(info.Env())) {
            const auto options = info[2].As<Napi::Object>();
            const auto given   = options.Get("tokens").As<Napi::Int32Array>();
            const auto stops   = options.Get("stopTokens").As<Napi::Int32Array>();
            tokens.assign(given.Data(), given.Data() + given.ElementLength());
            const auto before  = options.Get("history").As<Napi::Int32Array>();
            lookup = parley::Lookup({ before.Data(), before.Data() + before.ElementLength() });
            stopTokens.assign(stops.Data(), stops.Data() + stops.ElementLength());
            sequence  = options.Get("sequence").As<Napi::Number>().Int32Value();
            position  = options.Get("position").As<Napi::Number>().Int32Value();
            maxTokens = options.Get("maxTokens").As<Napi::Number>().Uint32Value();
            weighs    = options.Get("probabilities").ToBoolean();
            budget    = std::chrono::duration<double, std::milli>(options.Get("budgetMs").As<Napi::Number>().DoubleValue());
            context->Ref();
            sampler->Ref();
        }

        ~SampleTokensWorker() {
            context->Unref();
            sampler->Unref();
        }

        Napi::Promise promise() {
            return deferred.Promise();
        }

    protected:
        void Execute() override {
            try {
                run();
            } catch (const std::exception & error) {
                SetError(error.what());
            }
        }

        void OnOK() override {
            auto ids = Napi::Int32Array::New(Env(), sampled.size());
            std::copy(sampled.begin(), sampled.end(), ids.Data());
            auto result = Napi::Object::New(Env());
            result.Set("tokens", ids);
            if (weighs) {
                auto shares = Napi::Float32Array::New(Env(), probabilities.size());
                std::copy(probabilities.begin(), probabilities.end(), shares.Data());
                result.Set("probabilities", shares);
            }
            deferred.Resolve(result);
        }

        void OnError(const Napi::Error & error) override {
            deferred.Reject(error.Value());
        }

    private:
        AddonContext * context;
        AddonSampler * sampler;
        Napi::Promise::Deferred deferred;
        std::vector<llama_token> tokens;
        std::vector<llama_token> stopTokens;
        parley::Lookup           lookup{ {} };
        llama_seq_id sequence;
        llama_pos    position;
        size_t       maxTokens;
        bool         weighs;
        std::chrono::duration<double, std::milli> budget;
        std::vector<llama_token> sampled;
        std::vector<float>       probabilities;  // of the sampled tokens, when weighed
        std::vector<float>       kept;           // logits of the candidates that the chain left

        void run() {
            const auto started = std::chrono::steady_clock::now();
            sampler->rebuildChainIfNeeded();
            for (bool isOver = false; !isOver;) {
                // each guess that is right brings a token, and so does the evaluation itself
                const std::vector<llama_token> guesses = lookup.propose(maxTokens - sampled.size() - 1);
                decode(tokens, guesses);
                isOver = sampleBehind(guesses) || std::chrono::steady_clock::now() - started >= budget;
                tokens = { sampled.back() };
            }
        }

        // Samples behind the tokens and behind each guess that is what was sampled. The cells of the others are removed.
        // @returns true when there is nothing more to sample
        bool sampleBehind(const std::vector<llama_token> & guesses) {
            const int32_t first = int32_t(tokens.size()) - 1;
            size_t right = 0;
            bool isOver;
            for (;;) {
                const llama_token token = sample(first + int32_t(right));
                sampled.push_back(token);
                lookup.append(token);
                isOver = sampled.size() == maxTokens || std::find(stopTokens.begin(), stopTokens.end(), token) != stopTokens.end();
                if (isOver || right == guesses.size() || token != guesses[right]) {
                    break;
                }
                ++right;
            }
            lookup.judge(guesses.size(), right);
            if (right < guesses.size()) {
                position -= int32_t(guesses.size() - right);
                if (!llama_memory_seq_rm(llama_get_memory(context->ctx), sequence, position, -1)) {
                    throw std::runtime_error("wrong guesses could not be taken back");
                }
            }
            return isOver;
        }

        // Is the sampler's choice the first of the largest logits? Then the chain need not fill its list of candidates.
        bool takesLikeliest() const {
            return sampler->greedySampler != nullptr && sampler->tokenBiasSampler == nullptr &&
                sampler->repeatPenaltySampler == nullptr && sampler->dryRepeatPenaltySampler == nullptr &&
                sampler->xtcSampler == nullptr && sampler->grammarEvaluationState == nullptr;
        }

        // The last of the tokens and the guesses behind it get logits.
        void decode(const std::vector<llama_token> & chunk, const std::vector<llama_token> & guesses) {
            const int32_t count = int32_t(chunk.size() + guesses.size());
            llama_batch batch = llama_batch_init(count, 0, 1);
            for (; batch.n_tokens < count; ++batch.n_tokens) {
                const size_t i = size_t(batch.n_tokens);
                batch.token[i]     = i < chunk.size() ? chunk[i] : guesses[i - chunk.size()];
                batch.pos[i]       = position + batch.n_tokens;
                batch.n_seq_id[i]  = 1;
                batch.seq_id[i][0] = sequence;
                batch.logits[i]    = i + 1 >= chunk.size();
            }
            const int32_t status = llama_decode(context->ctx, batch);
            llama_batch_free(batch);
            if (status == 1) {
                throw std::runtime_error("the context has no room for the tokens");
            }
            if (status != 0) {
                throw std::runtime_error("Eval has failed");
            }
            llama_synchronize(context->ctx);
            position += count;
        }

        llama_token sample(int32_t index) {
            const float * logits = llama_get_logits_ith(context->ctx, index);
            const size_t count = sampler->tokenCandidates.size();
            if (hasNaN(logits, count)) {
                throw std::runtime_error("logits are not numbers");
            }
            if (takesLikeliest()) {
                const auto * best = std::max_element(logits, logits + count);
                weigh(logits, count, *best);
                return llama_token(best - logits);
            }
            llama_token_data_array candidates = {};
            std::unique_lock<std::mutex> lock(context->sharedSamplerData.mutex);
            sampler->sampleAndReleaseLock(context->sharedSamplerData.mutex, lock, context->ctx, index, candidates, false);
            if (candidates.selected < 0 || candidates.selected >= int64_t(candidates.size)) {
                throw std::runtime_error("Failed to sample next token");
            }
            const llama_token token = candidates.data[candidates.selected].id;
            if (weighs) {
                kept.resize(candidates.size);
                std::transform(candidates.data, candidates.data + candidates.size, kept.begin(), [](const llama_token_data & one) { return one.logit; });
                weigh(kept.data(), kept.size(), candidates.data[candidates.selected].logit);
            }
            sampler->acceptToken(token);
            return token;
        }

        // Without a way out of the loop: the compiler then uses vector registers.
        static bool hasNaN(const float * logits, size_t count) {
            int found = 0;
            for (size_t i = 0; i < count; i++) {
                found |= logits[i] != logits[i];
            }
            return found != 0;
        }

        // Notes the probability of a sampled token among those it was sampled from.
        void weigh(const float * logits, size_t count, float logit) {
            if (weighs) {
                probabilities.push_back(float(std::exp(logit - parley::log_sum_exp(logits, int64_t(count)))));
            }
        }
};

// parleySampleTokens(context: AddonContext, sampler: AddonSampler,
//     {tokens, history, position, sequence, stopTokens, maxTokens, budgetMs, probabilities}): Promise<{tokens, probabilities}>
// Appends tokens (at least one, at most a batch) to the sequence and samples. Sampled tokens are appended in their
// turn, all but the last, until one is a stop token, there are maxTokens of them, or budgetMs have passed. A history,
// the sequence with the tokens behind it, is what next tokens are guessed from; an empty one turns guessing off. When
// probabilities are asked for, there is one per sampled token, among the tokens that temperature and filters left.
Napi::Value sampleTokens(const Napi::CallbackInfo & info) {
    auto * context = Napi::ObjectWrap<AddonContext>::Unwrap(info[0].As<Napi::Object>());
    auto * sampler = Napi::ObjectWrap<AddonSampler>::Unwrap(info[1].As<Napi::Object>());
    if (context->ctx == nullptr) {
        throw Napi::Error::New(info.Env(), "the context is not loaded");
    }
    if (info[2].As<Napi::Object>().Get("tokens").As<Napi::Int32Array>().ElementLength() == 0) {
        throw Napi::Error::New(info.Env(), "there is no token to decode");
    }
    auto * worker = new SampleTokensWorker(info, context, sampler);
    const auto promise = worker->promise();
    worker->Queue();
    return promise;
}

}  // namespace

void registerParleySampleTokens(Napi::Env env, Napi::Object exports) {
    exports.Set("parleySampleTokens", Napi::Function::New(env, sampleTokens));
}
