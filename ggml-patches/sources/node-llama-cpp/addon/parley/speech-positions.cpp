// Where a graph's columns stand (speech-ops.h): cache rows, masks and rotation angles from positions.
#include <cmath>
#include <limits>

#include "speech-ops.h"

namespace parley::speech {

Cache make_cache(Store & store, const TransformerShape & shape, ggml_type type, int32_t slots, int32_t sequences) {
    Cache cache;
    cache.slots     = slots;
    cache.sequences = sequences;
    for (int i = 0; i < shape.layers; ++i) {
        cache.keys.push_back(store.add(type, shape.kv_rows(), slots, sequences));
        cache.values.push_back(store.add(type, shape.kv_rows(), slots, sequences));
    }
    return cache;
}

namespace {

void write_rows(const Positions & at, const std::vector<int32_t> & positions) {
    std::vector<int64_t> rows(positions.size());
    for (size_t column = 0; column < positions.size(); ++column) {
        const int64_t sequence = at.first_sequence + (int64_t) column / at.tokens;
        rows[column] = sequence * at.slots + positions[column] % at.slots;
    }
    ggml_backend_tensor_set(at.rows, rows.data(), 0, rows.size() * sizeof(int64_t));
}

// A slot holds the latest position that falls on it, this graph's own included.
void write_mask(const Positions & at, const std::vector<int32_t> & positions) {
    const ggml_fp16_t hidden  = ggml_fp32_to_fp16(-std::numeric_limits<float>::infinity());
    const ggml_fp16_t visible = ggml_fp32_to_fp16(0.0f);
    std::vector<ggml_fp16_t> mask(positions.size() * at.seen);
    for (size_t column = 0; column < positions.size(); ++column) {
        const size_t  sequence = column / at.tokens;
        const int64_t last     = positions[(sequence + 1) * at.tokens - 1];
        const int64_t position = positions[column];
        for (int64_t slot = 0; slot < at.seen; ++slot) {
            const int64_t back = ((last - slot) % at.slots + at.slots) % at.slots;
            const int64_t held = last - back;
            const bool sees = held >= 0 && held <= position && (at.window == 0 || held > position - at.window);
            mask[column * at.seen + slot] = sees ? visible : hidden;
        }
    }
    ggml_backend_tensor_set(at.mask, mask.data(), 0, mask.size() * sizeof(ggml_fp16_t));
}

// In float32, as transformers computes the angles (CsmRotaryEmbedding.forward).
void write_angles(const Positions & at, const std::vector<int32_t> & positions) {
    const TransformerShape & shape = at.transformer->shape;
    const int32_t half = shape.head_dim / 2;
    std::vector<float> factors(half, 1.0f);
    if (at.transformer->rope_factors != nullptr) {
        ggml_backend_tensor_get(at.transformer->rope_factors, factors.data(), 0, half * sizeof(float));
    }
    std::vector<float> angles(positions.size() * shape.head_dim);
    for (int32_t i = 0; i < half; ++i) {
        const float exponent  = (float) (2 * i) / (float) shape.head_dim;
        const float frequency = 1.0f / std::pow(shape.rope_theta, exponent) / factors[i];
        for (size_t column = 0; column < positions.size(); ++column) {
            const float angle = frequency * (float) positions[column];
            angles[column * shape.head_dim + i]        = std::cos(angle);
            angles[column * shape.head_dim + half + i] = std::sin(angle);
        }
    }
    ggml_backend_tensor_set(at.angles, angles.data(), 0, angles.size() * sizeof(float));
}

}  // namespace

void Positions::write(const std::vector<int32_t> & positions) const {
    ggml_backend_tensor_set(ids, positions.data(), 0, positions.size() * sizeof(int32_t));
    if (rows != nullptr) {
        write_rows(*this, positions);
    }
    if (mask != nullptr) {
        write_mask(*this, positions);
    }
    if (angles != nullptr) {
        write_angles(*this, positions);
    }
}

}  // namespace parley::speech
