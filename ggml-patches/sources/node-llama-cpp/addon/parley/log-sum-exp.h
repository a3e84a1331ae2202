#pragma once

#include <cstdint>

namespace parley {

// log(sum(exp(values))), within 1e-5.
double log_sum_exp(const float * values, int64_t count);

}  // namespace parley
