#include "speech-graph.h"

#include <new>

namespace parley::speech {

namespace {

ggml_context * new_context(size_t tensors, size_t graph_bytes) {
    ggml_init_params params = { tensors * ggml_tensor_overhead() + graph_bytes, nullptr, /* .no_alloc = */ true };
    ggml_context * ctx = ggml_init(params);
    if (ctx == nullptr) {
        throw std::bad_alloc();
    }
    return ctx;
}

// A Store holds a few tensors per layer.
constexpr size_t MAX_STORED = 8192;

}  // namespace

Backend::Backend(int threads, bool use_gpu) : n_threads(threads) {
    ggml_backend_dev_t cpu_device = ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU);
    if (cpu_device == nullptr) {
        throw std::runtime_error("ggml has no CPU backend");
    }
    cpu.reset(ggml_backend_dev_init(cpu_device, nullptr));
    auto * reg = ggml_backend_dev_backend_reg(cpu_device);
    auto set_threads = (ggml_backend_set_n_threads_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_n_threads");
    set_threads(cpu.get(), threads);

    ggml_backend_dev_t gpu_device = use_gpu ? ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_GPU) : nullptr;
    if (gpu_device != nullptr) {
        gpu.reset(ggml_backend_dev_init(gpu_device, nullptr));
        if (gpu == nullptr) {
            throw std::runtime_error(std::string("the GPU cannot be used: ") + ggml_backend_dev_description(gpu_device));
        }
    }
}

std::vector<ggml_backend_t> Backend::all() const {
    return gpu == nullptr ? std::vector<ggml_backend_t>{ cpu.get() } : std::vector<ggml_backend_t>{ gpu.get(), cpu.get() };
}

void Backend::stop_when(const std::atomic<bool> * flag) const {
    stop = flag;
    auto * reg = ggml_backend_dev_backend_reg(host());
    auto set = (ggml_backend_set_abort_callback_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_set_abort_callback");
    const auto is_raised = [](void * data) { return static_cast<const std::atomic<bool> *>(data)->load(std::memory_order_relaxed); };
    set(cpu.get(), flag == nullptr ? nullptr : (ggml_abort_callback) is_raised, const_cast<std::atomic<bool> *>(flag));
}

Store::Store() : ctx(new_context(MAX_STORED, 0)) {}

ggml_tensor * Store::add(ggml_type type, int64_t ne0, int64_t ne1, int64_t ne2, int64_t ne3) {
    return ggml_new_tensor_4d(ctx.get(), type, ne0, ne1, ne2, ne3);
}

void Store::allocate(const Backend & backend) {
    buffer.reset(ggml_backend_alloc_ctx_tensors(ctx.get(), backend.handle()));
    if (buffer == nullptr) {
        throw std::bad_alloc();
    }
    clear();
}

void Store::clear() {
    ggml_backend_buffer_clear(buffer.get(), 0);
}

size_t Store::bytes() const {
    return buffer == nullptr ? 0 : ggml_backend_buffer_get_size(buffer.get());
}

Graph::Graph(size_t max_nodes)
    : ctx(new_context(2 * max_nodes, ggml_graph_overhead_custom(max_nodes, false))),
      graph(ggml_new_graph_custom(ctx.get(), max_nodes, false)) {}

void Graph::add(ggml_tensor * tensor) {
    ggml_build_forward_expand(graph, tensor);
}

void Graph::tap(const std::string & name, ggml_tensor * tensor) {
    ggml_set_output(tensor);
    add(tensor);
    tapped.emplace_back(name, tensor);
}

void Graph::allocate(const Backend & backend) {
    backends = backend.all();
    if (backends.size() > 1) {
        const size_t tensors = 2 * (size_t) ggml_graph_size(graph);  // nodes and leaves
        scheduler.reset(ggml_backend_sched_new(backends.data(), nullptr, (int) backends.size(), tensors, false, false));
        if (scheduler == nullptr || !ggml_backend_sched_alloc_graph(scheduler.get(), graph)) {
            throw std::bad_alloc();
        }
        return;
    }
    allocator.reset(ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend.handle())));
    if (allocator == nullptr || !ggml_gallocr_alloc_graph(allocator.get(), graph)) {
        throw std::bad_alloc();
    }
}

void Graph::compute(const Backend & backend) {
    if (backend.is_stopped()) {
        throw Stopped();
    }
    const ggml_status status = scheduler == nullptr ? ggml_backend_graph_compute(backend.handle(), graph)
                                                    : ggml_backend_sched_graph_compute(scheduler.get(), graph);
    if (status == GGML_STATUS_ABORTED) {
        throw Stopped();
    }
    if (status != GGML_STATUS_SUCCESS) {
        throw std::runtime_error(std::string("ggml failed: ") + ggml_status_to_string(status));
    }
}

size_t Graph::bytes() const {
    if (scheduler == nullptr) {
        return allocator == nullptr ? 0 : ggml_gallocr_get_buffer_size(allocator.get(), 0);
    }
    size_t bytes = 0;
    for (ggml_backend_t backend : backends) {
        bytes += ggml_backend_sched_get_buffer_size(scheduler.get(), backend);
    }
    return bytes;
}

}  // namespace parley::speech
