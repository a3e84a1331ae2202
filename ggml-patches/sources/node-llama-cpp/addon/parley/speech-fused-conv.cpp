// The node for convolutions (speech-fused.h): threads take some windows of the input and some rows of the weight at a time.
#include <algorithm>
#include <cstring>

#include "speech-fused.h"

namespace parley::speech {

namespace {

// Windows over [history | x]. Those that begin in the history are read from a joined copy of the beginning.
struct Windows {
    const Conv & conv;
    const float * x;
    int64_t steps;      // of x
    int64_t count;      // windows
    int64_t joined_count;
    const float * joined = nullptr;

    Windows(const Conv & conv, const ggml_tensor * x, const ggml_tensor * history) : conv(conv), x((const float *) x->data), steps(x->ne[1]) {
        const int64_t channels = conv.channels_in, past = conv.history();
        count        = steps / conv.stride;
        joined_count = std::min(count, (past + conv.stride - 1) / conv.stride);
        if (joined_count > 0) {
            const int64_t span = (joined_count - 1) * conv.stride + past + conv.stride;
            float * copy = scratch(5, span * channels);
            memcpy(copy, history->data, past * channels * sizeof(float));
            memcpy(copy + past * channels, this->x, (span - past) * channels * sizeof(float));
            joined = copy;
        }
    }

    const float * at(int64_t window) const {
        const int64_t step = window * conv.stride;
        return window < joined_count ? joined + step * conv.channels_in : x + (step - conv.history()) * conv.channels_in;
    }
};

// Columns for windows first to end - 1, all on one side of joined_count.
Columns columns_of(const Windows & windows, int64_t first, int64_t end) {
    const Conv & conv = windows.conv;
    Columns columns;
    columns.length = (int64_t) conv.kernel * conv.channels_in;
    if (conv.dilation == 1) {
        columns.values = windows.at(first);
        columns.stride = (int64_t) conv.stride * conv.channels_in;
        return columns;
    }
    float * gathered = scratch(6, (end - first) * columns.length);
    for (int64_t w = first; w < end; ++w) {
        for (int64_t tap = 0; tap < conv.kernel; ++tap) {
            memcpy(gathered + (w - first) * columns.length + tap * conv.channels_in, windows.at(w) + tap * conv.dilation * conv.channels_in,
                   conv.channels_in * sizeof(float));
        }
    }
    columns.values = gathered;
    columns.stride = columns.length;
    return columns;
}

void keep_end(const Conv & conv, const ggml_tensor * x, ggml_tensor * history) {
    const int64_t channels = conv.channels_in, past = conv.history(), steps = x->ne[1];
    const int64_t fresh = std::min(past, steps);
    auto * kept = (float *) history->data;
    memmove(kept, kept + fresh * channels, (past - fresh) * channels * sizeof(float));
    memcpy(kept + (past - fresh) * channels, (const float *) x->data + (steps - fresh) * channels, fresh * channels * sizeof(float));
}

// Windows and tiles per unit: small weights stay in the cache while windows pass, large ones the other way round.
struct Grid {
    int64_t windows;
    int64_t tiles;
    int64_t tile_units;
    int64_t units;

    Grid(const ConvTask & task, int64_t count, int threads) {
        constexpr int64_t WINDOWS = 96, UNITS_PER_THREAD = 4, PRODUCTS = 1 << 20;
        windows = std::clamp<int64_t>(count / (threads * UNITS_PER_THREAD), 24, WINDOWS);
        windows = std::min(windows / 24 * 24, count);
        const int64_t all = task.weight->tiles();
        tiles = std::max<int64_t>(2, PRODUCTS / (windows * TILE_ROWS * task.weight->cols)) / 2 * 2;
        tiles = std::min(tiles, all);
        tile_units = (all + tiles - 1) / tiles;
        units = tile_units * ((count + windows - 1) / windows);
    }
};

void run_unit(const ConvTask & task, const Windows & windows, int64_t first, int64_t end, int64_t tile, int64_t tiles, ggml_tensor * dst) {
    const PackedMatrix & w = *task.weight;
    const int64_t row = tile * TILE_ROWS, rows = std::min(tiles * TILE_ROWS, w.rows - row), stride = tiles * TILE_ROWS;
    float * products = scratch(3, (end - first) * stride);
    task.kernels->multiply(w, tile, tiles, columns_of(windows, first, end), 0, end - first, products, stride);

    const ggml_tensor * residual = task.has_residual ? dst->src[task.conv.history() > 0 ? 2 : 1] : nullptr;
    Finish finish;
    finish.bias = task.bias.empty() ? nullptr : task.bias.data() + row;
    finish.elu  = task.elu;
    for (int64_t c = first; c < end; ++c) {
        finish.residual = residual == nullptr ? nullptr : (const float *) residual->data + c * w.rows + row;
        task.kernels->finish(products + (c - first) * stride, rows, finish, (float *) dst->data + c * w.rows + row);
    }
}

}  // namespace

void run_conv(ggml_tensor * dst, int thread, int threads, void * data) {
    auto & task = *static_cast<ConvTask *>(data);
    const ggml_tensor * x = dst->src[0];
    ggml_tensor * history = task.conv.history() > 0 ? dst->src[1] : nullptr;
    const Windows windows(task.conv, x, history);
    const Grid grid(task, windows.count, threads);
    for (int64_t unit = thread; unit < grid.units; unit = task.progress.take(threads)) {
        const int64_t tile  = unit % grid.tile_units * grid.tiles, tiles = std::min(grid.tiles, task.weight->tiles() - tile);
        const int64_t first = unit / grid.tile_units * grid.windows, end = std::min(first + grid.windows, windows.count);
        const int64_t split = std::clamp(windows.joined_count, first, end);
        if (split > first) {
            run_unit(task, windows, first, split, tile, tiles, dst);
        }
        if (end > split) {
            run_unit(task, windows, split, end, tile, tiles, dst);
        }
    }
    // Whoever leaves last knows that nobody reads the old history any more.
    if (task.progress.leave(threads) && history != nullptr) {
        keep_end(task.conv, x, history);
    }
}

}  // namespace parley::speech
