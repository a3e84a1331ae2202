// Puts weights where they are computed from: in the mapped file, in a buffer whose layout suits the device, in a GPU's
// memory, or packed for the fused kernels.
#pragma once

#include <deque>
#include <vector>

#include "speech-file.h"
#include "speech-graph.h"
#include "speech-kernels.h"

namespace parley::speech {

class Placement {
  public:
    // @param packed whether products are computed by the fused kernels
    Placement(const ModelFile & file, const Backend & backend, bool packed);

    // The tensor in the mapped file, for who reads it without a graph.
    ggml_tensor * in_place(const ggml_tensor * tensor);

    // The tensor for row look-ups and element-wise use: on the GPU, when that supports it, or in the mapped file.
    ggml_tensor * for_lookups(const ggml_tensor * tensor);

    // Adds the tensor for matrix products: packed for the kernels; or on the GPU; or in the CPU's extra buffer type (rows
    // interleaved for its vector units, "CPU_REPACK"), when those support it; or in the mapped file.
    void for_products(const ggml_tensor * tensor, std::vector<const ggml_tensor *> & parts, std::vector<const PackedMatrix *> & packed);

    // Allocates and fills the copies; the pages that were copied are given back to the system.
    // @throws std::bad_alloc
    void finish();

    size_t copied_bytes() const { return copied; }

  private:
    struct Copy {
        const ggml_tensor * source;
        ggml_tensor *       target;
        ggml_backend_buffer_type_t type;
    };
    struct Packing {
        const ggml_tensor * source;
        PackedMatrix        matrix;
    };

    const ModelFile & file;
    const Backend &   backend;
    const bool        pack;
    ggml_context_ptr  ctx;
    ggml_backend_buffer_ptr mapped;
    std::vector<ggml_backend_buffer_ptr> buffers;
    std::vector<ggml_backend_buffer_type_t> extra_types;
    std::vector<Copy> copies;
    std::deque<Packing> packings;
    Memory packed_memory;
    size_t copied = 0;

    ggml_tensor * copied_to(ggml_backend_buffer_type_t type, const ggml_tensor * tensor);
    ggml_backend_buffer_type_t best_type(const ggml_tensor * tensor) const;
    void copy_all();
    void pack_all();
};

}  // namespace parley::speech
