// ParleySpeech: the speech library for JavaScript. Codes are Int32Array [frames, codebooks], audio is Float32Array.
// Every long call runs on the thread pool, one at a time per object.

#include "parley.h"
#include "speech-job.h"
#include "speech-random.h"
#include "speech-session.h"

namespace {

using namespace parley::speech;

Sampling sampling(const Napi::Object & options, const char * temperature, const char * topK) {
    return { options.Get(temperature).As<Napi::Number>().FloatValue(), integer(options, topK) };
}

// Seeds are whole numbers below 2^53, the largest a JavaScript number keeps exactly.
uint64_t seedOf(const Napi::Value & value) {
    return (uint64_t) value.As<Napi::Number>().Int64Value();
}

const char * nameOf(End end) {
    switch (end) {
        case End::none:    return "none";
        case End::eos:     return "eos";
        case End::cap:     return "cap";
        case End::context: return "context";
    }
    return "none";
}

// A prompt that backbone() has read, for those who ask what it attended to.
struct Attended {
    Store   store;
    Cache   cache;
    int32_t count = 0;
    std::vector<std::vector<float>> queries;  // [layers][count * heads * head_dim]
};

// A model and everything that computes with it. Members are destroyed from the last to the first.
struct Engine {
    Backend              backend;
    const Kernels *      kernels;
    Model                model;
    std::unique_ptr<Ops> ops;
    StreamEncoder        encoder;
    StreamDecoder        decoder;
    std::unique_ptr<Speaking> speaking;
    std::unique_ptr<Attended> attended;

    // @param may_fuse whether the fused kernels may compute; they are for the CPU
    Engine(const std::string & path, int threads, bool gpu, bool may_fuse)
        : backend(threads, gpu), kernels(may_fuse && !backend.on_gpu() ? find_kernels() : nullptr), model(path, backend, kernels),
          ops(kernels == nullptr ? make_ggml_ops(!backend.on_gpu()) : make_fused_ops(*kernels)),
          encoder(model, backend, *ops), decoder(model, backend, *ops) {}
};

class ParleySpeech : public Napi::ObjectWrap<ParleySpeech> {
    public:
        explicit ParleySpeech(const Napi::CallbackInfo & info) : Napi::ObjectWrap<ParleySpeech>(info) {}

        static void init(Napi::Env env, Napi::Object exports) {
            exports.Set("ParleySpeech", DefineClass(env, "ParleySpeech", {
                InstanceMethod("load", &ParleySpeech::load),
                InstanceMethod("begin", &ParleySpeech::begin),
                InstanceMethod("start", &ParleySpeech::start),
                InstanceMethod("speak", &ParleySpeech::speak),
                InstanceMethod("drop", &ParleySpeech::drop),
                InstanceMethod("encode", &ParleySpeech::encode),
                InstanceMethod("decode", &ParleySpeech::decode),
                InstanceMethod("resetCodec", &ParleySpeech::resetCodec),
                InstanceMethod("attention", &ParleySpeech::attention),
                InstanceMethod("backbone", &ParleySpeech::backbone),
                InstanceMethod("depth", &ParleySpeech::depth),
                InstanceMethod("codecStages", &ParleySpeech::codecStages),
                InstanceMethod("sample", &ParleySpeech::sample),
                InstanceMethod("memory", &ParleySpeech::memory),
                InstanceMethod("cancel", &ParleySpeech::cancel),
                InstanceMethod("dispose", &ParleySpeech::dispose),
            }));
        }

    private:
        std::unique_ptr<Engine> engine;
        std::atomic<bool> cancelled{ false };
        bool busy = false;

        Engine & loaded(Napi::Env env) {
            if (engine == nullptr) {
                throw Napi::Error::New(env, "no model is loaded");
            }
            return *engine;
        }

        Speaking & begun(Napi::Env env) {
            Engine & e = loaded(env);
            if (e.speaking == nullptr) {
                throw Napi::Error::New(env, "begin() comes first");
            }
            return *e.speaking;
        }

        Napi::Value run(Napi::Env env, std::function<Job::Result()> work) {
            if (busy) {
                throw Napi::Error::New(env, "a call is running");
            }
            busy = true;
            Ref();
            auto * job = new Job(env, std::move(work), [this] {
                busy = false;
                Unref();
            });
            return job->start();
        }

        // load(path, {threads, plain, gpu}): Promise<facts>. plain: without the fused kernels; gpu: on the first GPU, if any
        Napi::Value load(const Napi::CallbackInfo & info) {
            const std::string path = info[0].As<Napi::String>().Utf8Value();
            const auto options = info[1].As<Napi::Object>();
            const int threads = integer(options, "threads");
            const bool gpu = options.Get("gpu").ToBoolean();
            const bool plain = options.Get("plain").ToBoolean();
            return run(info.Env(), [this, path, threads, gpu, plain]() -> Job::Result {
                engine = std::make_unique<Engine>(path, threads, gpu, !plain);
                return [this](Napi::Env env) { return facts(env); };
            });
        }

        Napi::Value facts(Napi::Env env) {
            const Config & config = engine->model.config();
            auto facts = Napi::Object::New(env);
            facts.Set("codebooks", config.codebooks);
            facts.Set("audioVocabulary", config.audio_vocab);
            facts.Set("codebookSize", config.mimi.codebook_size);
            facts.Set("textVocabulary", config.text_vocab);
            facts.Set("context", config.backbone.context);
            facts.Set("hidden", config.backbone.hidden);
            facts.Set("layers", config.backbone.layers);
            facts.Set("depthHidden", config.depth.hidden);
            facts.Set("depthLayers", config.depth.layers);
            facts.Set("sampleRate", config.mimi.sample_rate);
            facts.Set("samplesPerFrame", config.mimi.samples_per_frame());
            facts.Set("fused", engine->kernels != nullptr);
            facts.Set("device", ggml_backend_dev_description(engine->backend.device()));
            return facts;
        }

        // begin({width, context, kvType: "f16" | "f32", temperature, topK, depthTemperature, depthTopK}): Promise<void>
        // Forgets all utterances. Temperature 0 is greedy, top-k 0 keeps every id.
        Napi::Value begin(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            const auto given = info[0].As<Napi::Object>();
            SpeakingOptions options;
            options.width      = integer(given, "width");
            options.context    = integer(given, "context");
            options.cache_type = given.Get("kvType").As<Napi::String>().Utf8Value() == "f32" ? GGML_TYPE_F32 : GGML_TYPE_F16;
            options.backbone   = sampling(given, "temperature", "topK");
            options.depth      = sampling(given, "depthTemperature", "depthTopK");
            return run(info.Env(), [this, &e, options]() -> Job::Result {
                cancelled.store(false);
                e.speaking.reset();
                e.speaking = std::make_unique<Speaking>(e.model, e.backend, *e.ops, options, cancelled);
                return undefined;
            });
        }

        // start(id, tokens: Int32Array, codes: Int32Array, {seed, maxFrames}): Promise<boolean>, false when cancelled
        // A token of -1 stands for the next frame of codes.
        Napi::Value start(const Napi::CallbackInfo & info) {
            Speaking & speaking = begun(info.Env());
            const int32_t id = info[0].As<Napi::Number>().Int32Value();
            const Prompt prompt = { integers(info[1]), integers(info[2]) };
            const auto options = info[3].As<Napi::Object>();
            const uint64_t seed = seedOf(options.Get("seed"));
            const int32_t maxFrames = integer(options, "maxFrames");
            return run(info.Env(), [this, &speaking, id, prompt, seed, maxFrames]() -> Job::Result {
                prompt.check(engine->model.config());
                const bool started = speaking.start(id, prompt, seed, maxFrames);
                return [started](Napi::Env env) { return Napi::Boolean::New(env, started); };
            });
        }

        // speak(frames): Promise<{id, end: "none" | "eos" | "cap" | "context", codes, audio}[]>
        Napi::Value speak(const Napi::CallbackInfo & info) {
            Speaking & speaking = begun(info.Env());
            const int32_t frames = info[0].As<Napi::Number>().Int32Value();
            return run(info.Env(), [&speaking, frames]() -> Job::Result {
                return [spoken = speaking.speak(frames)](Napi::Env env) {
                    auto list = Napi::Array::New(env, spoken.size());
                    for (size_t i = 0; i < spoken.size(); ++i) {
                        auto one = Napi::Object::New(env);
                        one.Set("id", spoken[i].id);
                        one.Set("end", nameOf(spoken[i].end));
                        one.Set("codes", toArray<Napi::Int32Array>(env, spoken[i].codes));
                        one.Set("audio", toArray<Napi::Float32Array>(env, spoken[i].audio));
                        list[i] = one;
                    }
                    return list;
                };
            });
        }

        // drop(id): void. Ends an utterance early.
        Napi::Value drop(const Napi::CallbackInfo & info) {
            Speaking & speaking = begun(info.Env());
            if (busy) {
                throw Napi::Error::New(info.Env(), "a call is running");
            }
            speaking.drop(info[0].As<Napi::Number>().Int32Value());
            return info.Env().Undefined();
        }

        // encode(samples): Promise<Int32Array>. Continues the stream; samples that fill no whole frame end it.
        Napi::Value encode(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            return run(info.Env(), [&e, samples = floats(info[0])]() -> Job::Result {
                return [codes = e.encoder.encode(samples.data(), (int64_t) samples.size())](Napi::Env env) {
                    return toArray<Napi::Int32Array>(env, codes);
                };
            });
        }

        // decode(codes): Promise<Float32Array>. Continues the stream.
        Napi::Value decode(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            return run(info.Env(), [&e, codes = integers(info[0])]() -> Job::Result {
                const int32_t frames = (int32_t) codes.size() / e.model.config().codebooks;
                return [audio = e.decoder.decode(codes.data(), frames)](Napi::Env env) { return toArray<Napi::Float32Array>(env, audio); };
            });
        }

        // resetCodec(): void. The next encode() and decode() begin new streams.
        Napi::Value resetCodec(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            if (busy) {
                throw Napi::Error::New(info.Env(), "a call is running");
            }
            e.encoder.reset();
            e.decoder.reset();
            return info.Env().Undefined();
        }

        static Job::Result hiddenResult(Hidden hidden) {
            return [hidden = std::move(hidden)](Napi::Env env) {
                auto result = Napi::Object::New(env);
                result.Set("states", toArray<Napi::Float32Array>(env, hidden.states));
                result.Set("logits", toArray<Napi::Float32Array>(env, hidden.logits));
                return result;
            };
        }

        // As run(), for work that cancel() stops between two nodes of its graph. @throws Error "stopped"
        Napi::Value runStoppable(Napi::Env env, const Backend & backend, std::function<Job::Result()> work) {
            if (!busy) {
                cancelled.store(false);
            }
            return run(env, [this, &backend, work = std::move(work)]() -> Job::Result {
                backend.stop_when(&cancelled);
                try {
                    Job::Result result = work();
                    backend.stop_when(nullptr);
                    return result;
                } catch (...) {
                    backend.stop_when(nullptr);
                    throw;
                }
            });
        }

        // backbone(tokens, codes, keep): Promise<{states [layers + 1, positions, hidden], logits [positions, audioVocabulary]}>
        Napi::Value backbone(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            const Prompt prompt = { integers(info[0]), integers(info[1]) };
            const bool keep = info[2].ToBoolean();
            return runStoppable(info.Env(), e.backend, [&e, prompt, keep]() -> Job::Result {
                prompt.check(e.model.config());
                const int32_t count = (int32_t) prompt.ids.size();
                e.attended.reset();
                auto made = std::make_unique<Attended>();
                made->count = count;
                made->cache = make_cache(made->store, e.model.config().backbone, GGML_TYPE_F32, count, 1);
                made->store.allocate(e.backend);
                const std::vector<float> rows = embed_prompt(e.model, prompt);
                auto hidden = inspect_backbone(e.model, e.backend, *e.ops, made->cache, 0, rows.data(), count, keep ? &made->queries : nullptr);
                if (keep) {
                    e.attended = std::move(made);
                }
                return hiddenResult(std::move(hidden));
            });
        }

        // attention(layer, first, count): Promise<Float32Array>, [heads, count, positions]
        // What those positions of the prompt attend to that backbone() has kept.
        Napi::Value attention(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            const int32_t layer = info[0].As<Napi::Number>().Int32Value();
            const int32_t first = info[1].As<Napi::Number>().Int32Value();
            const int32_t count = info[2].As<Napi::Number>().Int32Value();
            return run(info.Env(), [&e, layer, first, count]() -> Job::Result {
                const Attended * kept = e.attended.get();
                if (kept == nullptr || layer < 0 || layer >= (int32_t) kept->queries.size() || first < 0 || count < 1 || first + count > kept->count) {
                    throw std::invalid_argument("no such attention weights are kept");
                }
                auto weights = attention_weights(e.model, e.backend, kept->cache.keys[layer], kept->queries[layer], first, count, kept->count);
                return [weights = std::move(weights)](Napi::Env env) { return toArray<Napi::Float32Array>(env, weights); };
            });
        }

        // depth(hidden [frames, hidden], codes [frames, codebooks]):
        //   Promise<{states [layers + 1, frames, codebooks, depthHidden], logits [frames, codebooks - 1, audioVocabulary]}>
        Napi::Value depth(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            return runStoppable(info.Env(), e.backend, [&e, hidden = floats(info[0]), codes = integers(info[1])]() -> Job::Result {
                const int32_t frames = (int32_t) codes.size() / e.model.config().codebooks;
                Prompt({ std::vector<int32_t>(frames, Prompt::AUDIO_FRAME), codes }).check(e.model.config());
                if (hidden.size() != (size_t) frames * e.model.config().backbone.hidden) {
                    throw std::invalid_argument("hidden states and codes are for different numbers of frames");
                }
                return hiddenResult(inspect_depth(e.model, e.backend, *e.ops, hidden.data(), codes.data(), frames));
            });
        }

        // codecStages(samples: Float32Array | codes: Int32Array): Promise<Record<string, Float32Array>>
        // Outputs of every stage of one chunk, for encoding or decoding; channels fastest.
        Napi::Value codecStages(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            const bool encodes = info[0].As<Napi::TypedArray>().TypedArrayType() == napi_float32_array;
            const std::vector<float> samples = encodes ? floats(info[0]) : std::vector<float>();
            const std::vector<int32_t> codes = encodes ? std::vector<int32_t>() : integers(info[0]);
            return run(info.Env(), [&e, encodes, samples, codes]() -> Job::Result {
                Taps taps;
                if (encodes) {
                    StreamEncoder(e.model, e.backend, *e.ops).encode(samples.data(), (int64_t) samples.size(), &taps);
                } else {
                    const int32_t frames = (int32_t) codes.size() / e.model.config().codebooks;
                    StreamDecoder(e.model, e.backend, *e.ops).decode(codes.data(), frames, &taps);
                }
                return [taps = std::move(taps)](Napi::Env env) {
                    auto result = Napi::Object::New(env);
                    for (const auto & [name, tap] : taps) {
                        result.Set(name, toArray<Napi::Float32Array>(env, tap.second));
                    }
                    return result;
                };
            });
        }

        // sample(logits: Float32Array, {temperature, topK, seed, draws}): Promise<Int32Array>
        // Draws from fixed logits with the node that speaking uses.
        Napi::Value sample(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            const auto options = info[1].As<Napi::Object>();
            const Sampling how = sampling(options, "temperature", "topK");
            const uint64_t seed = seedOf(options.Get("seed"));
            const int32_t draws = integer(options, "draws");
            return run(info.Env(), [&e, logits = floats(info[0]), how, seed, draws]() -> Job::Result {
                std::vector<int32_t> ids(draws);
                Store store;
                Graph graph(64);
                ggml_tensor * input = store.add(GGML_TYPE_F32, (int64_t) logits.size());
                ggml_tensor * uniforms = store.add(GGML_TYPE_F32, 1);
                store.allocate(e.backend);
                ggml_tensor * id = e.ops->sample(graph, input, uniforms, how);
                ggml_set_output(id);
                graph.add(id);
                graph.allocate(e.backend);
                ggml_backend_tensor_set(input, logits.data(), 0, ggml_nbytes(input));
                for (int32_t i = 0; i < draws; ++i) {
                    const float value = uniform(seed, (uint64_t) i);
                    ggml_backend_tensor_set(uniforms, &value, 0, sizeof(value));
                    graph.compute(e.backend);
                    ggml_backend_tensor_get(id, &ids[i], 0, sizeof(int32_t));
                }
                return [ids](Napi::Env env) { return toArray<Napi::Int32Array>(env, ids); };
            });
        }

        // memory(): {weights, speaking, codec}, bytes beside the mapped file
        Napi::Value memory(const Napi::CallbackInfo & info) {
            Engine & e = loaded(info.Env());
            auto result = Napi::Object::New(info.Env());
            result.Set("weights", (double) e.model.copied_bytes());
            result.Set("speaking", e.speaking == nullptr ? 0.0 : (double) e.speaking->bytes());
            result.Set("codec", (double) (e.decoder.bytes() + e.encoder.bytes()));
            return result;
        }

        // cancel(): void. A running start() or speak() returns after its current graph, a running backbone() or depth()
        // fails after its current node; the next begin(), backbone() or depth() lifts it.
        Napi::Value cancel(const Napi::CallbackInfo & info) {
            cancelled.store(true);
            return info.Env().Undefined();
        }

        Napi::Value dispose(const Napi::CallbackInfo & info) {
            if (busy) {
                throw Napi::Error::New(info.Env(), "a call is running");
            }
            engine.reset();
            return info.Env().Undefined();
        }
};

}  // namespace

void registerParleySpeech(Napi::Env env, Napi::Object exports) {
    ParleySpeech::init(env, exports);
}
