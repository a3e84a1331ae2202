#pragma once

#include "napi.h"

// Everything parley adds to the addon. Called once by the hook in addon.cpp.
void parleyInit(Napi::Env env, Napi::Object exports);

void registerParleyAbort(Napi::Env env, Napi::Object exports);
void registerParleyClassify(Napi::Env env, Napi::Object exports);
void registerParleyForward(Napi::Env env, Napi::Object exports);
void registerParleyQuantize(Napi::Env env, Napi::Object exports);
void registerParleySampleTokens(Napi::Env env, Napi::Object exports);
void registerParleyScore(Napi::Env env, Napi::Object exports);
void registerParleySpeech(Napi::Env env, Napi::Object exports);
void registerParleyTokenBytes(Napi::Env env, Napi::Object exports);
