#include "speech-placement.h"

#include <atomic>
#include <map>
#include <new>
#include <thread>

namespace parley::speech {

namespace {

enum class Use { product, lookup };

bool supports(Use use, ggml_backend_dev_t device, ggml_backend_buffer_type_t type, const ggml_tensor * weight) {
    ggml_init_params params = { 4 * ggml_tensor_overhead(), nullptr, /* .no_alloc = */ true };
    ggml_context_ptr ctx(ggml_init(params));
    ggml_tensor * w = ggml_dup_tensor(ctx.get(), weight);
    ggml_tensor * y = use == Use::product ? ggml_mul_mat(ctx.get(), w, ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, weight->ne[0], 1))
                                          : ggml_get_rows(ctx.get(), w, ggml_new_tensor_1d(ctx.get(), GGML_TYPE_I32, 1));
    // A buffer of no bytes carries the type that the question is about.
    ggml_backend_buffer_ptr buffer(ggml_backend_buft_alloc_buffer(type, 0));
    w->buffer = buffer.get();
    return ggml_backend_dev_supports_op(device, y);
}

}  // namespace

Placement::Placement(const ModelFile & file, const Backend & backend, bool packed) : file(file), backend(backend), pack(packed) {
    // Every tensor is placed once, a table of embeddings twice.
    const size_t count = 2 * (size_t) gguf_get_n_tensors(file.metadata());
    ggml_init_params params = { (count + 1) * ggml_tensor_overhead(), nullptr, /* .no_alloc = */ true };
    ctx.reset(ggml_init(params));
    mapped.reset(ggml_backend_dev_buffer_from_host_ptr(backend.host(), const_cast<char *>(file.data()), file.size(), file.size()));
    if (ctx == nullptr || mapped == nullptr) {
        throw std::bad_alloc();
    }
    ggml_backend_buffer_set_usage(mapped.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    auto * reg = ggml_backend_dev_backend_reg(backend.host());
    auto list = (ggml_backend_dev_get_extra_bufts_t) ggml_backend_reg_get_proc_address(reg, "ggml_backend_dev_get_extra_bufts");
    for (auto * type = list == nullptr ? nullptr : list(backend.host()); type != nullptr && *type != nullptr; ++type) {
        extra_types.push_back(*type);
    }
}

ggml_tensor * Placement::in_place(const ggml_tensor * tensor) {
    ggml_tensor * copy = ggml_dup_tensor(ctx.get(), tensor);
    ggml_set_name(copy, tensor->name);
    if (ggml_backend_tensor_alloc(mapped.get(), copy, tensor->data) != GGML_STATUS_SUCCESS) {
        throw std::bad_alloc();
    }
    return copy;
}

ggml_tensor * Placement::for_lookups(const ggml_tensor * tensor) {
    ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(backend.device());
    const bool copies_it = backend.on_gpu() && supports(Use::lookup, backend.device(), type, tensor);
    return copies_it ? copied_to(type, tensor) : in_place(tensor);
}

ggml_tensor * Placement::copied_to(ggml_backend_buffer_type_t type, const ggml_tensor * tensor) {
    ggml_tensor * copy = ggml_dup_tensor(ctx.get(), tensor);
    ggml_set_name(copy, tensor->name);
    copies.push_back({ tensor, copy, type });
    return copy;
}

void Placement::for_products(const ggml_tensor * tensor, std::vector<const ggml_tensor *> & parts, std::vector<const PackedMatrix *> & packed) {
    if (pack) {
        packings.push_back({ tensor, describe_packed(tensor) });
        packed.push_back(&packings.back().matrix);
        parts.push_back(in_place(tensor));
        return;
    }
    const ggml_backend_buffer_type_t type = best_type(tensor);
    parts.push_back(type == nullptr ? in_place(tensor) : copied_to(type, tensor));
}

ggml_backend_buffer_type_t Placement::best_type(const ggml_tensor * tensor) const {
    if (backend.on_gpu()) {
        ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(backend.device());
        return supports(Use::product, backend.device(), type, tensor) ? type : nullptr;
    }
    // The codec's convolutions multiply overlapping rows of their input. ggml's AMX products take rows to be side by side,
    // whatever their strides say, and they take f16 weights.
    if (!ggml_is_quantized(tensor->type)) {
        return nullptr;
    }
    for (ggml_backend_buffer_type_t type : extra_types) {
        if (supports(Use::product, backend.device(), type, tensor)) {
            return type;
        }
    }
    return nullptr;
}

void Placement::finish() {
    copy_all();
    pack_all();
}

void Placement::copy_all() {
    std::map<ggml_backend_buffer_type_t, std::vector<const Copy *>> by_type;
    for (const Copy & copy : copies) {
        by_type[copy.type].push_back(&copy);
    }
    for (const auto & [type, list] : by_type) {
        size_t size = 0;
        const size_t alignment = ggml_backend_buft_get_alignment(type);
        for (const Copy * copy : list) {
            size += GGML_PAD(ggml_backend_buft_get_alloc_size(type, copy->target), alignment);
        }
        ggml_backend_buffer_ptr buffer(ggml_backend_buft_alloc_buffer(type, size));
        if (buffer == nullptr) {
            throw std::bad_alloc();
        }
        ggml_backend_buffer_set_usage(buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
        char * at = (char *) ggml_backend_buffer_get_base(buffer.get());
        for (const Copy * copy : list) {
            ggml_backend_tensor_alloc(buffer.get(), copy->target, at);
            ggml_backend_tensor_set(copy->target, copy->source->data, 0, ggml_nbytes(copy->source));
            file.forget(copy->source);
            at += GGML_PAD(ggml_backend_buft_get_alloc_size(type, copy->target), alignment);
        }
        copied += size;
        buffers.push_back(std::move(buffer));
    }
}

void Placement::pack_all() {
    size_t size = 0;
    for (const Packing & packing : packings) {
        size += packing.matrix.tiles() * packing.matrix.tile_bytes;
    }
    if (size == 0) {
        return;
    }
    packed_memory = allocate_memory(size);
    copied += size;
    uint8_t * at = packed_memory.get();
    for (Packing & packing : packings) {
        packing.matrix.data = at;
        at += packing.matrix.tiles() * packing.matrix.tile_bytes;
    }
    std::atomic<size_t> next{ 0 };
    const auto work = [&] {
        for (size_t i = next++; i < packings.size(); i = next++) {
            const Packing & packing = packings[i];
            pack_matrix(packing.source, packing.matrix, packing.matrix.data);
            file.forget(packing.source);
        }
    };
    std::vector<std::thread> helpers;
    for (int i = 1; i < backend.threads(); ++i) {
        helpers.emplace_back(work);
    }
    work();
    for (std::thread & helper : helpers) {
        helper.join();
    }
}

}  // namespace parley::speech
