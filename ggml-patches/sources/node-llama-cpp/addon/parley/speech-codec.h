// Mimi, frame after frame: codes to audio and audio to codes. What a stream keeps between calls are the ends of
// its convolutions' inputs and the keys and values of its transformer; chunk after chunk equals one call.
#pragma once

#include <map>

#include "speech-ops.h"

namespace parley::speech {

// Frames that one graph takes. Longer input goes through in chunks of this many.
constexpr int32_t CODEC_CHUNK_FRAMES = 8;

using Taps = std::map<std::string, std::pair<std::vector<int64_t>, std::vector<float>>>;

// State of one direction of the codec for one stream.
struct CodecState {
    Store   store;
    std::vector<ggml_tensor *> histories;  // in the order in which the graph uses them
    Cache   cache;
    int32_t position = 0;                  // of the transformer's next step

    CodecState(const Backend & backend, const std::vector<const Conv *> & convs, const MimiShape & mimi);
    void reset();
};

class StreamDecoder {
  public:
    StreamDecoder(const Model & model, const Backend & backend, const Ops & ops);
    ~StreamDecoder();

    // @param codes  [frames][codebooks]; codes that are no entries of the codebook count as silence: entry 0
    // @param taps   when not null, filled with every stage's output
    // @returns frames * samples_per_frame samples
    std::vector<float> decode(const int32_t * codes, int32_t frames, Taps * taps = nullptr);
    void reset() { state.reset(); }
    size_t bytes() const;

  private:
    struct Chunk;
    const Model &   model;
    const Backend & backend;
    const Ops &     ops;
    CodecState      state;
    std::unique_ptr<Chunk> latest;  // the graph of the last call: most calls have the length of the one before

    Chunk & chunk(int32_t frames, bool tapped);
};

class StreamEncoder {
  public:
    StreamEncoder(const Model & model, const Backend & backend, const Ops & ops);
    ~StreamEncoder();

    // Encodes whole frames; a rest that fills no frame ends the stream, padded as the reference pads it.
    // @param taps when not null, filled with every stage's output
    // @returns [frames][codebooks]
    std::vector<int32_t> encode(const float * samples, int64_t count, Taps * taps = nullptr);
    void reset();
    size_t bytes() const;

  private:
    struct Chunk;
    const Model &   model;
    const Backend & backend;
    const Ops &     ops;
    CodecState      state;
    bool            started = false;
    std::unique_ptr<Chunk> latest;

    Chunk & chunk(int64_t samples, bool first, bool tapped);
};

}  // namespace parley::speech
