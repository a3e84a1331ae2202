// Work on the thread pool as a promise, and values on their way from and to JavaScript.
#pragma once

#include <algorithm>
#include <functional>
#include <new>
#include <vector>

#include "napi.h"
#include "speech-config.h"
#include "speech-frame.h"

namespace parley::speech {

// Work on the pool whose result is made on the JavaScript thread.
class Job : public Napi::AsyncWorker {
    public:
        using Result = std::function<Napi::Value(Napi::Env)>;

        Job(Napi::Env env, std::function<Result()> work, std::function<void()> finished)
            : Napi::AsyncWorker(env, "ParleySpeech"), deferred(Napi::Promise::Deferred::New(env)),
              work(std::move(work)), finished(std::move(finished)) {}

        Napi::Promise start() {
            const auto promise = deferred.Promise();
            Queue();
            return promise;
        }

    protected:
        void Execute() override {
            try {
                result = work();
            } catch (const FileError & error) {
                code = "BAD_SPEECH_FILE";
                SetError(error.what());
            } catch (const NotANumber & error) {
                code = "NOT_A_NUMBER";
                SetError(error.what());
            } catch (const std::bad_alloc &) {
                SetError("out of memory");
            } catch (const std::exception & error) {
                SetError(error.what());
            }
        }

        void OnOK() override {
            const auto value = result(Env());
            finished();
            deferred.Resolve(value);
        }

        // BAD_SPEECH_FILE: a file that cannot be run; NOT_A_NUMBER: logits that are none. Their messages are for the user.
        void OnError(const Napi::Error & error) override {
            finished();
            auto value = error.Value();
            if (code != nullptr) {
                value.Set("code", Napi::String::New(Env(), code));
            }
            deferred.Reject(value);
        }

    private:
        Napi::Promise::Deferred deferred;
        std::function<Result()> work;
        std::function<void()> finished;
        Result result;
        const char * code = nullptr;
};

template <typename Array, typename T>
Array toArray(Napi::Env env, const std::vector<T> & values) {
    auto array = Array::New(env, values.size());
    std::copy(values.begin(), values.end(), array.Data());
    return array;
}

inline Napi::Value undefined(Napi::Env env) {
    return env.Undefined();
}

inline int32_t integer(const Napi::Object & options, const char * name) {
    return options.Get(name).As<Napi::Number>().Int32Value();
}

inline std::vector<int32_t> integers(const Napi::Value & value) {
    const auto array = value.As<Napi::Int32Array>();
    return std::vector<int32_t>(array.Data(), array.Data() + array.ElementLength());
}

inline std::vector<float> floats(const Napi::Value & value) {
    const auto array = value.As<Napi::Float32Array>();
    return std::vector<float>(array.Data(), array.Data() + array.ElementLength());
}

}  // namespace parley::speech
