// Which levels this build has, and which this processor can run.
#include "CKernels.h"

#if defined(__x86_64__)
extern const EngineKernels engine_kernels_baseline, engine_kernels_avx2, engine_kernels_avx512;

static int has(int32_t level) {
    __builtin_cpu_init();
    switch (level) {
    case ENGINE_BASELINE: return 1;
    case ENGINE_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case ENGINE_AVX512:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl");
    default: return 0;
    }
}

int32_t engine_best_level(void) { return has(ENGINE_AVX512) ? ENGINE_AVX512 : has(ENGINE_AVX2) ? ENGINE_AVX2 : ENGINE_BASELINE; }

const EngineKernels *engine_kernels(int32_t level) {
    if (!has(level)) return 0;
    return level == ENGINE_AVX512 ? &engine_kernels_avx512 : level == ENGINE_AVX2 ? &engine_kernels_avx2 : &engine_kernels_baseline;
}
#elif defined(__aarch64__)
extern const EngineKernels engine_kernels_neon;
int32_t engine_best_level(void) { return ENGINE_NEON; }
const EngineKernels *engine_kernels(int32_t level) { return level == ENGINE_NEON ? &engine_kernels_neon : 0; }
#else
extern const EngineKernels engine_kernels_baseline;
int32_t engine_best_level(void) { return ENGINE_BASELINE; }
const EngineKernels *engine_kernels(int32_t level) { return level == ENGINE_BASELINE ? &engine_kernels_baseline : 0; }
#endif

// ---- the library of functions

#if defined(__linux__)
#include <features.h>
#endif
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
const char *engine_libc(void) { return gnu_get_libc_version(); }
#else
const char *engine_libc(void) { return ""; }
#endif

// ---- storage

#include <math.h>
#include <string.h>

static uint16_t bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

int engine_pack(int32_t kind, int64_t rows, int64_t columns, const float *from, void *to, float *scales) {
    int64_t chunks = (columns + 15) / 16, panels = (rows + 3) / 4;
    memset(to, 0, (size_t)(panels * chunks * 64) * (kind == ENGINE_PANEL_F32 ? 4 : kind == ENGINE_PANEL_BF16 ? 2 : 1));
    for (int64_t i = 0; i < rows; i++) {
        const float *row = from + i * columns;
        float top = 0;
        for (int64_t k = 0; k < columns; k++) {
            if (!isfinite(row[k])) return 0;
            float size = fabsf(row[k]);
            if (size > top) top = size;
        }
        float scale = top / 127.0f, inverse = top > 0 ? 127.0f / top : 0;
        if (kind == ENGINE_PANEL_I8) scales[i] = scale;
        for (int64_t k = 0; k < columns; k++) {
            int64_t at = ((i / 4) * chunks + k / 16) * 64 + (i % 4) * 16 + k % 16;
            if (kind == ENGINE_PANEL_F32) ((float *)to)[at] = row[k];
            else if (kind == ENGINE_PANEL_BF16) ((uint16_t *)to)[at] = bf16(row[k]);
            else ((int8_t *)to)[at] = (int8_t)lrintf(row[k] * inverse);
        }
    }
    return 1;
}

void engine_row(const EngineMatrix *m, int64_t row, float *to) {
    if (m->kind == ENGINE_ROWS_F32) {
        memcpy(to, (const float *)m->data + row * m->stride, sizeof(float) * (size_t)m->columns);
        return;
    }
    int64_t chunks = (m->columns + 15) / 16;
    for (int64_t k = 0; k < m->columns; k++) {
        int64_t at = ((row / 4) * chunks + k / 16) * 64 + (row % 4) * 16 + k % 16;
        if (m->kind == ENGINE_PANEL_F32) to[k] = ((const float *)m->data)[at];
        else if (m->kind == ENGINE_PANEL_BF16) {
            uint32_t bits = (uint32_t)((const uint16_t *)m->data)[at] << 16;
            memcpy(to + k, &bits, 4);
        } else to[k] = (float)((const int8_t *)m->data)[at] * m->scales[row];
    }
}

int engine_finite(const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}
