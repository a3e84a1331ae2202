// The loss of a text: each token's negative log-likelihood after the tokens before it.

#include <algorithm>
#include <thread>

#include "evaluation.h"
#include "log-sum-exp.h"
#include "parley.h"

namespace {

using namespace parley;

class ParleyScore : public Napi::ObjectWrap<ParleyScore> {
    public:
        // new ParleyScore(model: AddonModel, options of Evaluation::open)
        ParleyScore(const Napi::CallbackInfo & info) : Napi::ObjectWrap<ParleyScore>(info) {
            const auto options = info[1].As<Napi::Object>();
            threads = options.Get("threads").As<Napi::Number>().Int32Value();
            evaluation.open(info[0], options, nullptr, nullptr);
        }

        static void init(Napi::Env env, Napi::Object exports) {
            exports.Set("ParleyScore", DefineClass(env, "ParleyScore", {
                InstanceMethod("score", &ParleyScore::score),
                InstanceMethod("abort", &ParleyScore::abort),
                InstanceMethod("dispose", &ParleyScore::dispose),
            }));
        }

    private:
        Evaluation evaluation;
        int32_t threads = 1;
        int32_t position = 0;

        // score(tokens: Int32Array, targets: Int32Array, restart: boolean): Promise<number>
        // targets[i] is the token that follows tokens[i], or -1 when it is not scored. The sum of -log p(targets[i]).
        // restart begins a new sequence; otherwise the tokens follow those of the last call.
        Napi::Value score(const Napi::CallbackInfo & info) {
            evaluation.check_idle(info.Env());
            const auto tokens  = info[0].As<Napi::Int32Array>();
            const auto targets = info[1].As<Napi::Int32Array>();
            const bool restart = info[2].ToBoolean();
            const size_t count = tokens.ElementLength();
            evaluation.check_tokens(info.Env(), tokens.Data(), count);
            const int32_t start = restart ? 0 : position;
            if (targets.ElementLength() != count || start + count > llama_n_ctx(evaluation.context())) {
                throw Napi::RangeError::New(info.Env(), "one target per token, and no more tokens than the context holds");
            }
            std::vector<Entry> entries(count);
            std::vector<int32_t> scored;
            for (size_t i = 0; i < count; i++) {
                const bool output = targets[i] >= 0;
                entries[i] = { tokens[i], start + int32_t(i), 0, output };
                if (output) {
                    evaluation.check_tokens(info.Env(), targets.Data() + i, 1);
                    scored.push_back(targets[i]);
                }
            }
            position = start + int32_t(count);
            return evaluation.run(info.Env(), Napi::Persistent(info.This().As<Napi::Object>()),
                [this, restart, entries = std::move(entries), scored = std::move(scored)]() -> Evaluation::Result {
                    if (restart) {
                        evaluation.clear();
                    }
                    evaluation.decode(entries);
                    const double sum = scored.empty() ? 0 : loss(scored);
                    return [sum](Napi::Env env) { return Napi::Number::New(env, sum); };
                });
        }

        // Rows of logits are in the order of the tokens that were to be scored.
        double loss(const std::vector<int32_t> & scored) const {
            const float * logits = llama_get_logits(evaluation.context());
            const int64_t vocab = evaluation.vocabulary();
            const size_t workers = std::min(size_t(std::max(threads, 1)), scored.size());
            std::vector<double> sums(workers, 0.0);
            const auto work = [&](size_t worker) {
                for (size_t row = worker; row < scored.size(); row += workers) {
                    const float * values = logits + row*vocab;
                    sums[worker] += log_sum_exp(values, vocab) - values[scored[row]];
                }
            };
            std::vector<std::thread> others;
            for (size_t worker = 1; worker < workers; worker++) {
                others.emplace_back(work, worker);
            }
            work(0);
            double sum = sums[0];
            for (size_t worker = 1; worker < workers; worker++) {
                others[worker - 1].join();
                sum += sums[worker];
            }
            return sum;
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

void registerParleyScore(Napi::Env env, Napi::Object exports) {
    ParleyScore::init(env, exports);
}
