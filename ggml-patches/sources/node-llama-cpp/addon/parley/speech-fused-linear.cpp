// The node for products (speech-fused.h): threads take some rows of the weight and some columns at a time.
#include <algorithm>
#include <cstring>

#include "speech-fused.h"

namespace parley::speech {

namespace {

constexpr int64_t ALIGN = 64;

int64_t aligned(int64_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

// Memory for columns: normalised values, then panels.
struct Prepared {
    float *   values;
    uint8_t * panels;

    Prepared(void * memory, int64_t count, int64_t length) {
        char * at = (char *) (((uintptr_t) memory + ALIGN - 1) / ALIGN * ALIGN);
        values = (float *) at;
        panels = (uint8_t *) at + aligned(count * length * sizeof(float));
    }
};

struct Input {
    const float * x;
    int64_t       length;
    int64_t       columns;
    int64_t       stride;  // floats
};

void prepare(const LinearTask & task, const Input & in, const Prepared & out, bool quantized, int64_t first, int64_t end) {
    for (int64_t c = first; c < end; ++c) {
        const float * column = in.x + c * in.stride;
        float * values = out.values + c * in.length;
        if (task.norm.kind == Norm::Kind::rms) {
            task.kernels->rms_norm(column, in.length, (const float *) task.norm.weight->data, task.norm.eps, values);
            column = values;
        } else if (task.norm.kind == Norm::Kind::layer) {
            task.kernels->layer_norm(column, in.length, (const float *) task.norm.weight->data, (const float *) task.norm.bias->data,
                                     task.norm.eps, values);
            column = values;
        }
        if (quantized) {
            const int64_t start = c / PANEL_COLUMNS * PANEL_COLUMNS;
            task.kernels->quantize(column, in.length, out.panels + panel_bytes(start, in.length), std::min(PANEL_COLUMNS, in.columns - start), c - start);
        }
    }
}

// Few columns are prepared by every thread for itself: that is quicker than waiting for each other.
constexpr int64_t MOST_PREPARED_ALONE = 3 * 8192;

Columns prepared_columns(LinearTask & task, const Input & in, int thread, int threads) {
    const bool quantized = std::any_of(task.parts.begin(), task.parts.end(), [](const PackedMatrix * part) { return part->quantized(); });
    Columns columns;
    columns.count  = in.columns;
    columns.length = in.length;
    columns.values = in.x;
    columns.stride = in.stride;
    if (!quantized && task.norm.kind == Norm::Kind::none) {
        return columns;
    }
    const bool alone = threads == 1 || in.columns * in.length <= MOST_PREPARED_ALONE;
    void * memory = alone ? scratch(2, prepared_bytes(in.columns, in.length) / sizeof(float)) : (void *) task.workspace->shared.data();
    const Prepared prepared(memory, in.columns, in.length);
    if (alone) {
        prepare(task, in, prepared, quantized, 0, in.columns);
    } else {
        prepare(task, in, prepared, quantized, in.columns * thread / threads, in.columns * (thread + 1) / threads);
        task.workspace->team.meet(threads);
    }
    if (task.norm.kind != Norm::Kind::none) {
        columns.values = prepared.values;
        columns.stride = in.length;
    }
    columns.panels = prepared.panels;
    return columns;
}

// Half of a second-level cache.
constexpr int64_t FETCHED_AHEAD = 64 * 1024;

// A unit of work: some tiles of one part with some columns.
struct Grid {
    int64_t tiles;          // per unit
    int64_t columns;        // per unit
    int64_t tile_units;
    int64_t column_units;

    Grid(int64_t all_tiles, int64_t all_columns, int64_t length, int threads) {
        // Columns stay in the second-level cache while the weights pass by.
        constexpr int64_t MOST_VALUES = 128 * 1024, MOST_COLUMNS = 256, UNITS_PER_THREAD = 4, LEAST_TILES = 8;
        columns = std::clamp<int64_t>(MOST_VALUES / length / 24 * 24, 24, MOST_COLUMNS);
        columns = std::min(columns, all_columns);
        column_units = (all_columns + columns - 1) / columns;
        tiles = (all_tiles + threads * UNITS_PER_THREAD - 1) / (threads * UNITS_PER_THREAD);
        tiles = std::min((tiles + LEAST_TILES - 1) / LEAST_TILES * LEAST_TILES, all_tiles);
        tile_units = (all_tiles + tiles - 1) / tiles;
    }

    int64_t units() const { return tile_units * column_units; }
};

void finish(const LinearTask & task, const float * products, ggml_tensor * dst, int64_t column, int64_t row, int64_t count) {
    const auto at = [&](const ggml_tensor * tensor) { return (float *) ((char *) tensor->data + column * tensor->nb[1]) + row; };
    Finish finish;
    finish.gelu     = task.epilogue.gelu;
    finish.scale    = task.epilogue.scale == nullptr ? nullptr : (const float *) task.epilogue.scale->data + row;
    finish.residual = task.epilogue.residual == nullptr ? nullptr : at(dst->src[1]);
    finish.elu      = task.epilogue.elu;
    task.kernels->finish(products, count, finish, at(dst));
}

void run_part(LinearTask & task, const Columns & x, const PackedMatrix & w, const Grid & grid, int64_t unit, int64_t first_row, ggml_tensor * dst) {
    const int64_t tile   = unit % grid.tile_units * grid.tiles, tiles = std::min(grid.tiles, w.tiles() - tile);
    const int64_t column = unit / grid.tile_units * grid.columns, columns = std::min(grid.columns, dst->ne[1] - column);
    const int64_t row    = tile * TILE_ROWS, rows = std::min(tiles * TILE_ROWS, w.rows - row), stride = tiles * TILE_ROWS;
    float * products = scratch(3, columns * stride);
    task.kernels->multiply(w, tile, tiles, x, column, columns, products, stride);
    for (int64_t c = 0; c < columns; ++c) {
        finish(task, products + c * stride, dst, column + c, first_row + row, rows);
    }
}

void run_gated(LinearTask & task, const Columns & x, const Grid & grid, int64_t unit, ggml_tensor * dst) {
    const PackedMatrix & gate = *task.parts[0], & up = *task.parts[1];
    const int64_t tile   = unit % grid.tile_units * grid.tiles, tiles = std::min(grid.tiles, gate.tiles() - tile);
    const int64_t column = unit / grid.tile_units * grid.columns, columns = std::min(grid.columns, dst->ne[1] - column);
    const int64_t row    = tile * TILE_ROWS, rows = std::min(tiles * TILE_ROWS, gate.rows - row), stride = tiles * TILE_ROWS;
    float * gates = scratch(3, columns * stride);
    float * ups   = scratch(4, columns * stride);
    task.kernels->multiply(gate, tile, tiles, x, column, columns, gates, stride);
    task.kernels->multiply(up, tile, tiles, x, column, columns, ups, stride);
    for (int64_t c = 0; c < columns; ++c) {
        float * y = (float *) ((char *) dst->data + (column + c) * dst->nb[1]) + row;
        task.kernels->silu_times(gates + c * stride, ups + c * stride, rows, y);
    }
}

// Fetches what this thread will read first in the next product. Between two products memory would stand idle: while
// threads wait for each other, attend, normalise and quantise.
void fetch_ahead(const LinearTask & task, int thread, int threads) {
#ifdef __GNUC__
    const PackedMatrix & w = *task.parts[0];
    const Grid grid(w.tiles(), task.columns, w.cols, threads);
    if (thread >= grid.tile_units) {
        return;
    }
    const uint8_t * start = w.tile(thread * grid.tiles);
    const int64_t bytes = std::min<int64_t>(FETCHED_AHEAD, std::min(grid.tiles, w.tiles() - thread * grid.tiles) * w.tile_bytes);
    for (int64_t at = 0; at < bytes; at += 64) {
        __builtin_prefetch(start + at);
    }
#endif
}

void leave(LinearTask & task, int thread, int threads) {
    if (task.next != nullptr) {
        fetch_ahead(*task.next, thread, threads);
    }
    task.progress.leave(threads);
}

}  // namespace

size_t prepared_bytes(int64_t columns, int64_t length) {
    return ALIGN + aligned(columns * length * sizeof(float)) + aligned(panel_bytes(columns, length));
}

void run_linear(ggml_tensor * dst, int thread, int threads, void * data) {
    auto & task = *static_cast<LinearTask *>(data);
    const ggml_tensor * x = dst->src[0];
    const Input input = { (const float *) x->data, x->ne[0], x->ne[1], (int64_t) (x->nb[1] / sizeof(float)) };
    const Columns columns = prepared_columns(task, input, thread, threads);

    if (task.gated) {
        const Grid grid(task.parts[0]->tiles(), input.columns, input.length, threads);
        for (int64_t unit = thread; unit < grid.units(); unit = task.progress.take(threads)) {
            run_gated(task, columns, grid, unit, dst);
        }
        leave(task, thread, threads);
        return;
    }
    int64_t unit = thread, start = 0, row = 0;
    for (const PackedMatrix * part : task.parts) {
        const Grid grid(part->tiles(), input.columns, input.length, threads);
        for (; unit < start + grid.units(); unit = task.progress.take(threads)) {
            run_part(task, columns, *part, grid, unit - start, row, dst);
        }
        start += grid.units();
        row += part->rows;
    }
    leave(task, thread, threads);
}

}  // namespace parley::speech
