#include "log-sum-exp.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace parley {

namespace {

// Independent sums and maxima, so that the compiler may use vector registers without reordering anything.
constexpr int LANES = 32;

// exp(x) for x <= 0: 2^n * exp(r) with |r| <= ln(2)/2, exp(r) by its Taylor polynomial (error 2e-7). 0 below -87.
inline float exp_negative(float x) {
    const float clamped = x < -87.0f ? -87.0f : x;
    // adding 1.5 * 2^23 rounds to the nearest whole number, which is then in the low bits
    const float shifted = clamped*1.44269504f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    // ln(2) in two parts: the first product is exact
    const float r = (clamped - n*0.693359375f) + n*2.12194440e-4f;
    const float p = 1.0f + r*(1.0f + r*(0.5f + r*(0.166666667f + r*(0.0416666667f + r*(0.00833333333f + r*0.00138888889f)))));
    uint32_t bits;
    std::memcpy(&bits, &shifted, sizeof(bits));
    const uint32_t scaleBits = (bits << 23) + 0x3f800000u;
    float scale;
    std::memcpy(&scale, &scaleBits, sizeof(scale));
    return p*scale;
}

}  // namespace

double log_sum_exp(const float * values, int64_t count) {
    float maxima[LANES];
    std::fill_n(maxima, LANES, -INFINITY);
    const int64_t whole = count - count%LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            maxima[lane] = values[i + lane] > maxima[lane] ? values[i + lane] : maxima[lane];
        }
    }
    float max = *std::max_element(maxima, maxima + LANES);
    for (int64_t i = whole; i < count; i++) {
        max = std::max(max, values[i]);
    }

    double sum = 0;
    // short blocks keep the rounding of the float sums small
    constexpr int64_t BLOCK = 64*LANES;
    for (int64_t start = 0; start < whole; start += BLOCK) {
        float sums[LANES] = {};
        const int64_t end = std::min(start + BLOCK, whole);
        for (int64_t i = start; i < end; i += LANES) {
            for (int lane = 0; lane < LANES; lane++) {
                sums[lane] += exp_negative(values[i + lane] - max);
            }
        }
        for (int lane = 0; lane < LANES; lane++) {
            sum += sums[lane];
        }
    }
    for (int64_t i = whole; i < count; i++) {
        sum += exp_negative(values[i] - max);
    }
    return max + std::log(sum);
}

}  // namespace parley
