/* Conversions between JavaScript values and the C types of src/host/abi.ts, for the generated glue.
 *
 * convert_* return 0, a negative errno that the function's caller gets as its result, or CONVERT_THROWN. What they hand
 * out lives until the variable, declared CONVERTED_*, leaves its scope.
 */
#ifndef BERTH_CONVERT_H
#define BERTH_CONVERT_H

#include <stddef.h>
#include <stdint.h>

#include "quickjs.h"

#define CONVERT_THROWN 1

struct text {
    JSContext *ctx;
    const char *data;
    size_t size;
};

struct texts {
    JSContext *ctx;
    const char **items; /* ends with NULL */
    size_t count;
};

struct words {
    JSContext *ctx;
    JSValue buffer;
    const uint32_t *data;
    size_t count;
};

void release_text(struct text *text);
void release_texts(struct texts *texts);
void release_words(struct words *words);

#define CONVERTED_TEXT __attribute__((cleanup(release_text))) struct text
#define CONVERTED_TEXTS __attribute__((cleanup(release_texts))) struct texts
#define CONVERTED_WORDS __attribute__((cleanup(release_words))) struct words

int convert_int(JSContext *ctx, JSValueConst value, int64_t *out);
/* A string of any bytes; a NUL follows them. */
int convert_text(JSContext *ctx, JSValueConst value, struct text *out);
/* As convert_text, but -EINVAL when there is a NUL inside. */
int convert_path(JSContext *ctx, JSValueConst value, struct text *out);
int convert_texts(JSContext *ctx, JSValueConst value, struct texts *out);
/* A Uint32Array, not copied. */
int convert_words(JSContext *ctx, JSValueConst value, struct words *out);
JSValue convert_failure(int status);

/* The result of a function, from what it returned and, for ints and text, what it left in the result buffer. */
JSValue int_result(JSContext *ctx, int64_t returned);
JSValue ints_result(JSContext *ctx, int64_t returned);
JSValue text_result(JSContext *ctx, int64_t returned);

/* A JavaScript string of any bytes. */
JSValue new_text(JSContext *ctx, const char *bytes, size_t size);

#endif
