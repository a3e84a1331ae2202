// Two kinds of memory: a Store holds tensors that live between graphs, a Graph is built once and replayed.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "ggml-alloc.h"
#include "ggml-backend.h"
#include "ggml-cpp.h"
#include "ggml.h"

namespace parley::speech {

// A graph was stopped before its end: what it writes is in no certain state.
struct Stopped : std::runtime_error {
    Stopped() : std::runtime_error("stopped") {}
};

// Where computation happens: on the CPU, or on a GPU with the CPU for the operations that the GPU does not know.
class Backend {
  public:
    // @param gpu compute on the first GPU, if there is one
    // @throws std::runtime_error when no CPU backend is registered, or the GPU cannot be used
    Backend(int threads, bool gpu);

    // Computes, and owns the memory of stores.
    ggml_backend_t handle() const { return gpu == nullptr ? cpu.get() : gpu.get(); }
    ggml_backend_dev_t device() const { return ggml_backend_get_device(handle()); }
    ggml_backend_dev_t host() const { return ggml_backend_get_device(cpu.get()); }
    bool on_gpu() const { return gpu != nullptr; }
    // In the order in which operations are offered to them.
    std::vector<ggml_backend_t> all() const;
    int threads() const { return n_threads; }

    // While set, a graph that is computed stops as soon as the flag is raised: on the CPU between two nodes, on a GPU before
    // it begins.
    void stop_when(const std::atomic<bool> * flag) const;
    bool is_stopped() const { return stop != nullptr && stop->load(std::memory_order_relaxed); }

  private:
    ggml_backend_ptr cpu;
    ggml_backend_ptr gpu;
    int              n_threads;
    mutable const std::atomic<bool> * stop = nullptr;
};

// Tensors that keep their contents: caches, codec state, inputs and outputs of graphs. Zero-filled when allocated.
class Store {
  public:
    Store();

    ggml_tensor * add(ggml_type type, int64_t ne0, int64_t ne1 = 1, int64_t ne2 = 1, int64_t ne3 = 1);

    // @throws std::bad_alloc
    void allocate(const Backend & backend);
    void clear();
    size_t bytes() const;

  private:
    ggml_context_ptr        ctx;
    ggml_backend_buffer_ptr buffer;
};

class Graph {
  public:
    explicit Graph(size_t max_nodes);

    ggml_context * context() const { return ctx.get(); }

    // Adds the computation of a tensor after everything that was added before.
    void add(ggml_tensor * tensor);

    // Keeps a named tensor's contents readable after compute(), for those who look inside.
    void tap(const std::string & name, ggml_tensor * tensor);
    const std::vector<std::pair<std::string, ggml_tensor *>> & taps() const { return tapped; }

    // Parameters of a custom operation: alive as long as the graph.
    template <typename T> std::shared_ptr<T> share() {
        auto made = std::make_shared<T>();
        parameters.push_back(made);
        return made;
    }
    template <typename T> T * make() { return share<T>().get(); }

    // @throws std::bad_alloc
    void allocate(const Backend & backend);

    // @throws Stopped when stop_when()'s flag was raised, std::runtime_error when the backend fails
    void compute(const Backend & backend);

    size_t bytes() const;

  private:
    ggml_context_ptr  ctx;
    ggml_cgraph *     graph;
    ggml_gallocr_ptr  allocator;        // where one backend computes
    ggml_backend_sched_ptr scheduler;   // where several do
    std::vector<ggml_backend_t> backends;
    std::vector<std::shared_ptr<void>> parameters;
    std::vector<std::pair<std::string, ggml_tensor *>> tapped;
};

}  // namespace parley::speech
