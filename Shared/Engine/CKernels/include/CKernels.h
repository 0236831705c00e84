// The numeric kernels of the engine: single precision, one thread, no allocation, no global state.
//
// Each kernel exists once per level of vector instructions, compiled from the same text; engine_kernels(level) gives the
// table of one level, so that a run can be repeated on a newer processor with the level that it was recorded with.
// Every sum has a fixed order that depends neither on the level nor on how many rows are computed together: levels with a
// fused multiply-add give the same bytes as each other.
#ifndef CKERNELS_H
#define CKERNELS_H
#include <stdint.h>

// How a weight matrix of n rows and k columns is stored for engine_dot and engine_gemm: panels of 4 rows, in each the
// 16-column chunks one after the other, rows of a chunk adjacent, zeros where n or k end within a panel.
enum { ENGINE_ROWS_F32 = 0, ENGINE_PANEL_F32 = 1, ENGINE_PANEL_BF16 = 2, ENGINE_PANEL_I8 = 3 };

enum { ENGINE_BASELINE = 0, ENGINE_AVX2 = 1, ENGINE_AVX512 = 2, ENGINE_NEON = 3 };

// A right-hand matrix. For ENGINE_ROWS_F32 stride is the distance of rows in numbers; scales is per row, ENGINE_PANEL_I8 only.
typedef struct {
    int32_t kind;
    int64_t rows, columns, stride;
    const void *data;
    const float *scales;
} EngineMatrix;

// Floats of scratch that gemm needs.
#define ENGINE_GEMM_SCRATCH (120 * 256 + 256 * 1024 + 64)

typedef struct {
    // C[m,n] (+)= alpha * op(A) op(B). op(A) is m x k. transA: A is stored k x m. transB: B is stored n x k.
    void (*gemm)(int transA, int transB, int64_t m, int64_t n, int64_t k, float alpha, const float *a, int64_t lda,
                 const EngineMatrix *b, float *c, int64_t ldc, int accumulate, float *scratch);
    // C[m, 4*firstPanel ..< 4*endPanel] = A[m,k] W^T for a panelled W. Each number has the same bytes for every m and range.
    // scratch: 4 * k rounded up to 16, plus 16.
    void (*dot)(int64_t m, const float *a, int64_t lda, const EngineMatrix *w, int64_t firstPanel, int64_t endPanel,
                float *c, int64_t ldc, float *scratch);
    // y += scale * Bt^T (A x) for one row: A is rank x in, Bt rank x out. scratch: rank.
    void (*lora)(const float *x, int64_t in, const float *a, const float *bt, int64_t rank, float scale, float *y,
                 int64_t out, float *scratch);
    void (*rmsnorm)(const float *x, const float *gain, float *y, float *inverse, int64_t rows, int64_t d, float epsilon);
    // dx += ..., and dgain += ... unless null.
    void (*rmsnorm_backward)(const float *dy, const float *x, const float *gain, const float *inverse, float *dx,
                             float *dgain, int64_t rows, int64_t d);
    void (*silu_multiply)(const float *gate, const float *up, float *y, int64_t n);
    // gate and up are replaced by their gradients.
    void (*silu_backward)(const float *dy, float *gate, float *up, int64_t n);
    // Rotates the pairs (i, i + half) of every head of every row; sign -1 turns back.
    void (*rope)(float *x, int64_t rows, int64_t stride, int64_t heads, int64_t head_dim, const float *cosines,
                 const float *sines, float sign);
    // Row i keeps columns max(0, i - window + 1) ... i.
    void (*softmax_causal)(float *s, int64_t t, float scale, int64_t window);
    void (*softmax_causal_backward)(const float *p, float *dp, int64_t t, float scale, int64_t window);
    // Attention of `heads` queries that share one key head, over positions first ..< end. weights: end - first numbers.
    void (*attend)(const float *q, int64_t heads, int64_t head_dim, const float *keys, const float *values, int64_t first,
                   int64_t end, float scale, float *out, float *weights);
    // Logits become factor * d(loss)/d(logits); returns the loss; *best is the index of the largest logit.
    float (*cross_entropy)(float *logits, int64_t label, int64_t n, float factor, int64_t *best);
    // log(sum(exp)) of n numbers.
    float (*log_sum_exp)(const float *x, int64_t n);
    void (*add_scaled)(float *y, const float *x, float factor, int64_t n);
    void (*scale)(float *y, float factor, int64_t n);
    // Each row of y gets the same bias.
    void (*add_bias)(float *y, const float *bias, int64_t rows, int64_t n);
    // sums[j] += sum over rows of x[i][j].
    void (*column_sums)(const float *x, float *sums, int64_t rows, int64_t n);
    float (*dot_product)(const float *a, const float *b, int64_t n);
    // Sum of squares in double precision, in order of position.
    double (*square_sum)(const float *x, int64_t n);
    // One step of AdamW; correction1 and 2 are 1/(1 - beta^t).
    void (*adamw)(float *p, const float *g, float *m, float *v, int64_t n, float rate, float beta1, float beta2,
                  float epsilon, float decay, float correction1, float correction2, float gradient_factor);
    int64_t (*dot_int8)(const int8_t *a, const int8_t *b, int64_t n);
} EngineKernels;

// The best level of this processor.
int32_t engine_best_level(void);
// The kernels of a level, or null when this processor or build has not got it.
const EngineKernels *engine_kernels(int32_t level);

// Stores rows x columns numbers as panels of that kind; 0 when one of them is not finite. scales: per row, ENGINE_PANEL_I8.
int engine_pack(int32_t kind, int64_t rows, int64_t columns, const float *from, void *to, float *scales);
// One row of a matrix of any kind as floats.
void engine_row(const EngineMatrix *m, int64_t row, float *to);
// The version of the GNU C library; "" where it is another one.
const char *engine_libc(void);
// Whether all n numbers are finite.
int engine_finite(const float *x, int64_t n);
#endif
