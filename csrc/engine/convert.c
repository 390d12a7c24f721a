#include "convert.h"

#include <errno.h>
#include <string.h>

#include "escape.h"
#include "native.h"

void release_text(struct text *text)
{
    if (text->ctx != NULL)
        JS_FreeCString(text->ctx, text->data);
}

void release_texts(struct texts *texts)
{
    if (texts->ctx == NULL)
        return;
    for (size_t i = 0; i < texts->count; i++)
        JS_FreeCString(texts->ctx, texts->items[i]);
    js_free(texts->ctx, texts->items);
}

void release_words(struct words *words)
{
    if (words->ctx != NULL)
        JS_FreeValue(words->ctx, words->buffer);
}

int convert_int(JSContext *ctx, JSValueConst value, int64_t *out)
{
    return JS_ToInt64(ctx, out, value) < 0 ? CONVERT_THROWN : 0;
}

int convert_text(JSContext *ctx, JSValueConst value, struct text *out)
{
    const char *data = JS_ToCStringLen(ctx, &out->size, value);
    if (data == NULL)
        return CONVERT_THROWN;
    out->ctx = ctx;
    out->data = data;
    /* Only a pure ASCII string is lent out as it is stored; one with an escape in it is a copy of ours. */
    if (memchr(data, 0xed, out->size) != NULL) {
        char *copy = (char *)(uintptr_t)data;
        out->size = unescape_bytes(copy, out->size);
        copy[out->size] = '\0';
    }
    return 0;
}

int convert_path(JSContext *ctx, JSValueConst value, struct text *out)
{
    int status = convert_text(ctx, value, out);
    if (status == 0 && memchr(out->data, 0, out->size) != NULL)
        return -EINVAL;
    return status;
}

static int array_length(JSContext *ctx, JSValueConst array, int64_t *length)
{
    JSValue value = JS_GetPropertyStr(ctx, array, "length");
    if (JS_IsException(value))
        return CONVERT_THROWN;
    int status = convert_int(ctx, value, length);
    JS_FreeValue(ctx, value);
    return status;
}

int convert_texts(JSContext *ctx, JSValueConst value, struct texts *out)
{
    int64_t length = 0;
    int status = array_length(ctx, value, &length);
    if (status != 0)
        return status;
    out->items = js_mallocz(ctx, ((size_t)length + 1) * sizeof *out->items);
    if (out->items == NULL)
        return CONVERT_THROWN;
    out->ctx = ctx;
    for (uint32_t i = 0; i < (uint64_t)length; i++) {
        JSValue item = JS_GetPropertyUint32(ctx, value, i);
        if (JS_IsException(item))
            return CONVERT_THROWN;
        struct text text = {0};
        status = convert_path(ctx, item, &text);
        JS_FreeValue(ctx, item);
        if (text.ctx != NULL) {
            out->items[i] = text.data;
            out->count = i + 1;
        }
        if (status != 0)
            return status;
    }
    return 0;
}

int convert_words(JSContext *ctx, JSValueConst value, struct words *out)
{
    size_t offset;
    size_t length;
    size_t element;
    JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &length, &element);
    if (JS_IsException(buffer))
        return CONVERT_THROWN;
    out->ctx = ctx;
    out->buffer = buffer;
    size_t size;
    uint8_t *bytes = JS_GetArrayBuffer(ctx, &size, buffer);
    if (bytes == NULL)
        return CONVERT_THROWN;
    if (element != sizeof *out->data) {
        JS_ThrowTypeError(ctx, "Uint32Array expected");
        return CONVERT_THROWN;
    }
    out->data = (const uint32_t *)(const void *)(bytes + offset);
    out->count = length / element;
    return 0;
}

JSValue convert_failure(int status)
{
    return status == CONVERT_THROWN ? JS_EXCEPTION : JS_MKVAL(JS_TAG_INT, status);
}

JSValue int_result(JSContext *ctx, int64_t returned)
{
    return JS_NewInt64(ctx, returned);
}

JSValue ints_result(JSContext *ctx, int64_t returned)
{
    if (returned < 0)
        return JS_NewInt64(ctx, returned);
    JSValue array = JS_NewArray(ctx);
    const char *data = berth_result_data();
    size_t count = berth_result_size() / sizeof(int64_t);
    for (size_t i = 0; i < count && !JS_IsException(array); i++) {
        int64_t item;
        memcpy(&item, data + i * sizeof item, sizeof item);
        if (JS_DefinePropertyValueUint32(ctx, array, (uint32_t)i, JS_NewInt64(ctx, item), JS_PROP_C_W_E) < 0) {
            JS_FreeValue(ctx, array);
            array = JS_EXCEPTION;
        }
    }
    return array;
}

JSValue text_result(JSContext *ctx, int64_t returned)
{
    if (returned < 0)
        return JS_NewInt64(ctx, returned);
    return new_text(ctx, berth_result_data(), berth_result_size());
}

JSValue new_text(JSContext *ctx, const char *bytes, size_t size)
{
    if (size == 0)
        return JS_NewStringLen(ctx, "", 0);
    if (utf8_prefix(bytes, size) == size)
        return JS_NewStringLen(ctx, bytes, size);
    char *escaped = js_malloc(ctx, 3 * size);
    if (escaped == NULL)
        return JS_EXCEPTION;
    JSValue text = JS_NewStringLen(ctx, escaped, escape_bytes(bytes, size, escaped));
    js_free(ctx, escaped);
    return text;
}
