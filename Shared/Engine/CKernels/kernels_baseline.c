// For any processor: no fused multiply-add, few registers.
#if !defined(__aarch64__)
#define TABLE engine_kernels_baseline
#define FUSED 0
#define GEMM_ROWS 2
#define GEMM_VECTORS 1
#define DOT_ROWS 1
#define DOT_COLUMNS 2
#include "kernels.inc"
#endif
typedef int engine_kernels_baseline_is_compiled;
