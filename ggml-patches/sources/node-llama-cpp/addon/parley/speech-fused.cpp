// What the fused nodes share (speech-fused.h), and the small ones: ELU, embeddings, sampling, nearest entries.
#include "speech-fused.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>

namespace parley::speech {

void Team::meet(int threads) {
    const unsigned mine = round.load(std::memory_order_relaxed);
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
        arrived.store(0, std::memory_order_relaxed);
        round.fetch_add(1, std::memory_order_release);
        return;
    }
    // The others are at most one column's preparation behind; when they are not even scheduled, make room for them.
    constexpr int SPINS = 4096;
    for (int spin = 0; round.load(std::memory_order_acquire) == mine; ++spin) {
        if (spin > SPINS) {
            std::this_thread::yield();
        }
    }
}

bool Progress::leave(int threads) {
    if (left.fetch_add(1, std::memory_order_acq_rel) + 1 < threads) {
        return false;
    }
    next.store(0, std::memory_order_relaxed);
    left.store(0, std::memory_order_release);
    return true;
}

void Workspace::reserve(size_t bytes) {
    if (bytes > shared.size()) {
        shared.resize(bytes);
    }
}

float * scratch(size_t slot, size_t floats) {
    thread_local std::vector<std::vector<float>> slots;
    if (slots.size() <= slot) {
        slots.resize(slot + 1);
    }
    if (slots[slot].size() < floats) {
        slots[slot].resize(floats);
    }
    return slots[slot].data();
}

void run_elu(ggml_tensor * dst, int thread, int threads, void * task) {
    const auto & elu = *static_cast<const ElementTask *>(task);
    constexpr int64_t LINE = 16;  // floats of a cache line: threads share none
    const int64_t count = ggml_nelements(dst);
    const int64_t share = ((count + threads - 1) / threads + LINE - 1) / LINE * LINE;
    const int64_t start = std::min(count, share * thread), end = std::min(count, start + share);
    elu.kernels->elu((const float *) dst->src[0]->data + start, end - start, (float *) dst->data + start);
}

void run_embed_frames(ggml_tensor * dst, int thread, int threads, void * task) {
    const auto & embed = *static_cast<const EmbedTask *>(task);
    const ggml_tensor * codes = dst->src[0];
    constexpr int64_t RUN = 256;  // elements that every ggml type can expand by themselves
    const int64_t width = dst->ne[0], columns = dst->ne[1];
    const int64_t runs = width % RUN == 0 ? width / RUN : 1, length = width / runs;
    const auto expand = ggml_get_type_traits(embed.table->type)->to_float;
    float * row = scratch(0, length);
    for (int64_t unit = thread; unit < columns * runs; unit += threads) {
        const int64_t column = unit / runs, start = unit % runs * length;
        float * sum = (float *) dst->data + column * width + start;
        std::fill(sum, sum + length, 0.0f);
        for (int64_t k = 0; k < codes->ne[1]; ++k) {
            const int32_t code = ((const int32_t *) codes->data)[k * columns + column];
            const char * source = (const char *) embed.table->data + (k * embed.vocabulary + code) * embed.table->nb[1];
            if (expand == nullptr) {
                memcpy(row, source + start * sizeof(float), length * sizeof(float));
            } else {
                expand(source + ggml_row_size(embed.table->type, start), row, length);
            }
            for (int64_t i = 0; i < length; ++i) {
                sum[i] += row[i];
            }
        }
    }
}

namespace {

// Logits that are not numbers never win; 0 when there are no others.
int32_t likeliest(const float * logits, int64_t count) {
    int32_t best = 0;
    for (int64_t id = 1; id < count; ++id) {
        if (logits[id] > logits[best] || std::isnan(logits[best])) {
            best = (int32_t) id;
        }
    }
    return std::isnan(logits[best]) ? 0 : best;
}

// Ids whose logit is among the top_k largest, ties with the last of them included, as TopKLogitsWarper keeps them.
float smallest_kept(const float * logits, int64_t count, int32_t top_k) {
    if (top_k <= 0 || top_k >= count) {
        return -INFINITY;
    }
    float * sorted = scratch(0, count);
    // Not a number has no place in an order.
    std::transform(logits, logits + count, sorted, [](float logit) { return std::isnan(logit) ? -INFINITY : logit; });
    std::nth_element(sorted, sorted + top_k - 1, sorted + count, std::greater<float>());
    return sorted[top_k - 1];
}

// The first id, in order of ids, whose cumulated probability exceeds the uniform.
int32_t draw(const float * logits, int64_t count, const Sampling & sampling, float uniform) {
    const float least = smallest_kept(logits, count, sampling.top_k);
    const int32_t top = likeliest(logits, count);
    double total = 0.0;
    float * weights = scratch(1, count);
    for (int64_t id = 0; id < count; ++id) {
        weights[id] = logits[id] < least ? 0.0f : std::exp((logits[id] - logits[top]) / sampling.temperature);
        total += weights[id];
    }
    const double target = (double) uniform * total;
    double sum = 0.0;
    int32_t last = top;
    for (int64_t id = 0; id < count; ++id) {
        if (weights[id] > 0.0f) {
            sum += weights[id];
            last = (int32_t) id;
            if (sum > target) {
                break;
            }
        }
    }
    return last;
}

}  // namespace

void run_sample(ggml_tensor * dst, int thread, int threads, void * task) {
    const auto & sample = *static_cast<const SampleTask *>(task);
    const ggml_tensor * logits = dst->src[0];
    const auto * uniforms = (const float *) dst->src[1]->data;
    for (int64_t column = thread; column < dst->ne[0]; column += threads) {
        const auto * row = (const float *) ((const char *) logits->data + column * logits->nb[1]);
        const bool greedy = sample.sampling.temperature == 0.0f;
        ((int32_t *) dst->data)[column] = greedy ? likeliest(row, logits->ne[0]) : draw(row, logits->ne[0], sample.sampling, uniforms[column]);
    }
}

void run_nearest(ggml_tensor * dst, int thread, int threads, void * task) {
    const auto & nearest = *static_cast<const NearestTask *>(task);
    const ggml_tensor * x = dst->src[0];
    const int64_t columns = dst->ne[0], share = (columns + threads - 1) / threads;
    const int64_t start = std::min(columns, share * thread), end = std::min(columns, start + share);
    nearest.kernels->nearest((const float *) nearest.codebook->data, (const float *) nearest.half_norms->data, nearest.codebook->ne[1],
                             x->ne[0], (const float *) ((const char *) x->data + start * x->nb[1]), end - start, x->nb[1] / sizeof(float),
                             (int32_t *) dst->data + start);
}

}  // namespace parley::speech
