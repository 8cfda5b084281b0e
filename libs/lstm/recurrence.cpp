// LSTM layers by oneDNN's primitive, which fuses the products of a step with its gates.
#include "libs/lstm/internal/recurrence.h"

#include <omp.h>

#include <cstring>
#include <dnnl.hpp>
#include <unordered_map>
#include <utility>

namespace flowcast::lstm {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

memory Copy(const std::vector<float>& values, const memory::desc& description) {
  memory copy(description, Engine());
  std::memcpy(copy.get_data_handle(), values.data(), values.size() * sizeof(float));
  return copy;
}

// To the layout that the primitive asks for.
memory Reordered(const std::vector<float>& values, const memory::desc& from, const memory::desc& to,
                 dnnl::stream& stream) {
  memory source = Copy(values, from);
  memory target(to, Engine());
  dnnl::reorder(source, target).execute(stream, source, target);
  stream.wait();
  return target;
}

memory::desc Any(const memory::dims& dimensions) { return {dimensions, Type::f32, Tag::any}; }

// Threads of OpenMP cost more than these products; the number is the calling thread's own.
class OneThread {
 public:
  OneThread() : before_(omp_get_max_threads()) {
    if (before_ != 1) omp_set_num_threads(1);
  }
  ~OneThread() {
    if (before_ != 1) omp_set_num_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace

struct Recurrence::Impl {
  struct Layer {
    dnnl::lstm_forward primitive;
    std::unordered_map<int, memory> arguments;
  };

  // `parameters` are weights of inputs and of hidden values, and both biases.
  Layer MakeLayer(const NetworkShape& shape, const std::vector<float>* parameters, const memory& source) {
    const memory::dim hidden = shape.hidden;
    const memory::dims from = source.get_desc().dims();
    const memory::desc outputs({from[0], from[1], hidden}, Type::f32, Tag::tnc);
    const memory::desc bias({1, 1, 4, hidden}, Type::f32, Tag::ldgo);
    const dnnl::lstm_forward::primitive_desc description(
        {dnnl::prop_kind::forward_inference, dnnl::rnn_direction::unidirectional_left2right,
         source.get_desc(), memory::desc(), memory::desc(), Any({1, 1, from[2], 4, hidden}),
         Any({1, 1, hidden, 4, hidden}), bias, outputs, memory::desc(), memory::desc()},
        Engine());
    std::vector<float> sums = parameters[2];
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += parameters[3][i];
    const memory::desc input_weights({1, 1, from[2], 4, hidden}, Type::f32, Tag::ldgoi);
    const memory::desc hidden_weights({1, 1, hidden, 4, hidden}, Type::f32, Tag::ldgoi);
    return {dnnl::lstm_forward(description),
            {{DNNL_ARG_SRC_LAYER, source},
             {DNNL_ARG_WEIGHTS_LAYER,
              Reordered(parameters[0], input_weights, description.weights_layer_desc(), stream)},
             {DNNL_ARG_WEIGHTS_ITER,
              Reordered(parameters[1], hidden_weights, description.weights_iter_desc(), stream)},
             {DNNL_ARG_BIAS, Copy(sums, bias)},
             {DNNL_ARG_DST_LAYER, memory(outputs, Engine())}}};
  }

  dnnl::stream stream{Engine()};
  memory inputs;
  std::vector<Layer> layers;
};

Recurrence::Recurrence(const NetworkShape& shape, const Parameters& parameters, std::int64_t rows)
    : impl_(std::make_unique<Impl>()) {
  const OneThread one_thread;
  impl_->inputs = memory({{shape.io.length, rows, shape.step_columns()}, Type::f32, Tag::tnc}, Engine());
  memory source = impl_->inputs;
  for (std::size_t layer = 0; layer < static_cast<std::size_t>(shape.layers); ++layer) {
    impl_->layers.push_back(impl_->MakeLayer(shape, &parameters[4 * layer], source));
    source = impl_->layers.back().arguments.at(DNNL_ARG_DST_LAYER);
  }
}

Recurrence::~Recurrence() = default;
Recurrence::Recurrence(Recurrence&&) noexcept = default;
Recurrence& Recurrence::operator=(Recurrence&&) noexcept = default;

const float* Recurrence::Run(const float* steps) {
  const OneThread one_thread;
  impl_->inputs.set_data_handle(const_cast<float*>(steps));  // it is not written to
  for (const Impl::Layer& layer : impl_->layers) layer.primitive.execute(impl_->stream, layer.arguments);
  impl_->stream.wait();
  return static_cast<const float*>(impl_->layers.back().arguments.at(DNNL_ARG_DST_LAYER).get_data_handle());
}

std::string RecurrenceVersion() {
  const dnnl_version_t* const version = dnnl_version();
  return "oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." +
         std::to_string(version->patch);
}

}  // namespace flowcast::lstm
