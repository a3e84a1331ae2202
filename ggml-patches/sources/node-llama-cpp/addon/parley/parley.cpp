#include "parley.h"

void parleyInit(Napi::Env env, Napi::Object exports) {
    registerParleyAbort(env, exports);
    registerParleyClassify(env, exports);
    registerParleyForward(env, exports);
    registerParleyQuantize(env, exports);
    registerParleySampleTokens(env, exports);
    registerParleyScore(env, exports);
    registerParleySpeech(env, exports);
    registerParleyTokenBytes(env, exports);
}
