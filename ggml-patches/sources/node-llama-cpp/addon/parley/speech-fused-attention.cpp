// The node for attention (speech-fused.h): threads take one key and value head of one sequence at a time.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "speech-fused.h"

namespace parley::speech {

namespace {

// Rows of one sequence's cache that belong to one key and value head.
struct Head {
    char *  data;
    int64_t row_bytes;
    int64_t slots;

    void store(ggml_type type, int64_t position, const float * values, int64_t count) const {
        char * row = data + position % slots * row_bytes;
        if (type == GGML_TYPE_F16) {
            ggml_fp32_to_fp16_row(values, (ggml_fp16_t *) row, count);
        } else {
            memcpy(row, values, count * sizeof(float));
        }
    }
};

Head head_of(const ggml_tensor * cache, const AttentionTask & task, int64_t sequence, int64_t kv_head) {
    char * data = (char *) cache->data + (task.positions.first_sequence + sequence) * cache->nb[2];
    return { data + kv_head * ggml_row_size(cache->type, task.shape.head_dim), (int64_t) cache->nb[1], cache->ne[1] };
}

void run_head(const AttentionTask & task, ggml_tensor * dst, int64_t sequence, int64_t kv_head) {
    const TransformerShape & shape = task.shape;
    const Positions & at = task.positions;
    const ggml_tensor * qkv = dst->src[0], * keys = dst->src[1], * values = dst->src[2];
    const int32_t group = shape.heads / shape.kv_heads, width = shape.head_dim;
    const auto * positions = (const int32_t *) at.ids->data + sequence * at.tokens;
    const auto * angles    = (const float *) at.angles->data + sequence * at.tokens * width;
    const Head key_rows = head_of(keys, task, sequence, kv_head), value_rows = head_of(values, task, sequence, kv_head);
    const auto column = [&](int64_t token) { return (const float *) ((const char *) qkv->data + (sequence * at.tokens + token) * qkv->nb[1]); };

    float * rotated = scratch(0, (size_t) group * width);
    for (int64_t t = 0; t < at.tokens; ++t) {
        const float * key = column(t) + (shape.heads + kv_head) * width;
        const float * value = key + shape.kv_heads * width;
        task.kernels->rotate(key, angles + t * width, width, rotated);
        key_rows.store(keys->type, positions[t], rotated, width);
        value_rows.store(values->type, positions[t], value, width);
    }

    const size_t element = ggml_type_size(keys->type);
    for (int64_t t = 0; t < at.tokens; ++t) {
        for (int32_t h = 0; h < group; ++h) {
            task.kernels->rotate(column(t) + (kv_head * group + h) * width, angles + t * width, width, rotated + h * width);
        }
        AttentionSpan span;
        span.queries      = rotated;
        span.query_stride = width;
        span.group        = group;
        span.keys         = key_rows.data;
        span.values       = value_rows.data;
        span.slot_stride  = key_rows.row_bytes / (int64_t) element;
        span.head_dim     = width;
        span.slots        = (int32_t) key_rows.slots;
        span.last         = positions[t];
        span.first        = at.window == 0 ? 0 : std::max(0, positions[t] - at.window + 1);
        span.scale        = 1.0f / std::sqrt((float) width);
        span.scores       = scratch(1, (size_t) ATTENTION_HEADS * (span.last - span.first + 16));
        span.out          = (float *) dst->data + (sequence * at.tokens + t) * dst->ne[0] + kv_head * group * width;
        span.out_stride   = width;
        (keys->type == GGML_TYPE_F16 ? task.kernels->attend_f16 : task.kernels->attend_f32)(span);
    }
}

}  // namespace

void run_attention(ggml_tensor * dst, int thread, int threads, void * data) {
    auto & task = *static_cast<AttentionTask *>(data);
    const int64_t units = (int64_t) task.positions.sequences * task.shape.kv_heads;
    for (int64_t unit = thread; unit < units; unit = task.progress.take(threads)) {
        run_head(task, dst, unit / task.shape.kv_heads, unit % task.shape.kv_heads);
    }
    task.progress.leave(threads);
}

}  // namespace parley::speech
