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
