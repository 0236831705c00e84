/* What screening needs of libutf8proc, libcld2 and libre2, as plain C. */
#ifndef CTEXT_H
#define CTEXT_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Normalization Form C of valid UTF-8. The result is malloc'ed; NULL when the text is not valid or memory ran out. */
uint8_t *ctext_nfc(const uint8_t *text, size_t count, size_t *result_count);

/* The main language of plain text as a code of at most 7 letters ("un" when unknown), how much of the text it covers in
   percent, and whether cld2 calls the answer reliable. */
void ctext_language(const uint8_t *text, size_t count, char code[8], int *percent, int *is_reliable);

/* Regular expressions (RE2 syntax, linear time) that are looked for together. */
typedef struct ctext_patterns ctext_patterns;

/* NULL when a pattern does not compile; *bad then says which. */
ctext_patterns *ctext_patterns_new(const char *const *patterns, size_t count, size_t *bad);
void ctext_patterns_free(ctext_patterns *patterns);

/* Writes the indexes of the patterns that occur in the text, at most `capacity`; returns their number, -1 on failure. */
int ctext_patterns_match(const ctext_patterns *patterns, const uint8_t *text, size_t count, int *found, size_t capacity);

/* The next place of one pattern at or after `from`; 0 when there is none. */
int ctext_patterns_find(const ctext_patterns *patterns, size_t index, const uint8_t *text, size_t count, size_t from,
                        size_t *start, size_t *end);

#ifdef __cplusplus
}
#endif
#endif
