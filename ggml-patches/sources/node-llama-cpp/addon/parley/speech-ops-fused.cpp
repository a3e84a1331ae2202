// The networks' operations as fused nodes. What is rare or small stays plain ggml.
#include "speech-fused.h"

namespace parley::speech {

namespace {

class FusedOps : public Ops {
  public:
    explicit FusedOps(const Kernels & kernels) : kernels(kernels), plain(make_ggml_ops(true)) {}

    Positions positions(Store & store, const Transformer & transformer, const Cache & cache, int32_t tokens, int32_t sequences,
                        int32_t first_sequence, int32_t window, int32_t seen) const override {
        Positions at;
        at.tokens         = tokens;
        at.sequences      = sequences;
        at.first_sequence = first_sequence;
        at.window         = window;
        at.slots          = cache.slots;
        at.seen           = seen;
        at.transformer    = &transformer;
        at.ids            = store.add(GGML_TYPE_I32, tokens * sequences);
        at.angles         = store.add(GGML_TYPE_F32, transformer.shape.head_dim, tokens * sequences);
        return at;
    }

    ggml_tensor * normalize(Graph & g, ggml_tensor * x, const Norm & norm) const override { return plain->normalize(g, x, norm); }

    ggml_tensor * linear(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm, const Epilogue & epilogue) const override {
        LinearTask * task = linear_task(g, w, x, norm);
        task->epilogue = epilogue;
        return node(g, run_linear, task, GGML_TYPE_F32, w.rows, x->ne[1], { x, epilogue.residual });
    }

    ggml_tensor * gated(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm) const override {
        LinearTask * task = linear_task(g, w, x, norm);
        task->gated = true;
        return node(g, run_linear, task, GGML_TYPE_F32, w.rows / 2, x->ne[1], { x });
    }

    ggml_tensor * attention(Graph & g, const Transformer & transformer, ggml_tensor * qkv, const Cache & cache, int32_t layer,
                            const Positions & at) const override {
        auto * task = g.make<AttentionTask>();
        task->kernels   = &kernels;
        task->shape     = transformer.shape;
        task->positions = at;
        return node(g, run_attention, task, GGML_TYPE_F32, transformer.shape.query_rows(), qkv->ne[1],
                    { qkv, cache.keys[layer], cache.values[layer] });
    }

    ggml_tensor * conv(Graph & g, const Conv & conv, ggml_tensor * x, ggml_tensor * history, const Epilogue & epilogue) const override {
        auto * task = g.make<ConvTask>();
        task->kernels      = &kernels;
        task->weight       = conv.weight.packed[0];
        task->conv         = conv;
        task->has_residual = epilogue.residual != nullptr;
        task->elu          = epilogue.elu;
        if (conv.bias != nullptr) {
            const auto * bias = (const float *) conv.bias->data;
            for (int32_t step = 0; step < conv.unfold; ++step) {
                task->bias.insert(task->bias.end(), bias, bias + conv.channels_out);
            }
        }
        const int64_t steps = x->ne[1] / conv.stride * conv.unfold;
        ggml_tensor * y = node(g, run_conv, task, GGML_TYPE_F32, conv.channels_out, steps, { x, history, epilogue.residual });
        // The history is written behind ggml's back: the node must run in the order in which it was asked for.
        g.add(y);
        return y;
    }

    ggml_tensor * elu(Graph & g, ggml_tensor * x) const override {
        auto * task = g.make<ElementTask>();
        task->kernels = &kernels;
        return node(g, run_elu, task, GGML_TYPE_F32, x->ne[0], x->ne[1], { x });
    }

    ggml_tensor * embed(Graph & g, const ggml_tensor * table, int64_t first_row, ggml_tensor * ids) const override {
        return plain->embed(g, table, first_row, ids);
    }

    ggml_tensor * embed_frames(Graph & g, const ggml_tensor * table, int64_t vocabulary, ggml_tensor * codes) const override {
        auto * task = g.make<EmbedTask>();
        task->table      = table;
        task->vocabulary = vocabulary;
        return node(g, run_embed_frames, task, GGML_TYPE_F32, table->ne[0], codes->ne[0], { codes });
    }

    ggml_tensor * sample(Graph & g, ggml_tensor * logits, ggml_tensor * uniforms, const Sampling & sampling) const override {
        auto * task = g.make<SampleTask>();
        task->sampling = sampling;
        return node(g, run_sample, task, GGML_TYPE_I32, logits->ne[1], 1, { logits, uniforms });
    }

    ggml_tensor * nearest(Graph & g, const ggml_tensor * codebook, ggml_tensor * half_norms, ggml_tensor * residual) const override {
        auto * task = g.make<NearestTask>();
        task->kernels    = &kernels;
        task->codebook   = codebook;
        task->half_norms = half_norms;
        return node(g, run_nearest, task, GGML_TYPE_I32, residual->ne[1], 1, { residual });
    }

  private:
    const Kernels &      kernels;
    std::unique_ptr<Ops> plain;
    mutable Workspace    workspace;
    // The product that was added last, and to which graph. A task lives as long as its graph, and a later graph may
    // have the address of one that is gone.
    mutable std::weak_ptr<LinearTask> last_task;
    mutable const Graph *             last_graph = nullptr;

    LinearTask * linear_task(Graph & g, const Matrix & w, ggml_tensor * x, const Norm & norm) const {
        const auto task = g.share<LinearTask>();
        task->kernels   = &kernels;
        task->workspace = &workspace;
        task->parts     = w.packed;
        task->norm      = norm;
        task->columns   = x->ne[1];
        const auto previous = last_task.lock();
        if (previous != nullptr && last_graph == &g) {
            previous->next = task.get();
        }
        last_task  = task;
        last_graph = &g;
        workspace.reserve(prepared_bytes(x->ne[1], w.cols));
        return task.get();
    }

    // Sources that are null are left out.
    static ggml_tensor * node(Graph & g, ggml_custom_op_t run, void * task, ggml_type type, int64_t ne0, int64_t ne1,
                              std::initializer_list<ggml_tensor *> sources) {
        std::vector<ggml_tensor *> given;
        for (ggml_tensor * source : sources) {
            if (source != nullptr) {
                given.push_back(source);
            }
        }
        return ggml_custom_4d(g.context(), type, ne0, ne1, 1, 1, given.data(), (int) given.size(), run, GGML_N_TASKS_MAX, task);
    }
};

}  // namespace

std::unique_ptr<Ops> make_fused_ops(const Kernels & kernels) {
    return std::make_unique<FusedOps>(kernels);
}

}  // namespace parley::speech
