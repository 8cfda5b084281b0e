// Which BLAS torch runs on, and how many threads both may use.
#include <dlfcn.h>
#include <stdlib.h>

#include <algorithm>
#include <memory>

#include "libs/lstm/internal/module.h"
#include "libs/lstm/learner.h"

namespace flowcast::lstm {
namespace {

// The file, links resolved, that this process takes sgemm_ from; empty when it cannot be told.
std::string BlasFile() {
  Dl_info info{};
  void* const symbol = dlsym(RTLD_DEFAULT, "sgemm_");
  if (symbol == nullptr || dladdr(symbol, &info) == 0) return {};
  const std::unique_ptr<char, decltype(&free)> path(realpath(info.dli_fname, nullptr), &free);
  return path ? path.get() : info.dli_fname;
}

std::string BlasName() {
  const std::string file = BlasFile();
  for (const auto& [part, name] : {std::pair{"openblas", "OpenBLAS"}, {"mkl", "MKL"}, {"blis", "BLIS"}}) {
    if (file.find(part) != std::string::npos) return name;
  }
  return {};
}

}  // namespace

void UseThreads(int threads) {
  if (torch::get_num_threads() != threads) torch::set_num_threads(threads);
  // OpenBLAS built on pthreads has a pool of its own, which torch does not know of.
  using SetThreads = void (*)(int);
  static const auto set_blas_threads =
      reinterpret_cast<SetThreads>(dlsym(RTLD_DEFAULT, "openblas_set_num_threads"));
  if (set_blas_threads != nullptr) set_blas_threads(threads);
}

std::string LibraryVersion() {
  const std::string blas = BlasName();
  return "libtorch " TORCH_VERSION ", " +
         (blas.empty() ? "reference BLAS (slow: install libopenblas0-pthread)" : blas);
}

std::optional<std::string> BlasAdvice() {
  if (!BlasName().empty()) return std::nullopt;
  return "libtorch runs on the reference BLAS, which is about ten times slower; install libopenblas0-pthread";
}

}  // namespace flowcast::lstm
